"""An operator says what stations may do while they have no connection: everywhere, at one site, at one station."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import (
    LocationId,
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.stations.offline import MOST_WH, OfflineRule, Starts
from tallywatt.workflows.check_station import JUDGE_STATION, sets_values
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class SetOffline:
    """What one station, those of one site, or (neither) each of which nothing else is said, may do offline.

    None: as it was, or as usual.
    """

    station_id: StationId | None
    starts: Starts | None = None
    refused_wh: int | None = None
    location_id: LocationId | None = None


@dataclass(frozen=True, slots=True)
class OfflineAnswer:
    """The rule, and whether it is written to stations by us."""

    rule: OfflineRule
    is_set: bool


def set_offline(work: UnitOfWork, command: SetOffline) -> OfflineAnswer:
    """Keep it. Where values may be written by us, stations are set to it with their next check; else it is listed as off.

    What it means in words, and what money it risks, is read afterwards: all tariffs of an operator are not walked in here.
    """
    if command.refused_wh is not None and not 0 <= command.refused_wh <= MOST_WH:
        msg = f"0 to {MOST_WH} Wh may flow for a card that is refused"
        raise BadInput(msg, code="stations.bad_offline", remedy="0 stops it at once")
    scope = _scope(work, command)
    known = work.offline_rules.find(scope)
    was = known or OfflineRule(scope, Starts.KNOWN, 0, work.machine_now)
    if was.removed_at is not None:
        # What was taken back is not said any more: it begins with what is usual.
        was = replace(was, starts=Starts.KNOWN, refused_wh=0, removed_at=None)
    starts = was.starts if command.starts is None else command.starts
    refused_wh = was.refused_wh if command.refused_wh is None else command.refused_wh
    row = replace(was, starts=starts, refused_wh=refused_wh, changed_at=work.machine_now)
    if known is None:
        work.offline_rules.add(row)
    else:
        row = work.offline_rules.put(row)
    is_new = known is None or known.removed_at is not None
    before = None if known is None or is_new else {"starts": known.starts.value, "refused_wh": known.refused_wh}
    after = {"starts": row.starts.value, "refused_wh": row.refused_wh}
    kind = "station" if command.location_id is None else "location"
    record_action(work, f"{kind}.set_offline", kind, scope or "all", before=before, after=after)
    if command.station_id is not None:
        work.jobs.add(Job(JUDGE_STATION, command.station_id))
    return OfflineAnswer(row, sets_values(work, command.station_id or StationId("")))


@dataclass(frozen=True, slots=True)
class RemoveOffline:
    """Of which station, which site, or (neither) of all others nothing is said any more."""

    station_id: StationId | None
    location_id: LocationId | None = None


def remove_offline(work: UnitOfWork, command: RemoveOffline) -> OfflineAnswer:
    """Take back what was said: the next wider rule holds, and without one what is usual. Taken back already, it stays so."""
    scope = _scope(work, command)
    known = work.offline_rules.find(scope)
    if known is None:
        msg = "nothing of its own was said of what it may do offline"
        raise NotFound(msg, code="stations.no_offline_rule", remedy="see: tallywatt station offline")
    is_set = sets_values(work, command.station_id or StationId(""))
    if known.removed_at is not None:
        return OfflineAnswer(known, is_set)
    row = work.offline_rules.put(replace(known, removed_at=work.machine_now))
    kind = "station" if command.location_id is None else "location"
    before = {"starts": known.starts.value, "refused_wh": known.refused_wh}
    record_action(work, f"{kind}.remove_offline", kind, scope or "all", before=before)
    if command.station_id is not None:
        work.jobs.add(Job(JUDGE_STATION, command.station_id))
    return OfflineAnswer(row, is_set)


def _scope(work: UnitOfWork, command: SetOffline | RemoveOffline) -> str:
    if command.station_id is not None:
        return str(work.stations.get(command.station_id).station_id)
    return "" if command.location_id is None else str(work.locations.get(command.location_id).location_id)
