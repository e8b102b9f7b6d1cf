"""The table of settings for people, written from the settings themselves so that it cannot go stale.

`python -m service.settings_table docs/settings.md` refreshes the table between the two markers of that file.
"""

import re
import sys
from datetime import timedelta
from pathlib import Path

from pydantic.fields import FieldInfo

from service.settings_fields import SECRETS, Settings, allowed_values

BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"

_DEFAULTS = {"DATABASE_URL": "required", "ZENHIRE_API_KEY": "one of these two", "ZENHIRE_API_KEYS_DIR": ""}


def settings_table() -> str:
    """Markdown: variable, default, meaning with what is allowed."""
    rows = [_row(field) for field in Settings.model_fields.values()]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def with_table(text: str) -> str:
    """The text with what stands between the markers replaced by the table; unchanged where there are none."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{settings_table()}\n{END}", text)


def _row(field: FieldInfo) -> str:
    variable = str(field.validation_alias)
    meaning = (
        f"{field.description} (or `{variable}_FILE`: a file that holds it)"
        if variable in SECRETS
        else field.description
    )
    allowed = "" if field.annotation is str else allowed_values(field)
    default = _DEFAULTS.get(variable, f"`{_shown(field.default)}`")
    return f"| `{variable}` | {default} | {meaning}{f'; {allowed}' if allowed else ''} |"


def _shown(default: object) -> str:
    match default:
        case timedelta():
            return f"{default.total_seconds():.10g}"
        case bool():
            return str(default).lower()
        case None:
            return "unset"
        case _:
            return str(default)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stdout.write(settings_table() + "\n")
        return 0
    file = Path(arguments[0])
    text = file.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        sys.stderr.write(f"{file} has no {BEGIN} and {END}: put both where the table belongs\n")
        return 1
    file.write_text(with_table(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
