"""Pure: what is still open when a day is closed, and what of it stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One thing to look at: how many, and how much of which currency where that can be said."""

    code: str
    count: int
    minor: tuple[tuple[str, int], ...] = ()
    """By currency."""
    blocks: bool = True
    """Whether the day is not closed while there is one of them."""

    def as_json(self) -> dict[str, Any]:
        """As programs read it."""
        return {"code": self.code, "count": self.count, "minor": dict(self.minor), "blocks": self.blocks}


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers of one series in one year."""

    name: str
    year: int
    last: int
    """The number that was given last."""
    missing: int
    """Numbers that no paper carries and no row leaves out."""
    of_day: int
    """Papers of the day."""

    def as_json(self) -> dict[str, Any]:
        """As programs read it."""
        return {
            "series": self.name,
            "year": self.year,
            "last": self.last,
            "missing": self.missing,
            "of_day": self.of_day,
        }


@dataclass(frozen=True, slots=True)
class DayClose:
    """How a day stands."""

    day: str
    revenue: tuple[tuple[str, dict[str, int]], ...]
    """By currency: sessions, net_minor, tax_minor, gross_minor."""
    items: tuple[OpenItem, ...]
    series: tuple[Series, ...]
    ledger_balanced: bool

    @property
    def is_clean(self) -> bool:
        """Whether nothing stands in the way of closing the day."""
        numbered = all(one.missing == 0 for one in self.series)
        return self.ledger_balanced and numbered and not any(one.blocks and one.count for one in self.items)

    def as_json(self) -> dict[str, Any]:
        """Everything, as programs read it."""
        return {
            "day": self.day,
            "clean": self.is_clean,
            "revenue": dict(self.revenue),
            "open": [one.as_json() for one in self.items],
            "series": [one.as_json() for one in self.series],
            "ledger_balanced": self.ledger_balanced,
        }
