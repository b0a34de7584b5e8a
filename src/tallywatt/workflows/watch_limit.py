"""A session comes near to a limit: its station is asked for its values, given less power, and stopped before it is passed.

One look, for whoever watches: a hold that stands behind a session, or a limit that somebody has chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from tallywatt.metering.session import SessionState
from tallywatt.rating.outlook import Limit, reaches
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.messages import OLD
from tallywatt.stations.nearness import LISTENING_MS, SOON_MS, Pace, Step, cap_for, look_again_ms, pace_of, step_at
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.keep_limit import is_confirmed, limits_of
from tallywatt.workflows.listen import to_inbox
from tallywatt.workflows.live_price import live_price

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import SessionId
    from tallywatt.metering.limits import Limits
    from tallywatt.metering.session import MeterReading, Session
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import UnitOfWork

SOON_SECONDS: Final = SOON_MS // 1000
LATEST_SECONDS: Final = 5 * 60
BLIND_SECONDS: Final = 60
"""How soon is looked again at an EVSE of which nobody has said how much power it has."""
MOST_STOPS: Final = 3
MOST_CAPS: Final = 3
CAP: Final = "SetChargingProfile"
ASK: Final = "TriggerMessage"
PROFILE_NUMBER: Final = 8301
"""Of our profile in a transaction; it ends with it."""
STACK_LEVEL: Final = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a session at one look."""

    session: Session
    left_ms: int | None
    """Until the limit can be reached; None: not in sight."""
    pace: Pace
    watts: int | None
    """What flows now."""
    is_blind: bool
    """Nobody has said how much power there is."""


@dataclass(frozen=True, slots=True)
class WatchLimit:
    """The session whose chosen limit is watched."""

    session_id: SessionId


def watch_limit(work: UnitOfWork, command: WatchLimit) -> int | None:
    """In how many seconds to look again; None: there is nothing to watch any more."""
    session = work.sessions.lock(command.session_id)
    limits = limits_of(work, session)
    if session.state is not SessionState.ACTIVE or limits.is_none:
        return None
    look = look_at(work, session, limits)
    if look.left_ms is None:
        return LATEST_SECONDS
    step = step_at(
        look.left_ms, look.pace, may_cap=may_cap(work, look), station_stops=is_confirmed(work, session, limits)
    )
    if step is not Step.STOP:
        return come_nearer(work, look, step)
    again = stop_session(work, session)
    if again is None:
        summary = "the station does not stop: what it delivers beyond the limit that was chosen stays owed"
        to_inbox(
            work, "limit_passed", summary, session.session_id, station_id=session.station_id,
            session_id=session.session_id,
        )  # fmt: skip
    return again


def look_at(work: UnitOfWork, session: Session, limits: Limits) -> Look:
    """When the first of its limits can be reached, by what is known of it, of its EVSE and of its station's pace."""
    readings = work.meter_readings.by(session_id=session.session_id)
    commands = work.station_commands.by(session_id=session.session_id)
    pace = _pace(session, readings, commands)
    live = live_price(work, session, readings)
    most = _most_watts(work, session, commands)
    if live is None:
        return Look(session, None, pace, None, most is None)
    milliseconds = None if limits.seconds is None else limits.seconds * 1000
    limit = Limit(limits.gross_minor, limits.milliwatt_hours, milliseconds)
    # Whatever is dearer: all the power that there is, or what goes on now, which may be to stand there.
    found = [reaches(live, limit, watts=watts) for watts in {live.watts, live.watts if most is None else most}]
    soonest = min((one.at for one in found if one is not None), default=None)
    left = None if soonest is None else soonest - live.heard_until - _silent_for(work, session, readings)
    return Look(session, left, pace, live.watts, most is None)


def _silent_for(work: UnitOfWork, session: Session, readings: list[MeterReading]) -> int:
    """How long ago, by our own clock, its station told the last of it."""
    last = max((one.received_at for one in readings), default=session.received_at)
    return max(0, work.machine_now - last)


def _pace(session: Session, readings: list[MeterReading], commands: list[StationCommand]) -> Pace:
    moments: list[Instant] = [session.received_at, *sorted({one.received_at for one in readings})]
    pauses = [after - before for before, after in pairwise(moments)]
    answers = [
        one.answered_at - one.sent_at for one in commands if one.answered_at is not None and one.sent_at is not None
    ]
    return pace_of(pauses, answers)


def _most_watts(work: UnitOfWork, session: Session, commands: list[StationCommand]) -> int | None:
    """The most that can flow: what the EVSE has, or what we have let it have."""
    evse = work.evses.find(session.evse_id) if session.evse_id is not None else None
    known = [] if evse is None or evse.max_watts is None else [evse.max_watts]
    caps = [_watts_of(one) for one in commands if one.name == CAP and one.state is CommandState.COMPLETED]
    return min([*known, *caps], default=None)


def _watts_of(command: StationCommand) -> int:
    content: dict[str, Any] = command.payload["content"]
    profile = content.get("csChargingProfiles") or content["chargingProfile"]
    schedules = profile["chargingSchedule"]
    schedule = schedules[0] if isinstance(schedules, list) else schedules
    return int(schedule["chargingSchedulePeriod"][0]["limit"])


def may_cap(work: UnitOfWork, look: Look) -> bool:
    """Whether less power would help: there is enough of it, and the station has not refused, nor been asked too often."""
    asked = [one for one in work.station_commands.by(session_id=look.session.session_id) if one.name == CAP]
    if any(one.state in {CommandState.REJECTED, CommandState.EXPIRED} for one in asked) or len(asked) >= MOST_CAPS:
        return False
    return look.watts is not None and cap_for(look.watts) is not None


def come_nearer(work: UnitOfWork, look: Look, step: Step) -> int:
    """Do what a look asks for, short of a stop; in how many seconds to look again."""
    assert look.left_ms is not None, "nothing comes near to what is not in sight"
    station = _station(work, look.session)
    if station is not None and step is Step.CAP:
        _cap(work, station, look)
    elif station is not None and step is Step.ASK:
        _ask(work, station, look.session)
    longest = (BLIND_SECONDS if look.is_blind else LATEST_SECONDS) * 1000
    return look_again_ms(look.left_ms, look.pace, step, longest) // 1000


def _station(work: UnitOfWork, session: Session) -> Station | None:
    station = None if session.station_id is None else work.stations.get(session.station_id)
    return station if station is not None and station.state is StationState.ADOPTED else None


def _asked(work: UnitOfWork, session: Session, name: str) -> list[StationCommand]:
    return [one for one in work.station_commands.by(session_id=session.session_id) if one.name == name]


def _ask(work: UnitOfWork, station: Station, session: Session) -> None:
    """Let the station tell its values now, unless it was asked a moment ago."""
    since = work.machine_now - LISTENING_MS
    if any(one.is_open or one.requested_at > since for one in _asked(work, session, ASK)):
        return
    number = _number(work, session)
    if station.protocol == OLD:
        content: dict[str, Any] = {"requestedMessage": "MeterValues", "connectorId": number}
    else:
        content = {"requestedMessage": "TransactionEvent", "evse": {"id": number}}
    _send(work, station, session, ASK, content)


def _cap(work: UnitOfWork, station: Station, look: Look) -> None:
    """Let half as much power flow, for this transaction alone."""
    watts, session = cap_for(look.watts or 0), look.session
    if watts is None or any(one.is_open for one in _asked(work, session, CAP)):
        return
    # OCPP 2.x calls a transaction by a text, 1.6 by a number.
    old = station.protocol == OLD
    schedule: dict[str, Any] = {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": watts}],
    }
    profile: dict[str, Any] = {
        "chargingProfileId" if old else "id": PROFILE_NUMBER,
        "stackLevel": STACK_LEVEL,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": int(session.transaction_id or 0) if old else session.transaction_id,
        "chargingSchedule": schedule if old else [{"id": PROFILE_NUMBER, **schedule}],
    }
    number = _number(work, session)
    content = (
        {"connectorId": number, "csChargingProfiles": profile}
        if old
        else {"evseId": number, "chargingProfile": profile}
    )
    _send(work, station, session, CAP, content)


def _number(work: UnitOfWork, session: Session) -> int:
    evse = work.evses.find(session.evse_id) if session.evse_id is not None else None
    return 1 if evse is None else evse.number


def _send(work: UnitOfWork, station: Station, session: Session, name: str, content: dict[str, Any]) -> None:
    payload = {"name": name, "content": content}
    asked = CommandStation(station.station_id, Action.MESSAGE, payload, session_id=session.session_id)
    command_station(work, asked)


def stop_session(work: UnitOfWork, session: Session) -> int | None:
    """Stop it; in how many seconds to look again, None: its station does not stop, and a person is to be told."""
    stops = [one for one in work.station_commands.by(session_id=session.session_id) if one.action is Action.STOP]
    if any(one.is_open for one in stops):
        return SOON_SECONDS
    station = _station(work, session)
    if station is None or len(stops) >= MOST_STOPS:
        return None
    command_station(work, CommandStation(station.station_id, Action.STOP, session_id=session.session_id))
    return SOON_SECONDS
