"""Pure: the sequence numbers of a transaction's events: which is the highest, and which were skipped and may still come.

OCPP 2.x numbers the events of a transaction without a gap, so that a platform can tell whether it has them all. Stations
that always say the same number miss nothing; they do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_GAPS = 50
"""A station that skips more often does not count: the oldest gaps are forgotten."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """What was heard of a transaction's numbers."""

    highest: int | None = None
    gaps: tuple[tuple[int, int], ...] = ()
    """First and last number of each gap, in order."""

    def heard(self, number: int, *, is_first: bool = False) -> Sequence:
        """With one more number; the first event of a transaction says that nothing came before it."""
        highest = number if self.highest is None else max(self.highest, number)
        if self.highest is None:
            gaps: tuple[tuple[int, int], ...] = () if is_first or number == 0 else ((0, number - 1),)
        elif number > self.highest + 1:
            gaps = (*self.gaps, (self.highest + 1, number - 1))
        else:
            gaps = tuple(part for gap in self.gaps for part in _without(gap, number))
        if is_first:
            gaps = tuple((max(begin, number + 1), end) for begin, end in gaps if end > number)
        return Sequence(highest, gaps[-MOST_GAPS:])


def _without(gap: tuple[int, int], number: int) -> list[tuple[int, int]]:
    begin, end = gap
    if not begin <= number <= end:
        return [gap]
    return [part for part in ((begin, number - 1), (number + 1, end)) if part[0] <= part[1]]


def read_gaps(text: str | None) -> tuple[tuple[int, int], ...]:
    """Gaps from their text: `3-5,8`."""
    if not text:
        return ()
    found = [one.split("-") for one in text.split(",")]
    return tuple((int(ends[0]), int(ends[-1])) for ends in found)


def written_gaps(gaps: tuple[tuple[int, int], ...]) -> str | None:
    """Their text, or None without any."""
    return ",".join(str(begin) if begin == end else f"{begin}-{end}" for begin, end in gaps) or None
