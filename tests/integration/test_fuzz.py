"""Whatever passes the seam can be written to a real Postgres."""

from tests.fuzz.rows import rows_of
from tests.fuzz.runner import fuzz
from tests.support.database import Database


def test_what_passes_the_seam_can_be_written(database: Database) -> None:
    with rows_of(database) as target:
        fuzz("rows", target, cases=10, start=1)
