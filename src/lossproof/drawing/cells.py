"""A cell of a table as data: a number with its interval, words, or several of both."""

from __future__ import annotations

from dataclasses import dataclass

from lossproof.tidy import Row, number

NOTHING = "–"


@dataclass(frozen=True)
class Number:
    """A number with its interval; ``form`` is the format of all three, of which a sign counts for the value alone.

    ``mark`` follows the value; ``minus`` is how a negative number is set.
    """

    value: float
    low: float | None = None
    high: float | None = None
    form: str = ".1f"
    mark: str = ""
    minus: str = "-"

    @property
    def point(self) -> str:
        """The value: '71.2'."""
        return self._set(self.value, self.form) + self.mark

    @property
    def interval(self) -> str:
        """The interval: '[66.0, 75.9]', or '' where a bound is unknown."""
        if self.low is None or self.high is None:
            return ""
        low, high = (self._set(bound, self.form.removeprefix("+")) for bound in (self.low, self.high))
        return f"[{low}, {high}]"

    def _set(self, number: float, form: str) -> str:
        return f"{number + 0.0:{form}}".replace("-", self.minus)  # -0.0 + 0.0 is 0.0


Part = str | Number
Cell = Part | tuple[Part, ...]


def parts(cell: Cell) -> tuple[Part, ...]:
    """What a cell consists of, in order."""
    return cell if isinstance(cell, tuple) else (cell,)


def plain(cell: Cell) -> str:
    """A cell as text: '71.2 [66.0, 75.9]'."""
    return "".join(part if isinstance(part, str) else f"{part.point} {part.interval}".rstrip() for part in parts(cell))


def estimated(row: Row | None, form: str = ".1f", mark: str = "") -> Cell:
    """A tidy row's value with its interval; a dash where there is no row or no value."""
    value, low, high = (number(row[key]) if row else None for key in ("value", "ci_low", "ci_high"))
    return NOTHING if value is None else Number(value, low, high, form, mark)


def marked_number(text: str, form: str = ".1f") -> Cell:
    """A tidy cell's number with a proper minus; a dash where it is none."""
    value = number(text)
    return NOTHING if value is None else Number(value, form=form, minus="−")
