"""What a station says on the side is kept; an alarm comes before a person, and goes when the station says that it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.events import Event
from tallywatt.stations.notices import ALARM, StationNotice
from tallywatt.workflows.listen import keep_frame, settle, to_inbox, usable_time

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Heard, Noticed
    from tallywatt.metering.session import InboxItem
    from tallywatt.stations.notices import Notice
    from tallywatt.workflows.ports import UnitOfWork

STATION_ALARM: Final = "station_alarm"
LONGEST_SUMMARY: Final = 300


def hear_notice(work: UnitOfWork, fact: Noticed) -> None:
    """Keep each notice of a message once, whatever it says; an alarm that is known already is not told again."""
    heard = fact.heard
    frame_id = keep_frame(work, heard)
    for one in fact.notices:
        row = _row(work, heard, one, frame_id)
        if work.station_notices.add(row) and one.kind == ALARM:
            _alarm(work, row, one)


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
