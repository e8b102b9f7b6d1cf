"""How a figure stands to its target."""

from dataclasses import dataclass


def met(figure: float, most: float) -> str:
    return "met" if figure <= most else "MISSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table: what was measured, what it should be, and what others come to."""

    what: str
    value: float
    form: str  #: how it is written: a format of one number
    most: float | None = None
    least: float | None = None
    others: tuple[tuple[str, float], ...] = ()  #: by the side's name

    @property
    def text(self) -> str:
        return self.form.format(self.value)

    @property
    def target(self) -> str:
        if self.most is not None:
            return f"≤ {self.form.format(self.most)}"
        return "" if self.least is None else f"≥ {self.form.format(self.least)}"

    @property
    def verdict(self) -> str:
        if self.least is not None:
            return met(-self.value, -self.least)
        return "" if self.most is None else met(self.value, self.most)

    def of(self, side: str) -> str:
        """What that side came to; empty: it was not measured, or cannot do it."""
        return next((self.form.format(value) for name, value in self.others if name == side), "")
