"""A station is asked how it is configured, judged by what billing needs, and set right where its operator allows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import (
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.stations.command import Action, StationCommand
from tallywatt.stations.commissioning import (
    ASKED_BY,
    SETTING,
    TELLING,
    CommissioningRule,
    Found,
    StationCheck,
    Told,
    better,
    is_billable,
    judge,
    wanted_of,
)
from tallywatt.stations.configuration import Place, reading, writing
from tallywatt.stations.display import COST_KEY
from tallywatt.stations.messages import NEWEST, OLD
from tallywatt.stations.nightly import next_night
from tallywatt.stations.station import StationState
from tallywatt.stations.told_tariff import ASKED, CONTROLLER
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.keep_local_list import verify_soon
from tallywatt.workflows.keep_tariff import verify_tariffs_soon
from tallywatt.workflows.listen import settle, to_inbox
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.metering.session import InboxItem
    from tallywatt.stations.offline import OfflineRule
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import UnitOfWork

CHECK_STATION: Final = "check_station"
"""Job: ask that station how it is configured."""
JUDGE_STATION: Final = "judge_station"
"""Job: something was told about that station's configuration."""
AFTER_BOOT_MS: Final = 30_000
"""What a station has queued comes first: its money is worth more than its settings."""
AT_ONCE: Final = 8
"""Variables of one question: some stations take no more."""
ANSWER_SECONDS: Final = 300
GRACE_SECONDS: Final = 30
LONGEST_MISSING: Final = 200
DRIFTED: Final = "configuration_drifted"
NOT_BILLABLE: Final = "station_not_billable"
SETTLE_CHECK: Final = "settle_station_check"
"""Job: what was written to that station has been answered, or never will be."""
MOST_PLANNED: Final = 200
"""Stations of one operator in one round of a minute, 48,000 in the four hours: after a night without power not all at once."""


def check_after_boot(work: UnitOfWork, station: Station) -> None:
    """Look at a station once it has told what it had queued; its boot waits for nothing."""
    if station.state is StationState.ADOPTED:
        later = Instant(work.machine_now + AFTER_BOOT_MS)
        work.jobs.add(Job(CHECK_STATION, station.station_id, not_before=later))
        verify_soon(work, station.station_id, later)


def plan_checks(work: UnitOfWork, _: object) -> int:
    """Let every station be asked whose moment of the night has come, and plan the next; how many are asked."""
    asked = 0
    for station_id in work.queries.unplanned_checks(work.machine_now, MOST_PLANNED):
        station = work.stations.lock(station_id)
        known = work.station_checks.find(station_id)
        if known is None:
            check_after_boot(work, station)
            continue
        next_at = next_night(station.station_id, _zone(work, station), work.machine_now)
        work.station_checks.put(replace(known, next_at=next_at))
        if known.next_at is not None:
            # One that was never planned was asked at its boot: its first night is the next one.
            work.jobs.add(Job(CHECK_STATION, station.station_id))
            verify_soon(work, station.station_id, work.machine_now)
            verify_tariffs_soon(work, station.station_id, station.protocol, work.machine_now)
            asked += 1
    return asked


def _zone(work: UnitOfWork, station: Station) -> str:
    location = None if station.location_id is None else work.locations.find(station.location_id)
    return work.operators.get().zone if location is None else location.zone


@dataclass(frozen=True, slots=True)
class CheckStation:
    """Which station."""

    station_id: StationId


def check_station(work: UnitOfWork, command: CheckStation) -> int:
    """Ask a station for what is wanted of it; how many questions that takes. One that is asked already is asked no more."""
    station = work.stations.lock(command.station_id)
    wanted = [place for _, place in wanted_of(station.protocol or "")]
    if station.state is not StationState.ADOPTED or not wanted or _questions(work, station.station_id):
        return 0
    if station.protocol == OLD:
        # Not needed for a bill: it tells whether the station shows prices.
        wanted.append(Place(COST_KEY))
    if station.protocol == NEWEST:
        # Nor this: by what it can count itself.
        wanted += [Place(name, CONTROLLER, instance=instance) for name, instance in ASKED]
    size = len(wanted) if station.protocol == OLD else AT_ONCE
    parts = [wanted[first : first + size] for first in range(0, len(wanted), size)]
    for number, part in enumerate(parts):
        _send(work, station.station_id, number, reading(station.protocol or "", part))
    known = work.station_checks.find(station.station_id)
    if known is None:
        work.station_checks.add(StationCheck(station.station_id, work.machine_now, None, None, ()))
    else:
        work.station_checks.put(replace(known, asked_at=work.machine_now))
    return len(parts)


def _questions(work: UnitOfWork, station_id: StationId) -> list[StationCommand]:
    """Questions of ours that are still open."""
    return _open(work, station_id, ASKED_BY)


def _open(work: UnitOfWork, station_id: StationId, names: frozenset[str]) -> list[StationCommand]:
    since = Instant(work.machine_now - 2 * ANSWER_SECONDS * 1000)
    return [one for one in work.queries.open_commands(station_id, since) if one.name in names]


def _send(work: UnitOfWork, station_id: StationId, part: int, message: tuple[str, dict[str, object]]) -> None:
    payload = {"name": message[0], "content": message[1]}
    asked = CommandStation(station_id, Action.MESSAGE, payload, deadline_seconds=ANSWER_SECONDS, part=part)
    command_station(work, asked)


@dataclass(frozen=True, slots=True)
class AskCheck:
    """A person, or a key, wants a station looked at now."""

    station_id: StationId


def ask_check(work: UnitOfWork, command: AskCheck) -> int:
    """Ask it, and write down who wanted that."""
    station = work.stations.get(command.station_id)
    if station.state is not StationState.ADOPTED or not wanted_of(station.protocol or ""):
        msg = f"station {station.identity} is {station.state.value}, or has never told its version"
        raise Conflict(msg, code="stations.cannot_be_checked", remedy="adopt and connect it first")
    count = check_station(work, CheckStation(command.station_id))
    record_action(work, "station.check", "station", command.station_id, after={"questions": count})
    return count


def judge_station(work: UnitOfWork, command: CheckStation) -> StationCheck | None:
    """Compare what is known with what is wanted: list what has drifted, and write what may be written."""
    station = work.stations.lock(command.station_id)
    check = work.station_checks.find(command.station_id)
    if check is None:
        return None
    answered_at = check.answered_at
    is_old = answered_at is None or answered_at < check.asked_at
    if is_old and not _questions(work, station.station_id) and _was_answered(work, check):
        answered_at = work.machine_now
    told = work.station_variables.by(station_id=station.station_id)
    found = judge(station.protocol, told, answered_at, offline_rule(work, station))
    off = tuple(sorted(one.wanted.code for one in found if one.is_off))
    if check.answered_at is not None:
        for one in found:
            if one.told is Told.WRONG and one.wanted.code not in check.off:
                _drifted(work, station, one)
    set_at = _set_right(work, station, found, check) if answered_at is not None else check.set_at
    after = replace(check, answered_at=answered_at, off=off, set_at=set_at)
    if answered_at is not None and not _open(work, station.station_id, ASKED_BY | SETTING):
        after = _settled(work, station, found, after)
    return after if after == check else work.station_checks.put(after)


def _was_answered(work: UnitOfWork, check: StationCheck) -> bool:
    """Whether every question was answered in words: a place that was not told then is one that the station does not know."""
    # They were written down in the transaction that noted when: nobody reads all that a station was ever asked.
    told = work.station_commands.by(station_id=check.station_id, requested_at=check.asked_at)
    asked = [one for one in told if one.name in ASKED_BY]
    return bool(asked) and all(TELLING & (one.answer or {}).keys() for one in asked)


def _settled(work: UnitOfWork, station: Station, found: tuple[Found, ...], check: StationCheck) -> StationCheck:
    """Tell it when sessions of a station cannot be billed any more, and when they can be again."""
    stands = is_billable(found)
    if stands is None or stands is check.is_billable:
        return check
    missing = sorted(one.wanted.code for one in found if one.stands_in_the_way)
    told = {"missing": ",".join(missing)[:LONGEST_MISSING]}
    kind = "StationBillable" if stands else "StationNotBillable"
    work.events.append(Event("station", station.station_id, kind, {} if stands else told))
    if stands:
        for item in _waiting(work, station):
            settle(work, item, "it is configured as billing needs it again")
    elif check.is_billable:
        to_inbox(
            work,
            NOT_BILLABLE,
            f"sessions of station {station.identity} cannot be billed any more: {', '.join(missing)}",
            station.station_id,
            check.version,
            station_id=station.station_id,
            detail=told,
        )
        # One thing before a person is enough: what has drifted is the reason why.
        for item in work.inbox.by(station_id=station.station_id, kind=DRIFTED, state="open"):
            if (item.detail or {}).get("code") in missing:
                settle(work, item, "sessions cannot be billed because of it: see there")
    return replace(check, is_billable=stands)


def offline_rule(work: UnitOfWork, station: Station) -> OfflineRule | None:
    """What a station may do offline: what is said of it, else of its site, else of all; None: nobody has said anything."""
    scopes = (station.station_id, station.location_id or "", "")
    found = (work.offline_rules.find(scope) for scope in dict.fromkeys(scopes))
    return next((one for one in found if one is not None and one.removed_at is None), None)


def _waiting(work: UnitOfWork, station: Station) -> list[InboxItem]:
    return work.inbox.by(station_id=station.station_id, kind=NOT_BILLABLE, state="open")


def _drifted(work: UnitOfWork, station: Station, found: Found) -> None:
    to_inbox(
        work,
        DRIFTED,
        f"{found.place} of station {station.identity} was changed to {found.value!r}: {found.wanted.why}",
        station.station_id,
        found.place,
        found.value,
        work.machine_now // (24 * 3_600_000),
        station_id=station.station_id,
        detail={"place": str(found.place), "value": found.value, "code": found.wanted.code},
    )


def _set_right(work: UnitOfWork, station: Station, found: tuple[Found, ...], check: StationCheck) -> Instant | None:
    """Write what is wrong, once after each question: a station that says yes and does not do it is not asked for ever."""
    if not sets_values(work, station.station_id) or (check.set_at is not None and check.set_at >= check.asked_at):
        return check.set_at
    values = [(one.place, value) for one in found if (value := better(one)) is not None]
    if not values:
        return check.set_at
    for number, message in enumerate(writing(station.protocol or "", values)):
        _send(work, station.station_id, number, message)
    heard_by = Instant(work.machine_now + (ANSWER_SECONDS + GRACE_SECONDS) * 1000)
    work.jobs.add(Job(SETTLE_CHECK, station.station_id, not_before=heard_by))
    before = {str(one.place): one.value for one in found if better(one) is not None}
    after = {str(place): value for place, value in values}
    record_action(work, "station.set", "station", station.station_id, before=before, after=after)
    return work.machine_now


def sets_values(work: UnitOfWork, station_id: StationId) -> bool:
    """Whether the operator lets values of this station be written: what is said of the station, else of all."""
    own = work.commissioning_rules.find(station_id) or work.commissioning_rules.find("")
    return own is not None and own.sets_values


@dataclass(frozen=True, slots=True)
class AllowSetting:
    """Whether values may be written by ourselves, at one station or (None) wherever nothing else is said."""

    station_id: StationId | None
    sets_values: bool


def allow_setting(work: UnitOfWork, command: AllowSetting) -> CommissioningRule:
    """Keep it; a station is looked at again, so that it takes effect now."""
    scope = "" if command.station_id is None else work.stations.get(command.station_id).station_id
    known = work.commissioning_rules.find(scope)
    if known is None:
        row = CommissioningRule(scope, command.sets_values, work.machine_now)
        work.commissioning_rules.add(row)
    else:
        row = work.commissioning_rules.put(replace(known, sets_values=command.sets_values, changed_at=work.machine_now))
    before = None if known is None else {"sets_values": known.sets_values}
    after = {"sets_values": row.sets_values}
    record_action(work, "station.allow_setting", "station", scope or "all", before=before, after=after)
    if command.station_id is not None and command.sets_values:
        work.jobs.add(Job(CHECK_STATION, command.station_id))
    return row
