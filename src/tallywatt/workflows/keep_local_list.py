"""The lists of tokens that stations know by heart are kept in step: by differences, by a whole list where something went wrong.

Off until an operator switches it on, for one station or for all. Only tokens of that operator's customers go out, and of each
its number, whether it is blocked, its group and its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.customers.customer import TokenState
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import (
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.stations.command import Action
from tallywatt.stations.local_list import (
    ASK_NUMBER,
    MOST_TRIES,
    NO_LIST,
    SEND,
    Entry,
    ListRule,
    ListState,
    LocalList,
    asking,
    capacity_of,
    fits,
    next_step,
    number_told,
    said,
)
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import LinkAnswer, UnitOfWork

SYNC_LIST: Final = "sync_local_list"
"""Job: bring that station's list one message nearer."""
VERIFY_LIST: Final = "verify_local_list"
"""Job: ask that station which version of the list it has."""
SPREAD_LISTS: Final = "spread_local_lists"
"""Job: tokens have changed; all lists are looked at."""
BEHIND: Final = "/"
MOST_SPREAD: Final = 200
"""Stations of one round: everybody else waits for the writer while it is written."""
GATHER_MS: Final = 10_000
"""Changes of tokens come in crowds."""
ASKED_MS: Final = 60_000
"""How long a station has to say what its list can hold."""
CARDS: Final = frozenset({"RFID", "OTHER"})


@dataclass(frozen=True, slots=True)
class SwitchLists:
    """Whether lists are kept in step: at one station, or (None) wherever nothing else is said."""

    station_id: StationId | None
    is_on: bool


def switch_lists(work: UnitOfWork, command: SwitchLists) -> ListRule:
    """Keep it, and look at the lists. Where it is switched off, what the station has stays there."""
    scope = "" if command.station_id is None else str(work.stations.get(command.station_id).station_id)
    known = work.list_rules.find(scope)
    if known is None:
        row = ListRule(scope, command.is_on, work.machine_now)
        work.list_rules.add(row)
    else:
        row = work.list_rules.put(replace(known, is_on=command.is_on, changed_at=work.machine_now))
    before = None if known is None else {"is_on": known.is_on}
    record_action(work, "station.local_list", "station", scope or "all", before=before, after={"is_on": row.is_on})
    if command.is_on:
        work.jobs.add(Job(SYNC_LIST, scope) if scope else Job(SPREAD_LISTS, work.operator))
    return row


def tokens_changed(work: UnitOfWork) -> None:
    """A token was added, blocked, or is another one now: lists that are kept follow in a moment."""
    if any(one.is_on for one in work.list_rules.by()):
        work.jobs.add(Job(SPREAD_LISTS, work.operator, not_before=Instant(work.machine_now + GATHER_MS)))


def spread_lists(work: UnitOfWork, subject: str) -> int:
    """Look at the lists of the next stations that keep one, behind the one that the job names; how many."""
    _, _, after = subject.partition(BEHIND)
    stations = work.queries.adopted_stations(after, MOST_SPREAD)
    rules = {one.scope: one.is_on for one in work.list_rules.by()}
    kept = [one for one in stations if rules.get(one.station_id, rules.get("", False))]
    for one in kept:
        work.jobs.add(Job(SYNC_LIST, one.station_id))
    if len(stations) == MOST_SPREAD:
        work.jobs.add(Job(SPREAD_LISTS, f"{work.operator}{BEHIND}{stations[-1].station_id}"))
    return len(kept)


def _is_on(work: UnitOfWork, station_id: StationId) -> bool:
    own = work.list_rules.find(str(station_id)) or work.list_rules.find("")
    return own is not None and own.is_on


@dataclass(frozen=True, slots=True)
class SyncList:
    """Which station."""

    station_id: StationId


def sync_list(work: UnitOfWork, command: SyncList) -> LocalList | None:
    """Send the next message of a list, unless one is on its way; its answer brings the one after it."""
    station = work.stations.lock(command.station_id)
    if station.state is not StationState.ADOPTED or station.protocol is None or not _is_on(work, station.station_id):
        return None
    held = work.local_lists.find(station.station_id)
    if held is None:
        held = LocalList(
            station.station_id, 0, {}, False, None, {}, ListState.WAITING, 0, 0, work.machine_now
        )  # fmt: skip
        work.local_lists.add(held)
    if held.command_id is not None:
        sent = work.station_commands.find(held.command_id)
        if sent is not None and sent.is_open:
            return held
        # Nobody knows whether it was taken.
        held = _put(work, held, command_id=None, pending={}, is_known=False)
    capacity = capacity_of(station.protocol, work.station_variables.by(station_id=station.station_id))
    if capacity.is_on is None and held.state is not ListState.UNSUPPORTED:
        return _ask(work, station, held)
    if not capacity.is_on:
        return _put(work, held, state=ListState.UNSUPPORTED)
    active, others = _entries(work, station)
    step = next_step(held.sent, held.is_known, active, others, capacity)
    if step is None:
        return _put(work, held, state=ListState.IN_STEP, tries=0)
    number = held.number + 1
    told = _tell(work, station, SEND, said(station.protocol, step, number))
    return _put(
        work, held, number=number, command_id=told.command_id, pending=step.after, state=ListState.WAITING
    )  # fmt: skip


def verify_soon(work: UnitOfWork, station_id: StationId, not_before: Instant) -> None:
    """Ask a station which list it has, where one is kept: it may have lost it, or somebody else has written there."""
    if _is_on(work, station_id):
        work.jobs.add(Job(VERIFY_LIST, station_id, not_before=not_before))


def verify_list(work: UnitOfWork, command: SyncList) -> LocalList | None:
    """Ask for the version of a list that is thought to be there; any other list is brought on its way again."""
    station = work.stations.lock(command.station_id)
    if station.state is not StationState.ADOPTED or station.protocol is None or not _is_on(work, station.station_id):
        return None
    held = work.local_lists.find(station.station_id)
    if held is None or held.state is not ListState.IN_STEP or held.command_id is not None:
        if held is not None and held.state is ListState.FAILED:
            held = _put(work, held, state=ListState.WAITING, tries=0)
        work.jobs.add(Job(SYNC_LIST, station.station_id))
        return held
    _tell(work, station, ASK_NUMBER, {})
    return held


def send_changes(work: UnitOfWork, command: SyncList) -> LocalList | None:
    """A person wants what has changed sent now; a list that was left alone is tried again."""
    station = _kept(work, command.station_id)
    held = work.local_lists.find(station.station_id)
    if held is not None and held.state is ListState.FAILED:
        held = _put(work, held, state=ListState.WAITING, tries=0)
    work.jobs.add(Job(SYNC_LIST, station.station_id))
    record_action(work, "station.send_list", "station", station.station_id, after={"whole": False})
    return held


def _kept(work: UnitOfWork, station_id: StationId) -> Station:
    station = work.stations.lock(station_id)
    if not _is_on(work, station.station_id):
        msg = f"the list of station {station.identity} is not kept"
        raise Conflict(msg, code="local_lists.not_kept", remedy="switch it on: tallywatt station local-list")
    return station


def send_list_anew(work: UnitOfWork, command: SyncList) -> LocalList | None:
    """A person wants the whole list sent, whatever the station is thought to have."""
    station = _kept(work, command.station_id)
    held = work.local_lists.find(station.station_id)
    if held is not None and held.command_id is None:
        held = _put(work, held, is_known=False, state=ListState.WAITING, tries=0)
    work.jobs.add(Job(SYNC_LIST, station.station_id))
    record_action(work, "station.send_list", "station", station.station_id, after={"whole": True})
    return held


def hear_number(work: UnitOfWork, asked: StationCommand, answer: LinkAnswer) -> None:
    """A station has named the version of its list: another one than ours is replaced by a whole list."""
    held = work.local_lists.find(asked.station_id)
    station = work.stations.get(asked.station_id)
    number = number_told(station.protocol, answer.told or {})
    if held is None or number is None:
        return
    held = work.local_lists.lock(asked.station_id)
    is_news = held.command_id is None and held.changed_at <= asked.requested_at
    held = work.local_lists.put(replace(held, told_number=number, told_at=work.machine_now))
    if not is_news or number == held.number:
        return
    if number == NO_LIST:
        _put(work, held, is_known=False, state=ListState.UNSUPPORTED)
        return
    _put(work, held, is_known=False, state=ListState.WAITING, tries=0)
    work.jobs.add(Job(SYNC_LIST, asked.station_id))


def _put(work: UnitOfWork, held: LocalList, **changes: Any) -> LocalList:
    after = replace(held, **changes)
    after = replace(after, entries=len(after.sent))
    return held if after == held else work.local_lists.put(replace(after, changed_at=work.machine_now))


def _ask(work: UnitOfWork, station: Station, held: LocalList) -> LocalList:
    """What the list can hold is asked once; a station that does not say it has none."""
    if held.tries:
        return _put(work, held, state=ListState.UNSUPPORTED, tries=0)
    _tell(work, station, *asking(station.protocol))
    work.jobs.add(Job(SYNC_LIST, station.station_id, not_before=Instant(work.machine_now + ASKED_MS)))
    return _put(work, held, tries=1)


def _tell(work: UnitOfWork, station: Station, name: str, content: dict[str, Any]) -> StationCommand:
    payload = {"name": name, "content": content}
    return command_station(work, CommandStation(station.station_id, Action.MESSAGE, payload))


def _entries(work: UnitOfWork, station: Station) -> tuple[list[Entry], dict[str, Entry]]:
    """Cards of customers that may start, the newest first; and by id those that may not."""
    active: list[Entry] = []
    others: dict[str, Entry] = {}
    for token in work.tokens.by():
        if token.customer_id is None or token.type not in CARDS or not fits(station.protocol, token.uid):
            continue
        entry = _entry(token)
        if token.may_start(work.now):
            active.append(entry)
        else:
            others[token.token_id] = entry
    active.sort(key=lambda one: one.token_id, reverse=True)
    return active, others


def _entry(token: Token) -> Entry:
    status = {TokenState.ACTIVE: "Accepted", TokenState.BLOCKED: "Blocked"}.get(token.state, "Expired")
    return Entry(token.token_id, token.uid, status, token.group_uid, token.valid_until)


def hear_list(work: UnitOfWork, asked: StationCommand, answer: LinkAnswer) -> None:
    """A station has answered SendLocalList: what it has now is known, or has to be sent as a whole."""
    held = work.local_lists.find(asked.station_id)
    if held is None or held.command_id != asked.command_id:
        return
    held = work.local_lists.lock(asked.station_id)
    status = str((answer.told or {}).get("status") or answer.detail)
    if answer.outcome == "accepted":
        after = _put(work, held, command_id=None, sent=held.pending, pending={}, is_known=True, tries=0)
    elif status in {"NotSupported", "NotImplemented"}:
        after = _put(work, held, command_id=None, pending={}, state=ListState.UNSUPPORTED)
    else:
        # VersionMismatch, Failed: whatever it has, a whole list replaces it.
        state = ListState.FAILED if held.tries >= MOST_TRIES else ListState.WAITING
        tries = 0 if state is ListState.FAILED else held.tries + 1
        after = _put(work, held, command_id=None, pending={}, is_known=False, tries=tries, state=state)
    if after.state is ListState.WAITING:
        work.jobs.add(Job(SYNC_LIST, asked.station_id))
