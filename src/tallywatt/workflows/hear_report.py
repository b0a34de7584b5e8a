"""What stations tell beyond their sessions: answers and reports about their configuration, steps of a command, security."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import natural_key
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.configuration import variables_of, without_secrets
from tallywatt.stations.messages import ABOUT_A_PERSON, INVENTORY, MESSAGES, progress_of
from tallywatt.stations.reports import SecurityEvent, StationReport
from tallywatt.workflows.check_station import JUDGE_STATION
from tallywatt.workflows.command_station import end_command
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import keep_frame, usable_time

if TYPE_CHECKING:
    from tallywatt.kernel.identity import StationId
    from tallywatt.metering.facts import Reported, SecurityTold
    from tallywatt.stations.command import StationCommand
    from tallywatt.stations.reports import Variable
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_DETAIL = 500
LOOK_BACK_MILLISECONDS = 25 * 3600 * 1000
"""A little longer than the longest command takes."""


def hear_report(work: UnitOfWork, fact: Reported) -> None:
    """Keep a part of what follows a command, and end the command when everything has been told.

    Parts come twice, out of order, before the answer, or after the deadline. What nobody asked for is a frame and no more.
    """
    frame_id = keep_frame(work, fact.heard)
    station_id = fact.heard.station_id
    command = _command_of(work, fact)
    if fact.message == INVENTORY:
        keep_variables(work, station_id, fact.message, {}, fact.content)
    if command is None:
        return
    held = work.station_commands.lock(command.command_id)
    content = None if fact.message in ABOUT_A_PERSON else without_secrets(fact.content)
    key = natural_key(fact.message, fact.number, fact.is_last, fact.status, _digestible(fact.content))
    part = StationReport(
        held.command_id, key, fact.message, fact.number, fact.is_last, fact.status, content, fact.heard.received_at,
        frame_id,
    )  # fmt: skip
    if not work.station_reports.add(part):
        return
    work.events.append(
        Event("command", held.command_id, "CommandReported", {"message": fact.message, "status": fact.status})
    )
    if not held.is_open:
        return
    if fact.status is not None:
        _step(work, held, fact.message, fact.status)
    elif is_whole(work.station_reports.by(command_id=held.command_id)):
        end_command(work, held, CommandState.COMPLETED, None)


def _command_of(work: UnitOfWork, fact: Reported) -> StationCommand | None:
    """Which command it follows: the one with its number, or the newest open one that such a message can follow."""
    station_id = fact.heard.station_id
    if fact.request_number is not None:
        found = work.station_commands.by(station_id=station_id, request_number=fact.request_number)
        return next((one for one in found if _follows(one, fact.message)), None)
    since = Instant(work.machine_now - LOOK_BACK_MILLISECONDS)
    waiting = [one for one in work.queries.open_commands(station_id, since) if _follows(one, fact.message)]
    return waiting[-1] if waiting else None


def _follows(command: StationCommand, message: str) -> bool:
    if command.action is not Action.MESSAGE or command.name is None:
        return False
    asked = MESSAGES.get(command.name)
    return asked is not None and (asked.report == message or progress_of(asked.name, message) is not None)


def _step(work: UnitOfWork, held: StationCommand, message: str, status: str) -> None:
    step = progress_of(held.name or "", message)
    if step is None:
        return
    if status in step.good:
        end_command(work, held, CommandState.COMPLETED, status)
    elif status in step.bad:
        end_command(work, held, CommandState.REJECTED, status)
    else:
        # It goes on; the newest word is shown.
        work.station_commands.put(replace(held, state=CommandState.ACCEPTED, reason=status))


def is_whole(parts: list[StationReport]) -> bool:
    """Whether the last part is there and none is missing before it. Some stations number every part 0."""
    last = max((one.number for one in parts if one.is_last), default=None)
    return last is not None and {one.number for one in parts} >= set(range(last + 1))


def keep_variables(
    work: UnitOfWork, station_id: StationId, message: str, asked: dict[str, Any], told: dict[str, Any]
) -> list[Variable]:
    """Keep what is told about a station's configuration; the rows as they are now."""
    found = variables_of(station_id, message, asked, told, work.machine_now)
    known = {_place(one): one for one in work.station_variables.by(station_id=station_id)} if found else {}
    kept: list[Variable] = []
    for one in found:
        before = known.get(_place(one))
        if before is None:
            work.station_variables.add(one)
            kept.append(one)
        else:
            writable = before.is_writable if one.is_writable is None else one.is_writable
            kept.append(work.station_variables.put(replace(one, is_writable=writable, version=before.version)))
    if kept:
        work.events.append(Event("station", station_id, "StationConfigurationTold", {"variables": len(kept)}))
        work.jobs.add(Job(JUDGE_STATION, station_id))
    return kept


def _place(one: Variable) -> tuple[object, ...]:
    return (one.component, one.component_instance, one.evse, one.connector, one.name, one.instance, one.attribute)


def _digestible(content: dict[str, Any]) -> str:
    """The content as one text, the same whatever the order of its fields; times of sending do not make it another part."""
    told = {name: value for name, value in content.items() if name not in {"generatedAt", "timestamp"}}
    return repr(_sorted(told))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((name, _sorted(one)) for name, one in value.items())
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def hear_security_event(work: UnitOfWork, fact: SecurityTold) -> None:
    """Keep what a station tells about its safety; the same event again changes nothing."""
    frame_id = keep_frame(work, fact.heard)
    at, _ = usable_time(work, fact.at, fact.heard)
    station_id = fact.heard.station_id
    detail = None if fact.detail is None else fact.detail[:LONGEST_DETAIL]
    key = natural_key(fact.kind, fact.at, fact.detail)
    event = SecurityEvent(station_id, key, fact.kind, at, fact.heard.received_at, detail, frame_id)
    if work.security_events.add(event):
        work.events.append(Event("station", station_id, "SecurityEventTold", {"kind": fact.kind}))
