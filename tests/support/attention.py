"""What the view `attention` can show, read from its text."""

import re

from service.postgres.migrate import migrations_directory

_VIEW = (migrations_directory() / "sql" / "0001" / "views.sql").read_text(encoding="utf-8")
_CODES_OF_ONE_WORD = "PAUSED|OVERLOADED|CAPACITY|DOOR|CREDITS"


def codes_of_attention() -> set[str]:
    body = _VIEW.partition("create view zenhire.attention as")[2].partition("create view")[0]
    return set(re.findall(rf"'([A-Z]{{2,}}(?:_[A-Z]+)+|{_CODES_OF_ONE_WORD})'", body))
