"""Events of a transaction that do not come: the station says that it holds none, or the time of grace has passed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.metering.measure import Flag
from tallywatt.metering.session import SessionState
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.commissioning import ASKED_BY, SETTING
from tallywatt.stations.key_change import KIND
from tallywatt.stations.local_list import ASK_NUMBER, SEND
from tallywatt.stations.reservation import CANCEL, RESERVE
from tallywatt.workflows.check_station import JUDGE_STATION
from tallywatt.workflows.command_station import SEALED, CommandAnswered, WatchCommand, command_answered, watch_command
from tallywatt.workflows.finish import finish_when_ready
from tallywatt.workflows.hear_report import keep_variables
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.keep_local_list import hear_list, hear_number
from tallywatt.workflows.keep_reservation import hear_reservation
from tallywatt.workflows.keep_tariff import TARIFF_MESSAGES, hear_abilities, hear_tariff
from tallywatt.workflows.listen import with_flags
from tallywatt.workflows.lose_stop import presume_lost
from tallywatt.workflows.move_profile import hear_profile, miss_profile
from tallywatt.workflows.replace_key import hear_key, miss_key

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.session import Session
    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.ports import UnitOfWork


def hear_answer(work: UnitOfWork, command: CommandAnswered) -> StationCommand:
    """Take in a station's answer to a command, and what it says about a transaction."""
    before = work.station_commands.lock(command.command_id)
    after = command_answered(work, command)
    if before.name is not None and before.answered_at is None and command.answer.outcome in {"accepted", "rejected"}:
        told = command.answer.told or {"status": command.answer.detail}
        known = keep_variables(work, before.station_id, before.name, before.payload.get("content", {}), told)
        hear_abilities(work, before.station_id, known)
        if before.name in ASKED_BY | SETTING:
            # A station that knows none of what was asked has answered, too; and so has one that takes no value.
            work.jobs.add(Job(JUDGE_STATION, before.station_id))
    if before.name == SEND and before.answered_at is None and command.answer.outcome in {"accepted", "rejected"}:
        hear_list(work, before, command.answer)
    if before.name == ASK_NUMBER and before.answered_at is None and command.answer.outcome == "accepted":
        hear_number(work, before, command.answer)
    if before.payload.get(SEALED) == KIND:
        hear_key(work, before, command.answer)
    if before.answered_at is None and before.action is Action.MESSAGE:
        hear_profile(work, before, command.answer)
    if before.name in {RESERVE, CANCEL} and before.answered_at is None:
        hear_reservation(work, before, command.answer)
    if (
        before.name in TARIFF_MESSAGES
        and before.answered_at is None
        and command.answer.outcome in {"accepted", "rejected"}
    ):
        hear_tariff(work, before, command.answer)
    asked_for_status = before.is_open and before.action is Action.TRANSACTION_STATUS
    if asked_for_status and before.session_id is not None and command.answer.told is not None:
        take_status(work, before.session_id, command.answer.told)
    return after


def watch_answer(work: UnitOfWork, command: WatchCommand) -> StationCommand:
    """The deadline of a command has passed; what waited for its answer hears of that."""
    after = watch_command(work, command)
    if after.state is CommandState.EXPIRED and after.payload.get(SEALED) == KIND:
        miss_key(work, after)
    if after.state is CommandState.EXPIRED and after.action is Action.MESSAGE:
        miss_profile(work, after)
    return after


def take_status(work: UnitOfWork, session_id: SessionId, told: dict[str, object]) -> None:
    """As long as a station holds messages they are waited for; when it holds none, nothing more will come."""
    if told.get("messagesInQueue") is not False:
        return
    session = work.sessions.lock(session_id)
    if session.state is SessionState.ENDED and session.missing_events is not None:
        _go_on(work, session)
    elif session.is_open and told.get("ongoingIndicator") is False:
        presume_lost(work, session, register_now=None, cause="transaction_status")


@dataclass(frozen=True, slots=True)
class CloseGap:
    """The time of grace for a transaction's missing events has passed."""

    session_id: SessionId


def close_gap(work: UnitOfWork, command: CloseGap) -> Session:
    """Go on without the events that have not come: the last register tells the energy, and a flag that some are missing."""
    session = work.sessions.lock(command.session_id)
    if session.state is not SessionState.ENDED or session.missing_events is None:
        return session
    return _go_on(work, session)


def _go_on(work: UnitOfWork, session: Session) -> Session:
    noted = replace(session, flags=with_flags(session.flags, Flag.SEQUENCE_GAP))
    return finish_when_ready(work, work.sessions.put(noted))
