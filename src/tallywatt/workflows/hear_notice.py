"""What a station says on the side is kept; an alarm comes before a person, and goes when the station says that it is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.events import Event
from tallywatt.stations.command import Action
from tallywatt.stations.notices import ALARM, ASK_MONITORS, StationNotice, severities_of
from tallywatt.stations.station import StationState
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.listen import keep_frame, settle, to_inbox, usable_time

if TYPE_CHECKING:
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Heard, Noticed
    from tallywatt.metering.session import InboxItem
    from tallywatt.stations.notices import Notice
    from tallywatt.workflows.ports import UnitOfWork

STATION_ALARM: Final = "station_alarm"
LONGEST_SUMMARY: Final = 300
MOST_ASKED: Final = 3
LOOK_BACK_MS: Final = 7 * 24 * 3_600_000
"""So long a station's word about its monitors holds; it is asked again with the first alarm after that."""


def hear_notice(work: UnitOfWork, fact: Noticed) -> None:
    """Keep each notice of a message once, whatever it says; an alarm that is known already is not told again."""
    heard = fact.heard
    frame_id = keep_frame(work, heard)
    severities: dict[int, int] | None = None
    for told in fact.notices:
        one = told
        if told.kind == ALARM and told.severity is None and told.monitor is not None:
            # Asked once for all of them: a message may hold hundreds of alarms.
            severities = _severities(work, heard) if severities is None else severities
            one = replace(told, severity=severities.get(told.monitor))
        row = _row(work, heard, one, frame_id)
        if work.station_notices.add(row) and one.kind == ALARM:
            _alarm(work, row, one)


def _severities(work: UnitOfWork, heard: Heard) -> dict[int, int]:
    """An alarm of 2.0.1 names its monitor alone: how bad that is the station has told with its monitors, if it was asked."""
    since = Instant(work.machine_now - LOOK_BACK_MS)
    asked = work.queries.monitor_commands(heard.station_id, since, MOST_ASKED)
    known: dict[int, int] = {}
    for command in asked:
        parts = [part.content for part in work.station_reports.by(command_id=command.command_id)]
        for told in (*parts, command.answer):
            for monitor, severity in severities_of(told or {}).items():
                # What was told last comes first, and stays.
                known.setdefault(monitor, severity)
    if not asked and work.stations.get(heard.station_id).state is StationState.ADOPTED:
        command_station(work, CommandStation(heard.station_id, Action.MESSAGE, {"name": ASK_MONITORS, "content": {}}))
    return known


def _row(work: UnitOfWork, heard: Heard, one: Notice, frame_id: FrameId) -> StationNotice:
    return StationNotice(
        heard.station_id, one.key(heard.received_at), one.message, one.subject, one.kind, one.severity, one.is_cleared,
        one.evse, one.value, one.detail, _when(work, heard, one.at), heard.received_at, frame_id,
    )  # fmt: skip


def _when(work: UnitOfWork, heard: Heard, told: str | None) -> Instant:
    try:
        return heard.received_at if told is None else usable_time(work, parse_instant(told), heard)[0]
    except BadInput:
        return heard.received_at


def _alarm(work: UnitOfWork, row: StationNotice, one: Notice) -> None:
    waiting = [
        item
        for item in work.inbox.by(station_id=row.station_id, kind=STATION_ALARM, state="open")
        if _is_about(item, row)
    ]
    if one.is_cleared:
        for item in waiting:
            settle(work, item, "the station says that it is over")
    elif one.is_alarm and not waiting:
        station = work.stations.get(row.station_id)
        said = ", ".join(each for each in (row.value, row.detail) if each)
        to_inbox(
            work,
            STATION_ALARM,
            f"station {station.identity}: {row.subject}: {said}"[:LONGEST_SUMMARY],
            row.station_id,
            row.notice_key,
            station_id=row.station_id,
            frame_id=row.frame_id,
            detail={"subject": row.subject, "evse": row.evse, "severity": row.severity},
        )
        about = {"subject": row.subject[:200], "severity": row.severity}
        work.events.append(Event("station", row.station_id, "StationAlarmed", about))


def _is_about(item: InboxItem, row: StationNotice) -> bool:
    detail = item.detail or {}
    return detail.get("subject") == row.subject and detail.get("evse") == row.evse
