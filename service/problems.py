"""What is wrong with the settings, as values: all problems are collected first and told in one message."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One variable that stops the start. Never holds a secret's value."""

    variable: str
    wrong: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.wrong}; {self.allowed}"


class SettingsError(Exception):
    """The environment does not make valid settings."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        headline = "one setting is wrong:" if count == 1 else f"{count} settings are wrong:"
        super().__init__("\n".join([headline, *(f"  {problem}" for problem in self.problems)]))
