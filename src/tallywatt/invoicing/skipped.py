"""Pure: invoice numbers that no invoice here carries, and why: a gap that is explained by a row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.invoicing.invoice import NumberSeries
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant

SAFE_DISTANCE: Final = 1000
"""How far a series moves on when nobody can say which number was given last."""
_NUMBER: Final = re.compile(r"(?P<series>[A-Z0-9]{1,12})-(?P<year>\d{4})-(?P<sequence>\d{1,12})")


@dataclass(frozen=True, slots=True)
class SkippedNumbers:
    """A run of numbers of one series and year that may be on papers which this database does not know."""

    series: str
    year: int
    first: int
    last: int
    reason: str
    cause: str
    """The id of what made the gap: a restoration."""
    created_at: Instant


def parts_of(number: str) -> tuple[str, int, int]:
    """Series, year and place of a number as printed; BadInput for anything else."""
    found = _NUMBER.fullmatch(number.strip())
    if found is None:
        msg = f"{number!r} is not an invoice number"
        raise BadInput(msg, code="invoice.bad_number", remedy="write it as it is printed: INV-2026-000123")
    return found["series"], int(found["year"]), int(found["sequence"])


def moved_past(
    counter: NumberSeries, seen: int, said: int | None, today: str, *, cause: str, now: Instant
) -> tuple[NumberSeries, SkippedNumbers | None]:
    """The counter behind every number that may be outside, and the run that it leaves out.

    `seen` was found at providers: there may be more, so without a person's word a safe distance is added. `said` is that
    word: the last number on paper. Neither moves the counter back.
    """
    at_least = max(counter.next_number, seen + 1)
    following = at_least + SAFE_DISTANCE if said is None else max(at_least, said + 1)
    moved = replace(counter, next_number=following, last_issue_date=max(counter.last_issue_date, today))
    if following == counter.next_number:
        return moved, None
    run = SkippedNumbers(counter.series, counter.year, counter.next_number, following - 1, "restored", cause, now)
    return moved, run


def is_skipped(runs: Iterable[SkippedNumbers], series: str, year: int, sequence: int) -> bool:
    """Whether a row explains why no invoice carries this number."""
    return any((one.series, one.year) == (series, year) and one.first <= sequence <= one.last for one in runs)
