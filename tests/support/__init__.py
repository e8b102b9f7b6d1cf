"""What several tests share: a PostgreSQL server, real processes, waiting with a deadline, valid invites."""
