"""What examples for an ATS are tested with."""

import pytest

from service.postgres.migrate import make_roles
from tests.support.database import Database


@pytest.fixture
def url(database: Database) -> str:
    """The database as the ATS reaches it: with the rights of its role."""
    make_roles(database.url)
    return f"{database.url}{'&' if '?' in database.url else '?'}options=-c%20role%3Dzenhire_ats"
