"""Commands to stations: asked, sent, answered, followed to their end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CommandId, EvseId, PaymentId, SessionId, StationId
from tallywatt.metering.limits import read_limits
from tallywatt.stations.command import Action, CommandState, StationCommand
from tallywatt.stations.configuration import without_secrets
from tallywatt.stations.messages import comes_to_more
from tallywatt.stations.station import StationState
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.name_token import safe_uid
from tallywatt.workflows.prepare_message import message_named, prepare_message
from tallywatt.workflows.void_hold import VoidHold, void_hold

if TYPE_CHECKING:
    from tallywatt.workflows.ports import LinkAnswer, UnitOfWork

ANSWER_SECONDS = 60
"""Within this a station must have taken a command; a stop must have ended its transaction."""
LONGEST_SECONDS = 7 * 24 * 3600
SEALED: Final = "sealed"
"""In the payload of a message: what is kept elsewhere, and filled in by whoever sends it."""
SMALLEST_REMOTE_START_ID = 1
LARGEST_REMOTE_START_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CommandStation:
    """Ask a station to do something."""

    station_id: StationId
    action: Action
    payload: dict[str, Any] = field(default_factory=dict)
    evse_id: EvseId | None = None
    session_id: SessionId | None = None
    payment_id: PaymentId | None = None
    deadline_seconds: int | None = None
    """None: as long as what is asked for usually takes."""
    part: int = 0
    """Which of the commands of one transaction it is."""


def command_station(work: UnitOfWork, command: CommandStation) -> StationCommand:
    """Write down a command and the job that sends it."""
    return _written(work, command, None)


def command_with_sealed(work: UnitOfWork, command: CommandStation, sealed: str) -> StationCommand:
    """A message in which something is put in its place when it goes out, and only then. `sealed` says what."""
    return _written(work, command, sealed)


def _written(work: UnitOfWork, command: CommandStation, sealed: str | None) -> StationCommand:
    station = work.stations.get(command.station_id)
    if station.state is not StationState.ADOPTED:
        msg = f"station {station.identity} is {station.state.value}; only adopted stations take commands"
        raise Conflict(msg, code="stations.not_adopted", remedy="adopt it first: tallywatt station adopt")
    payload = dict(command.payload)
    # Whatever is asked for: a session that is named is one of ours.
    session = work.sessions.get(command.session_id) if command.session_id is not None else None
    if session is not None and command.action is Action.STOP:
        if not session.is_open or session.station_id != command.station_id:
            msg = f"session {command.session_id} is not running at this station"
            raise Conflict(msg, code="sessions.not_running")
        payload["transaction_id"] = session.transaction_id
    if command.action is Action.START and not payload.get("tag"):
        msg = "a remote start needs a tag"
        raise BadInput(msg, code="stations.no_tag")
    if payload.get("limit") is not None:
        payload["limit"] = read_limits(payload["limit"]).data()
    if "tag" in payload:
        payload["tag"] = safe_uid(work, str(payload["tag"]))
    evse = work.evses.get(command.evse_id) if command.evse_id else None
    if evse is not None:
        payload["evse_number"] = evse.number
    message, number = None, None
    if sealed is not None:
        message, payload = message_named(str(payload["name"]), station.protocol), {**payload, SEALED: sealed}
    elif command.action is Action.MESSAGE:
        message, payload, number = prepare_message(work, station, payload)
    seconds = command.deadline_seconds or (message.seconds if message is not None else ANSWER_SECONDS)
    row = StationCommand(
        command_id=CommandId(work.draw.id(f"command/{command.part}" if command.part else "command")),
        station_id=command.station_id,
        action=command.action,
        payload=payload,
        state=CommandState.REQUESTED,
        evse_id=command.evse_id,
        session_id=command.session_id,
        payment_id=command.payment_id,
        remote_start_id=_remote_start_id(work) if command.action is Action.START else None,
        requested_at=work.machine_now,
        deadline_at=Instant(work.machine_now + min(seconds, LONGEST_SECONDS) * 1000),
        ended_at=None,
        reason=None,
        requested_by=work.actor,
        name=None if message is None else message.name,
        request_number=number,
    )
    work.station_commands.add(row)
    work.jobs.add(Job("send_command", row.command_id))
    work.jobs.add(Job("watch_command", row.command_id, not_before=row.deadline_at))
    work.events.append(
        Event("command", row.command_id, "CommandRequested", {"action": row.action.value, "station_id": row.station_id})
    )
    return row


def _remote_start_id(work: UnitOfWork) -> int:
    number = int(work.draw.id("remote start").replace("-", "")[-8:], 16)
    return max(SMALLEST_REMOTE_START_ID, number & LARGEST_REMOTE_START_ID)


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """A station has answered, or it has not."""

    command_id: CommandId
    answer: LinkAnswer


def command_answered(work: UnitOfWork, command: CommandAnswered) -> StationCommand:
    """Take in the answer. Accepted is not started: a start or stop goes on until its transaction says so."""
    held = _with_answer(work, work.station_commands.lock(command.command_id), command.answer)
    if not held.is_open:
        return held
    if command.answer.outcome == "accepted":
        if _goes_on(held, command.answer.detail):
            return _to(work, held, CommandState.ACCEPTED, command.answer.detail)
        return _to(work, held, CommandState.COMPLETED, command.answer.detail)
    if command.answer.outcome == "no_answer":
        # It may have been taken all the same, and its transaction may begin: the deadline decides.
        return _to(work, held, CommandState.SENT, command.answer.detail)
    return _to(work, held, CommandState.REJECTED, command.answer.detail or command.answer.outcome)


def _with_answer(work: UnitOfWork, held: StationCommand, answer: LinkAnswer) -> StationCommand:
    """The command with the station's first answer, also when it came too late to change anything."""
    if answer.outcome not in {"accepted", "rejected"} or held.answered_at is not None:
        return held
    said = answer.told if answer.told is not None else {"status": answer.detail} if answer.detail else {}
    told: dict[str, Any] = without_secrets(said)
    after = replace(held, answered_at=work.machine_now, answer=told)
    # An open one is written by the step that follows from the answer.
    return after if held.is_open else work.station_commands.put(after)


def _goes_on(held: StationCommand, status: str | None) -> bool:
    """Whether yes is not the end of it."""
    if held.action in {Action.START, Action.STOP}:
        return True
    return held.name is not None and comes_to_more(held.name, status)


@dataclass(frozen=True, slots=True)
class NoteSent:
    """A command is about to go out, or did not go out after all."""

    command_id: CommandId
    is_sent: bool


def note_sent(work: UnitOfWork, command: NoteSent) -> StationCommand:
    """From here on the station may have it, whatever becomes of this process."""
    held = work.station_commands.lock(command.command_id)
    if command.is_sent and held.state is CommandState.REQUESTED:
        return work.station_commands.put(replace(held, state=CommandState.SENT, sent_at=work.machine_now))
    if not command.is_sent and held.state is CommandState.SENT and held.answered_at is None:
        return work.station_commands.put(replace(held, state=CommandState.REQUESTED, sent_at=None))
    return held


@dataclass(frozen=True, slots=True)
class WatchCommand:
    """The deadline of a command has passed."""

    command_id: CommandId


def watch_command(work: UnitOfWork, command: WatchCommand) -> StationCommand:
    """End a command that has come to nothing."""
    held = work.station_commands.lock(command.command_id)
    if not held.is_open or work.machine_now < held.deadline_at:
        return held
    if held.action is Action.STOP and held.session_id is not None:
        session = work.sessions.get(held.session_id)
        if session.transaction_ended_at is not None:
            return _to(work, held, CommandState.COMPLETED, None)
    return _to(work, held, CommandState.EXPIRED, "nothing came of it in time")


def end_command(work: UnitOfWork, held: StationCommand, state: CommandState, reason: str | None) -> StationCommand:
    """Bring a command to its end, because of what followed its answer."""
    return _to(work, held, state, reason)


def _to(work: UnitOfWork, held: StationCommand, state: CommandState, reason: str | None) -> StationCommand:
    ended = state not in {CommandState.SENT, CommandState.ACCEPTED}
    after = work.station_commands.put(
        replace(held, state=state, reason=reason, ended_at=work.machine_now if ended else None)
    )
    data = {
        "action": held.action.value,
        "reason": reason,
        "payment_id": held.payment_id,
        "station_id": held.station_id,
    }
    work.events.append(Event("command", held.command_id, f"Command{state.value.capitalize()}", data))
    if held.payment_id is not None and state in {CommandState.REJECTED, CommandState.EXPIRED}:
        # Paid and nothing came of it: the hold goes back at once, unless the driver has taken it to another EVSE.
        _let_go(work, held, state)
    return after


def _let_go(work: UnitOfWork, held: StationCommand, state: CommandState) -> None:
    assert held.payment_id is not None, "only called for a start that was paid for"
    if work.payments.get(held.payment_id).evse_id in {None, held.evse_id}:
        void_hold(work, VoidHold(held.payment_id, f"start_{state.value}"))
