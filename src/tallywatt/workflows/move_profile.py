"""A station is moved to a higher security profile: told over its own line, reset, and followed until it has come back.

Each answer brings the next step. Until it has come with the new profile the old one opens the door; from then on it does not.
Whatever ends otherwise comes before a person, with what the station has said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import (
    StationId,  # commands travel over the control socket, and their types are read there
)
from tallywatt.stations.certificates import MUTUAL_TLS, TLS, CertificateState
from tallywatt.stations.command import Action
from tallywatt.stations.messages import NEW, OLD
from tallywatt.stations.profile_change import (
    CONTROLLER,
    INTERFACES,
    LARGEST_SLOT,
    PRIORITY,
    UNDER_WAY,
    ProfileChange,
    ProfileState,
    checked_url,
    first_state,
    free_slot,
    message,
    next_state,
    slots_of,
)
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import settle, to_inbox
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import LinkAnswer, UnitOfWork

NOT_MOVED: Final = "profile_not_moved"
"""Inbox: a station has not come with the profile to which it was moved."""
WATCH_PROFILE: Final = "watch_profile"
"""Job: that station should have come back by now."""
LONGEST_SECONDS: Final = 24 * 3600
"""For so long the first step waits for a station that is away, and a reset for the end of a session."""
STEP_SECONDS: Final = 300
RETURN_MS: Final = 30 * 60_000
SCHEDULED: Final = "Scheduled"
"""It resets when nobody charges any more."""


@dataclass(frozen=True, slots=True)
class MoveProfile:
    """Which station, to which profile; where it is to connect then, and how."""

    station_id: StationId
    profile: int
    url: str | None = None
    slot: int | None = None
    interface: str | None = None


def move_profile(work: UnitOfWork, command: MoveProfile) -> ProfileChange:
    """Begin with it. Pressed twice it is refused while the first is under way; after any other end it may be tried again."""
    station = work.stations.lock(command.station_id)
    known = work.profile_changes.find(station.station_id)
    held = None if known is None else work.profile_changes.lock(station.station_id)
    protocol = _check(work, station, command, held)
    row = ProfileChange(
        station.station_id, command.profile, first_state(protocol), checked_url(protocol, command.url), command.slot,
        command.interface, None, _nothing_yet(held), work.machine_now, work.machine_now, None, work.actor,
        version=1 if held is None else held.version,
    )  # fmt: skip
    sent = _send(work, station, row, LONGEST_SECONDS)
    row = replace(row, command_id=sent.command_id)
    if held is None:
        work.profile_changes.add(row)
    else:
        row = work.profile_changes.put(row)
    _settle(work, station.station_id, "asked for again")
    # The gateways tell from now on with which profile it comes.
    work.events.append(Event("station", station.station_id, "StationKeyChanged"))
    record_action(
        work, "station.move_profile", "station", station.station_id,
        before={"least_profile": station.security_profile}, after={"profile": command.profile},
    )  # fmt: skip
    return row


def _nothing_yet(held: ProfileChange | None) -> Any:
    return "" if held is None else held.command_id


def _check(work: UnitOfWork, station: Station, command: MoveProfile, held: ProfileChange | None) -> str:
    if station.state is not StationState.ADOPTED:
        msg = f"station {station.identity} is {station.state.value}; only adopted stations take commands"
        raise Conflict(msg, code="stations.not_adopted", remedy="adopt it first: tallywatt station adopt")
    if station.protocol is None:
        msg = f"station {station.identity} has not told yet in which version it speaks"
        raise Conflict(msg, code="stations.version_unknown", remedy="wait until it has connected once")
    if command.profile not in {TLS, MUTUAL_TLS}:
        msg = "a station is moved to security profile 2 or 3"
        raise BadInput(msg, code="stations.bad_profile")
    if command.profile <= station.security_profile:
        msg = (
            f"station {station.identity} comes with profile {station.security_profile} at least: it is never moved down"
        )
        raise Conflict(msg, code="profiles.not_higher")
    if held is not None and held.state in UNDER_WAY:
        msg = f"station {station.identity} is being moved to profile {held.wanted}: {held.state.value}"
        raise Conflict(msg, code="profiles.under_way", remedy="wait for its end, or give it up")
    if command.slot is not None and not 1 <= command.slot <= LARGEST_SLOT:
        msg = f"connections of a station have numbers from 1 to {LARGEST_SLOT}"
        raise BadInput(msg, code="profiles.bad_slot", remedy="leave it out: a free one is taken")
    fits = INTERFACES[:-1] if station.protocol in {OLD, NEW} else INTERFACES
    if command.interface is not None and command.interface not in fits:
        msg = f"{command.interface!r} is no interface of this version"
        raise BadInput(msg, code="profiles.bad_interface", remedy=f"use one of: {', '.join(fits)}")
    if command.profile == MUTUAL_TLS and not work.station_certificates.by(
        station_id=station.station_id, state=CertificateState.ISSUED.value
    ):
        msg = f"station {station.identity} has no certificate that could open the door with profile 3"
        raise Conflict(msg, code="profiles.no_certificate", remedy="ask it for one first: see TLS and certificates")
    if station.protocol == OLD and any(
        work.queries.open_sessions_at(one.evse_id) for one in work.evses.by(station_id=station.station_id)
    ):
        msg = f"somebody charges at station {station.identity}, and OCPP 1.6 cannot wait with a reset"
        raise Conflict(msg, code="profiles.somebody_charges", remedy="try again when its sessions are over")
    return station.protocol


def _send(work: UnitOfWork, station: Station, row: ProfileChange, seconds: int = STEP_SECONDS) -> StationCommand:
    name, content = message(station.protocol or OLD, row)
    payload = {"name": name, "content": content}
    asked = CommandStation(station.station_id, Action.MESSAGE, payload, deadline_seconds=seconds)
    return command_station(work, asked)


def hear_profile(work: UnitOfWork, asked: StationCommand, answer: LinkAnswer) -> None:
    """A step was answered, or nothing came; an answer to an earlier step, or a second one, changes nothing."""
    found = work.profile_changes.find(asked.station_id)
    if found is None or found.command_id != asked.command_id or found.state not in UNDER_WAY:
        return
    held = work.profile_changes.lock(asked.station_id)
    if held.state is ProfileState.RETURNING:
        return
    word = str((answer.told or {}).get("status") or answer.detail or "")[:64]
    if answer.outcome == "accepted" or (held.state is ProfileState.ASKING and answer.outcome == "rejected"):
        # A station that does not tell its connections has one: it goes on as if that were the first.
        _go_on(work, held, word)
    elif answer.outcome == "rejected":
        _tell(work, _to(work, held, ProfileState.REFUSED, word or None))
    elif held.state is ProfileState.RESETTING:
        # Some reset before they have said so.
        _go_on(work, held, word)
    else:
        _tell(work, _to(work, held, ProfileState.SILENT, f"no answer to {asked.name}"[:64]))


def _go_on(work: UnitOfWork, held: ProfileChange, word: str) -> None:
    station = work.stations.get(held.station_id)
    protocol = station.protocol or OLD
    after = replace(held, state=next_state(protocol, held.state), changed_at=work.machine_now, reason=None)
    if held.state is ProfileState.ASKING:
        told = work.station_variables.by(station_id=held.station_id, component=CONTROLLER)
        priority = next((one.value for one in told if one.name == PRIORITY and one.attribute == "Actual"), None)
        slot = held.slot or free_slot(priority)
        if slot == slots_of(priority)[0]:
            # What it connects by now is its way back.
            _tell(work, _to(work, held, ProfileState.REFUSED, f"slot {slot} is the one that it connects by"))
            return
        after = replace(after, priority=priority, slot=slot)
    if after.state is ProfileState.RETURNING:
        waits = LONGEST_SECONDS * 1000 if word == SCHEDULED else RETURN_MS
        work.jobs.add(Job(WATCH_PROFILE, held.station_id, not_before=Instant(work.machine_now + waits)))
        work.profile_changes.put(after)
        return
    sent = _send(work, station, after)
    work.profile_changes.put(replace(after, command_id=sent.command_id))


def miss_profile(work: UnitOfWork, asked: StationCommand) -> None:
    """The time of a step has passed."""
    found = work.profile_changes.find(asked.station_id)
    if found is None or found.command_id != asked.command_id or found.state not in UNDER_WAY:
        return
    held = work.profile_changes.lock(asked.station_id)
    if held.state is ProfileState.RETURNING:
        return
    if asked.sent_at is not None and held.state is ProfileState.RESETTING:
        _go_on(work, held, "")
        return
    why = "the station was not connected in time" if asked.sent_at is None else f"no answer to {asked.name}"
    _tell(work, _to(work, held, ProfileState.SILENT, why[:64]))


@dataclass(frozen=True, slots=True)
class WatchProfile:
    """Which station."""

    station_id: StationId


def watch_profile(work: UnitOfWork, command: WatchProfile) -> ProfileChange | None:
    """It should have come back by now. Asked about an earlier move it changes nothing."""
    found = work.profile_changes.find(command.station_id)
    if found is None or found.state is not ProfileState.RETURNING:
        return found
    held = work.profile_changes.lock(command.station_id)
    if work.machine_now < held.changed_at + RETURN_MS:
        return held
    after = _to(work, held, ProfileState.SILENT, "it has not come back with the new profile")
    _tell(work, after)
    return after


@dataclass(frozen=True, slots=True)
class ProfileShown:
    """A station that is being moved has connected, with this profile."""

    station_id: StationId
    profile: int


def profile_shown(work: UnitOfWork, command: ProfileShown) -> ProfileChange | None:
    """With the new one the move is done, however late; told again it changes nothing."""
    station = work.stations.lock(command.station_id)
    found = work.profile_changes.find(command.station_id)
    if found is None or not found.may_come:
        return found
    held = work.profile_changes.lock(command.station_id)
    seen = replace(held, shown=command.profile, shown_at=work.machine_now)
    if command.profile < held.wanted:
        return work.profile_changes.put(seen)
    if station.security_profile < held.wanted:
        work.stations.put(replace(station, security_profile=held.wanted))
    after = work.profile_changes.put(replace(seen, state=ProfileState.DONE, changed_at=work.machine_now, reason=None))
    work.events.append(Event("station", station.station_id, "StationChanged", {"fields": "security_profile"}))
    work.events.append(Event("station", station.station_id, "StationKeyChanged"))
    _settle(work, station.station_id, "the station has come with the new profile")
    record_action(
        work, "station.profile_moved", "station", station.station_id,
        before={"least_profile": station.security_profile}, after={"least_profile": held.wanted},
    )  # fmt: skip
    return after


def profile_after_boot(work: UnitOfWork, station: Station) -> None:
    """It has started anew. With the old profile, after it was told the new one: it has gone back to it."""
    found = work.profile_changes.find(station.station_id)
    if found is None or found.state not in {ProfileState.RESETTING, ProfileState.RETURNING}:
        return
    held = work.profile_changes.lock(station.station_id)
    if held.shown is None or held.shown_at is None or held.shown_at < held.changed_at or held.shown >= held.wanted:
        return
    if held.state is ProfileState.RESETTING and work.station_commands.get(held.command_id).sent_at is None:
        return
    _tell(work, _to(work, held, ProfileState.WENT_BACK, f"it has started anew with profile {held.shown}"))


def give_profile_up(work: UnitOfWork, command: WatchProfile) -> ProfileChange:
    """A person gives it up: nothing more is told, and the least profile stays. What the station was told stays there."""
    station = work.stations.lock(command.station_id)
    found = work.profile_changes.find(station.station_id)
    if found is None or not found.may_come:
        msg = f"station {station.identity} is not being moved to another profile"
        raise Conflict(msg, code="profiles.nothing_open")
    held = work.profile_changes.lock(station.station_id)
    after = _to(work, held, ProfileState.ENDED, "given up")
    work.events.append(Event("station", station.station_id, "StationKeyChanged"))
    _settle(work, station.station_id, "given up")
    record_action(work, "station.keep_profile", "station", station.station_id, before={"state": held.state.value})
    return after


def _to(work: UnitOfWork, held: ProfileChange, state: ProfileState, reason: str | None) -> ProfileChange:
    return work.profile_changes.put(replace(held, state=state, reason=reason, changed_at=work.machine_now))


def _tell(work: UnitOfWork, held: ProfileChange) -> None:
    station = work.stations.get(held.station_id)
    said = {
        ProfileState.WENT_BACK: "has come back with the old one",
        ProfileState.REFUSED: f"has refused it: {held.reason}",
    }.get(held.state, f"was lost on the way: {held.reason}")
    detail: dict[str, Any] = {"state": held.state.value, "reason": held.reason, "wanted": held.wanted}
    to_inbox(
        work, NOT_MOVED, f"station {station.identity}, on its way to security profile {held.wanted}, {said}",
        held.station_id, held.requested_at, held.state.value, station_id=held.station_id, detail=detail,
    )  # fmt: skip


def _settle(work: UnitOfWork, station_id: StationId, why: str) -> None:
    for item in work.inbox.by(station_id=station_id, kind=NOT_MOVED, state="open"):
        settle(work, item, why)
