"""What every fact from a station has in common: its frame is sealed and kept, its time is judged, its answer is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.card_numbers import hide_in_json, might_hold_one
from tallywatt.kernel.identity import FrameId, natural_key
from tallywatt.metering.session import Frame, InboxItem, InboxState, StationFact
from tallywatt.stations.traffic import OF_MACHINES
from tallywatt.workflows.jobs import Job

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import PaymentId, SessionId, StationId
    from tallywatt.metering.facts import Heard, Sample
    from tallywatt.workflows.ports import UnitOfWork

FRAMES = "frame"
"""The class of sealed data to which frames belong: its keys are dropped by month."""


def keep_frame(work: UnitOfWork, heard: Heard) -> FrameId:
    """Seal and store a frame; its id. Every delivery is kept: the audit counts facts, not frames."""
    name = f"{heard.station_id}/{heard.message_id}"
    frame_id = FrameId(work.draw.id(f"frame/{name}"))
    key_id, sealed = work.vault.seal(FRAMES, name, without_card_numbers(heard.payload))
    kept = Frame(
        frame_id,
        heard.station_id,
        heard.received_at,
        heard.protocol,
        heard.action,
        heard.message_id,
        key_id,
        sealed,
        heard.flags,
    )
    work.frames.note((kept,))
    return frame_id


def without_card_numbers(payload: bytes) -> bytes:
    """A frame as it may be kept: card numbers are hidden wherever a station can put a text, and nothing else is changed."""
    if not might_hold_one(payload):
        return payload
    # What is not UTF-8 is kept as it is where nothing has to be hidden.
    text = payload.decode("utf-8", "surrogateescape")
    return hide_in_json(text, OF_MACHINES, numbers=True).encode("utf-8", "surrogateescape")


def usable_time(work: UnitOfWork, at: Instant, heard: Heard) -> tuple[Instant, bool]:
    """The station's time, or the time of receipt when the station's clock is not set; and whether it was usable."""
    if at >= work.operators.get().clock_floor:
        return at, True
    return heard.received_at, False


def usable_samples(work: UnitOfWork, samples: tuple[Sample, ...], heard: Heard) -> tuple[Sample, ...]:
    """The same for each sample of a fact: one may be from before the clock was set, and the next from after."""
    floor = work.operators.get().clock_floor
    return tuple(sample if sample.at >= floor else replace(sample, at=heard.received_at) for sample in samples)


def remember(
    work: UnitOfWork,
    key: str,
    kind: str,
    heard: Heard,
    at: Instant,
    session_id: SessionId | None,
    frame_id: FrameId,
    answer: str = "",
) -> None:
    """Write down that a fact was taken in, so that the same fact gets the same answer."""
    fact = StationFact(key, heard.station_id, kind, session_id, frame_id, answer, at, heard.received_at)
    work.station_facts.note((fact,))


def to_inbox(
    work: UnitOfWork,
    kind: str,
    summary: str,
    *key: object,
    station_id: StationId | None = None,
    session_id: SessionId | None = None,
    payment_id: PaymentId | None = None,
    frame_id: FrameId | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Put something before a person; the same thing again changes nothing."""
    known = natural_key(kind, *key)
    item_id = work.draw.id(f"inbox/{known}")
    is_new = work.inbox.add(
        InboxItem(
            item_id=item_id,
            kind=kind,
            natural_key=known,
            station_id=station_id,
            session_id=session_id,
            payment_id=payment_id,
            frame_id=frame_id,
            summary=summary,
            state=InboxState.OPEN,
            created_at=work.machine_now,
            resolved_at=None,
            resolved_by=None,
            resolution=None,
            detail=detail,
        )
    )
    if is_new and any(one.is_on for one in work.resolution_rules.by(kind=kind)):
        work.jobs.add(Job("work_off", item_id))


def settle_inbox(work: UnitOfWork, kind: str, session_id: SessionId, resolution: str) -> None:
    """Close what waits for a person about a session, because the station itself has answered it."""
    for item in work.inbox.by(session_id=session_id, kind=kind, state=InboxState.OPEN.value):
        settle(work, item, resolution)


def settle(work: UnitOfWork, item: InboxItem, resolution: str) -> None:
    """Close one item, because what it waited for has come by itself."""
    work.inbox.put(
        replace(
            item,
            state=InboxState.RESOLVED,
            resolved_at=work.machine_now,
            resolved_by=work.actor,
            resolution=resolution,
        )
    )


def with_flags(flags: tuple[str, ...], *more: str) -> tuple[str, ...]:
    """Flags with others added, each once, in order of appearance."""
    return tuple(dict.fromkeys((*flags, *(str(one) for one in more))))
