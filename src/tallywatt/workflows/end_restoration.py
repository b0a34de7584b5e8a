"""All that providers know of the lost time was taken in: numbers move past it, and the house goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.invoicing.invoice import INVOICES, fresh_series, series_year
from tallywatt.invoicing.skipped import moved_past, parts_of
from tallywatt.kernel.clock import Instant, local_date
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.invoicing.skipped import SkippedNumbers
    from tallywatt.payments.restoration import Restoration
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class EndRestoration:
    """What was learnt outside. `last_numbers` are said by a person, who holds the papers; they are final for their series.

    `numbers_seen` were found at providers: a series is moved past them, and by a safe distance more, because a paper that
    was never paid is not there.
    """

    restoration_id: str
    last_numbers: tuple[str, ...] = ()
    numbers_seen: tuple[str, ...] = ()
    found: int = 0


def end_restoration(work: UnitOfWork, command: EndRestoration) -> Restoration:
    """Move the series on, explain the gap by rows, and let jobs go out again. Done twice it changes nothing."""
    known = work.restorations.lock(command.restoration_id)
    if known.compared_at is not None:
        return known
    waiting = not_compared(work)
    if waiting is None or waiting.restoration_id != known.restoration_id:
        msg = "a later return from a backup has to be compared first"
        raise Conflict(msg, code="restore.not_the_last", remedy="run: tallywatt reconcile")
    skipped = _move_numbers(work, known, command)
    # Whatever was unknown before is known with the last one, whose time reaches back the furthest.
    ended = known
    for one in work.restorations.by(compared_at=None):
        stored = work.restorations.put(replace(one, compared_at=work.machine_now, found=command.found))
        ended = stored if one.restoration_id == known.restoration_id else ended
    after = {"found": command.found, "skipped": [f"{one.series}-{one.year}: {one.first}-{one.last}" for one in skipped]}
    record_action(work, "installation.reconcile", "restoration", known.restoration_id, after=after)
    work.events.append(Event("restoration", known.restoration_id, "RestorationCompared", {"found": command.found}))
    return ended


def _move_numbers(work: UnitOfWork, restoration: Restoration, command: EndRestoration) -> list[SkippedNumbers]:
    zone = work.operators.get().zone
    today = local_date(work.now, zone).isoformat()
    said = _highest(command.last_numbers)
    seen = _highest(command.numbers_seen)
    # A year that began in the lost time has no counter here, and may have numbers outside.
    lost = work.now - (work.machine_now - restoration.backup_at)
    years = range(series_year(Instant(lost), zone), series_year(work.now, zone) + 1)
    for place in sorted({*((INVOICES, year) for year in years), *said, *seen}):
        work.number_series.add(fresh_series(*place))
    skipped = []
    for known in work.number_series.by():
        place = (known.series, known.year)
        if known.year < years.start and place not in {*said, *seen}:
            continue
        held = work.number_series.lock(*place)
        day = today if known.year == years[-1] else ""
        moved, run = moved_past(
            held, seen.get(place, 0), said.get(place), day, cause=restoration.restoration_id, now=work.now
        )
        work.number_series.put(moved)
        if run is not None:
            work.skipped_numbers.add(run)
            skipped.append(run)
    return skipped


def _highest(numbers: tuple[str, ...]) -> dict[tuple[str, int], int]:
    """The highest place of each series and year."""
    found: dict[tuple[str, int], int] = {}
    for number in numbers:
        series, year, sequence = parts_of(number)
        found[series, year] = max(found.get((series, year), 0), sequence)
    return found
