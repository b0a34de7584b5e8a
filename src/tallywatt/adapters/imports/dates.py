"""Pure: local times without a zone, as exports write them, made into instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from tallywatt.adapters.imports.rows import Finding
from tallywatt.kernel.clock import Instant, instant, zone

if TYPE_CHECKING:
    from collections.abc import Sequence

Candidates = tuple[datetime, ...]
BROKEN_ORDER_DAYS = 10_000.0
"""What one step against the order costs, in days of distance: more than any honest gap."""


def settle_order(rows: Sequence[Candidates | None]) -> list[datetime | None]:
    """The one reading of every date that keeps the file in its order, newest first (or oldest first).

    A file whose order holds as it is written is left alone: nothing says that it is wrong. Otherwise each row may be
    read with day and month exchanged, and the file takes the readings with the fewest steps against the order and the
    smallest gaps.
    """
    present = [(index, row) for index, row in enumerate(rows) if row]
    settled: list[datetime | None] = [None] * len(rows)
    readings = _readings([row for _, row in present])
    for (index, _), reading in zip(present, readings, strict=True):
        settled[index] = reading
    return settled


def _readings(rows: Sequence[Candidates]) -> list[datetime]:
    written = [row[0] for row in rows]
    if _runs(written, newest_first=True) or _runs(written, newest_first=False):
        return written
    downward, upward = (_cheapest(rows, newest_first=direction) for direction in (True, False))
    return downward[1] if downward[0] <= upward[0] else upward[1]


def _runs(moments: Sequence[datetime], *, newest_first: bool) -> bool:
    return all(after <= before if newest_first else after >= before for before, after in pairwise(moments))


def _cheapest(rows: Sequence[Candidates], *, newest_first: bool) -> tuple[float, list[datetime]]:
    """The cheapest path through the candidates: one step a row, at most two states, so one pass is enough."""
    costs = [0.0] * len(rows[0])
    came_from: list[list[int]] = [[0] * len(rows[0])]
    for before, after in pairwise(rows):
        steps = [
            min((costs[i] + _step(b, a, newest_first=newest_first), i) for i, b in enumerate(before)) for a in after
        ]
        costs = [cost for cost, _ in steps]
        came_from.append([i for _, i in steps])
    total, at = min((cost, i) for i, cost in enumerate(costs))
    path: list[datetime] = []
    for row, back in zip(reversed(rows), reversed(came_from), strict=True):
        path.append(row[at])
        at = back[at]
    return total, path[::-1]


def _step(before: datetime, after: datetime, *, newest_first: bool) -> float:
    days = (before - after) / timedelta(days=1) * (1 if newest_first else -1)
    return days if days >= 0 else BROKEN_ORDER_DAYS - days


@dataclass(frozen=True, slots=True)
class Placed:
    """A local time that has found its instant, and what had to be assumed for it."""

    at: Instant
    findings: tuple[Finding, ...] = ()


def place(local: datetime, zone_name: str, *, not_before: Instant | None = None, what: str = "start") -> Placed:
    """The instant of a local time in a zone.

    The hour that the spring leaves out is read as winter time: the station's clock had not been put forward. The hour
    that the autumn has twice is read as its first, unless that lies before `not_before`.
    """
    here = zone(zone_name)
    first, second = (local.replace(tzinfo=here, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return Placed(instant(first))
    if first.astimezone(UTC).astimezone(here).replace(tzinfo=None) != local:
        sentence = f"The {what} {local:%d %B %Y %H:%M} does not exist in {zone_name}; it was read as winter time."
        return Placed(instant(first), (Finding("time.gap", sentence),))
    early, late = instant(first), instant(second)
    chosen, name = (late, "second") if not_before is not None and early < not_before else (early, "first")
    sentence = f"The {what} {local:%d %B %Y %H:%M} comes twice in {zone_name}; the {name} was taken."
    return Placed(chosen, (Finding("time.twice", sentence),))
