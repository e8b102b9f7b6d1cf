"""zenhire-sync: runs AI voice interviews from ZenHire for an ATS, through a Postgres table."""
