"""A station's key is replaced over its own line: drawn and sealed here, sent by a worker, shown by the station.

The old key opens the door until the station has connected with the new one. A refusal or a lost answer leaves both, and comes
before a person. Asked for again, the same key goes out again: never are there three.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import (
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.stations.certificates import MUTUAL_TLS
from tallywatt.stations.command import Action
from tallywatt.stations.key_change import KIND, KeyChange, KeyState, bound_to, key_of, replacing
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_with_sealed
from tallywatt.workflows.listen import settle, to_inbox
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import LinkAnswer, UnitOfWork

NOT_REPLACED: Final = "key_not_replaced"
"""Inbox: a station has refused a new key, or has never said whether it has taken it."""
LONGEST_SECONDS: Final = 24 * 3600
"""For so long it waits for a station that is away."""
KEY_LETTERS: Final = 40


@dataclass(frozen=True, slots=True)
class ReplaceKey:
    """Which station."""

    station_id: StationId


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What is told of a replacement: never the key, nor what it is sealed in."""

    station_id: StationId
    state: KeyState
    command_id: str
    requested_at: Instant
    changed_at: Instant
    reason: str | None


def _standing(row: KeyChange) -> KeyStanding:
    return KeyStanding(row.station_id, row.state, row.command_id, row.requested_at, row.changed_at, row.reason)


def replace_key(work: UnitOfWork, command: ReplaceKey) -> KeyStanding:
    """Draw a key and have it sent. Pressed twice it is sent once; one that was not shown yet goes out again, the same."""
    station = work.stations.lock(command.station_id)
    _check(station)
    known = work.key_changes.find(station.station_id)
    held = None if known is None else work.key_changes.lock(station.station_id)
    if held is not None and held.state is KeyState.WAITING:
        return _standing(held)
    name, content = replacing(station.protocol)
    asked = CommandStation(
        station.station_id, Action.MESSAGE, {"name": name, "content": content}, deadline_seconds=LONGEST_SECONDS
    )
    told = command_with_sealed(work, asked, KIND)
    if held is not None and held.is_open:
        after = replace(
            held, state=KeyState.WAITING, command_id=told.command_id, changed_at=work.machine_now, reason=None
        )
    else:
        after = _new(work, station, told, held)
    row = _kept(work, after, is_new=held is None)
    _settle(work, station.station_id, "asked for again")
    work.events.append(Event("station", station.station_id, "StationKeyReplacing"))
    record_action(work, "station.replace_key", "station", station.station_id, after={"command": told.command_id})
    return _standing(row)


def _check(station: Station) -> None:
    if station.state is not StationState.ADOPTED:
        msg = f"station {station.identity} is {station.state.value}; only adopted stations take commands"
        raise Conflict(msg, code="stations.not_adopted", remedy="adopt it first: tallywatt station adopt")
    if station.protocol is None:
        msg = f"station {station.identity} has not told yet in which version it speaks"
        raise Conflict(msg, code="stations.version_unknown", remedy="wait until it has connected once")
    if station.key_hash is None or station.security_profile == MUTUAL_TLS:
        msg = f"station {station.identity} shows no key"
        raise Conflict(msg, code="keys.none_used", remedy="with certificates: ask it for a new one")


def _new(work: UnitOfWork, station: Station, told: StationCommand, held: KeyChange | None) -> KeyChange:
    key = key_of(work.draw.token("station key", KEY_LETTERS))
    about = bound_to(work.operator, station.station_id)
    key_id, sealed = work.vault.seal(KIND, station.station_id, key.encode(), about)
    return KeyChange(
        station.station_id,
        KeyState.WAITING,
        key_id,
        sealed,
        None,
        told.command_id,
        work.machine_now,
        work.machine_now,
        None,
        work.actor,
        1 if held is None else held.version,
    )


def _kept(work: UnitOfWork, row: KeyChange, *, is_new: bool) -> KeyChange:
    if is_new:
        work.key_changes.add(row)
        return row
    return work.key_changes.put(row)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """The digest of a key that is about to go out."""

    station_id: StationId
    key_hash: str


def note_key(work: UnitOfWork, command: NoteKey) -> KeyChange:
    """From here on it opens the door: the station may have it, whatever becomes of this process."""
    held = work.key_changes.lock(command.station_id)
    if not held.is_open or held.key_hash == command.key_hash:
        return held
    work.events.append(Event("station", command.station_id, "StationKeyChanged"))
    return work.key_changes.put(replace(held, key_hash=command.key_hash))


def hear_key(work: UnitOfWork, asked: StationCommand, answer: LinkAnswer) -> None:
    """The station has answered, or nothing came. The answer to an earlier sending is about the same key."""
    found = work.key_changes.find(asked.station_id)
    if found is None or not found.is_open or asked.requested_at < found.requested_at:
        return
    held = work.key_changes.lock(asked.station_id)
    said = (answer.detail or "")[:64] or None
    if answer.outcome == "accepted":
        if held.state is not KeyState.ACCEPTED:
            _to(work, held, KeyState.ACCEPTED, said)
            _settle(work, held.station_id, "the station has taken it")
    elif held.state is not KeyState.ACCEPTED:
        state = KeyState.REFUSED if answer.outcome == "rejected" else KeyState.UNKNOWN
        if held.key_hash is None and state is KeyState.UNKNOWN:
            # It never went out.
            _end(work, held, "the station was not connected in time")
            return
        after = _to(work, held, state, said)
        _tell(work, after)


def miss_key(work: UnitOfWork, asked: StationCommand) -> None:
    """The time of the command has passed."""
    found = work.key_changes.find(asked.station_id)
    if found is None or found.state is not KeyState.WAITING or found.command_id != asked.command_id:
        return
    held = work.key_changes.lock(asked.station_id)
    if held.key_hash is None:
        _end(work, held, "the station was not connected in time")
        return
    _tell(work, _to(work, held, KeyState.UNKNOWN, None))


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A station has connected with the new key."""

    station_id: StationId
    key_hash: str


def key_shown(work: UnitOfWork, command: KeyShown) -> KeyChange | None:
    """From now on it is the station's key, and the old one opens nothing; told again it changes nothing."""
    station = work.stations.lock(command.station_id)
    known = work.key_changes.find(command.station_id)
    if known is None or not known.is_open or known.key_hash != command.key_hash:
        return known
    held = work.key_changes.lock(command.station_id)
    work.stations.put(replace(station, key_hash=command.key_hash))
    after = work.key_changes.put(
        replace(held, state=KeyState.DONE, key_id=None, sealed_key=None, key_hash=None, changed_at=work.machine_now)
    )
    work.events.append(Event("station", station.station_id, "StationKeyChanged"))
    work.events.append(Event("station", station.station_id, "StationKeyReplaced"))
    _settle(work, station.station_id, "the station has connected with it")
    record_action(work, "station.key_replaced", "station", station.station_id)
    return after


def give_key_up(work: UnitOfWork, command: ReplaceKey) -> KeyStanding:
    """A person gives the new key up: from now on only the old one opens the door."""
    station = work.stations.lock(command.station_id)
    ended = end_key_change(work, station.station_id, "given up")
    if ended is None:
        msg = f"no key of station {station.identity} is being replaced"
        raise Conflict(msg, code="keys.nothing_open")
    record_action(work, "station.keep_key", "station", station.station_id)
    return _standing(ended)


def end_key_change(work: UnitOfWork, station_id: StationId, reason: str) -> KeyChange | None:
    """A new key that is still open counts no more; None: there is none."""
    found = work.key_changes.find(station_id)
    if found is None or not found.is_open:
        return None
    return _end(work, work.key_changes.lock(station_id), reason)


def _end(work: UnitOfWork, held: KeyChange, reason: str) -> KeyChange:
    after = replace(
        held,
        state=KeyState.ENDED,
        key_id=None,
        sealed_key=None,
        key_hash=None,
        changed_at=work.machine_now,
        reason=reason,
    )
    work.events.append(Event("station", held.station_id, "StationKeyChanged"))
    _settle(work, held.station_id, reason)
    return work.key_changes.put(after)


def _to(work: UnitOfWork, held: KeyChange, state: KeyState, reason: str | None) -> KeyChange:
    after = work.key_changes.put(replace(held, state=state, reason=reason, changed_at=work.machine_now))
    names = {KeyState.ACCEPTED: "StationKeyTaken", KeyState.REFUSED: "StationKeyRefused"}
    work.events.append(Event("station", held.station_id, names.get(state, "StationKeyUnanswered"), {"reason": reason}))
    return after


def _tell(work: UnitOfWork, held: KeyChange) -> None:
    station = work.stations.get(held.station_id)
    if work.inbox.by(station_id=held.station_id, kind=NOT_REPLACED, state="open"):
        return
    said = (
        f"has refused a new key: {held.reason}"
        if held.state is KeyState.REFUSED
        else "never said whether it took a new key"
    )
    detail: dict[str, Any] = {"state": held.state.value, "reason": held.reason}
    to_inbox(
        work,
        NOT_REPLACED,
        f"station {station.identity} {said}",
        held.station_id,
        held.command_id,
        station_id=held.station_id,
        detail=detail,
    )


def _settle(work: UnitOfWork, station_id: StationId, why: str) -> None:
    for item in work.inbox.by(station_id=station_id, kind=NOT_REPLACED, state="open"):
        settle(work, item, why)
