"""Pure: from frames to energy, session by session, and what does not agree with the stored sessions and readings."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tallywatt.evidence.decode import Kind
from tallywatt.evidence.findings import Finding
from tallywatt.evidence.meters import energy, last
from tallywatt.kernel.energy import wh
from tallywatt.metering.session import SessionState, Source

if TYPE_CHECKING:
    from tallywatt.evidence.decode import Point, Told
    from tallywatt.evidence.held import Held
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.session import MeterReading, Session


class Metered(NamedTuple):
    """Milliwatt-hours of each session as the audit works them out, and what it found on the way."""

    energies: dict[str, int]
    findings: list[Finding]


def meter(held: Held) -> Metered:
    """Work out every session from the frames; those from elsewhere from what was told in one piece."""
    desk = _Desk(held)
    for session in held.sessions:
        desk.take(session)
    desk.look_for_sessions_that_are_gone()
    return Metered(desk.energies, desk.findings)


class _Desk:
    """The frames sorted by what they belong to, and the pile of findings."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.energies: dict[str, int] = {}
        self.findings: list[Finding] = []
        self._by_id = {told.frame_id: told for told in held.told}
        self._of_transaction: dict[tuple[str, str], list[Told]] = defaultdict(list)
        self._starts_at: dict[tuple[str, int | None], list[Told]] = defaultdict(list)
        for told in held.told:
            if told.transaction is not None:
                self._of_transaction[told.station_id, told.transaction].append(told)
            if told.kind is Kind.START:
                self._starts_at[told.station_id, told.evse].append(told)
        self._readings: dict[str, list[MeterReading]] = defaultdict(list)
        for reading in held.readings:
            self._readings[reading.session_id].append(reading)
        self._numbers = {evse.evse_id: evse.number for evse in held.evses}
        self._unstarted_at: dict[tuple[str, int | None], list[Told]] = defaultdict(list)
        for session in held.sessions:
            self._note_unstarted(session)

    def take(self, session: Session) -> None:
        """Work out one session."""
        if session.source is not Source.OCPP:
            # Somebody else has measured: what is stored of it is all the evidence that there is.
            self.energies[session.session_id] = max((session.meter_stop or 0) - (session.meter_start or 0), 0)
            return
        if self._is_erased(session):
            self.energies[session.session_id] = session.milliwatt_hours
            return
        told = self._frames_of(session)
        start = self._start_of(session, told)
        stop = self._stop_of(session, told)
        points = self._points_of(session, told, stop)
        self._compare_registers(session, start, stop)
        self._compare_readings(session, points)
        if stop is not None and stop.register is not None and stop.register >= 0:
            # What was sampled after the end is no energy of this transaction.
            points = [one for one in points if one.at <= self._ended(session, stop)]
        register = start.register if start is not None else None
        end = stop.register if stop is not None else self._seen_since(session, start, points)
        self.energies[session.session_id] = energy(register, points, end)

    def _note_unstarted(self, session: Session) -> None:
        """Remember the first frame of a transaction that is known by its values alone."""
        begun = self._by_id.get(session.start_frame_id or "")
        if session.station_id is None or session.evse_id is None or (begun is not None and begun.kind is Kind.START):
            return
        told = self._of_transaction[session.station_id, session.transaction_id or ""]
        if told and all(one.kind is not Kind.START for one in told):
            self._unstarted_at[session.station_id, self._numbers.get(session.evse_id)].append(told[0])

    def look_for_sessions_that_are_gone(self) -> None:
        """A start without a session, or energy of a transaction that nobody knows and that no inbox item names."""
        contents = {
            self._by_id[session.start_frame_id].content
            for session in self._held.sessions
            if session.start_frame_id in self._by_id
        }
        known = {(session.station_id, session.transaction_id) for session in self._held.sessions}
        noted: set[str | None] = {item.frame_id for item in self._held.inbox}
        lost: dict[tuple[object, ...], Told] = {}
        for told in self._held.told:
            if told.frame_id in noted or (told.station_id, told.transaction) in known or told.content in contents:
                continue
            if told.kind is Kind.START or (told.transaction is not None and not self._is_noted(told, noted)):
                lost.setdefault((told.station_id, told.transaction or told.content), told)
        for told in lost.values():
            named = f"transaction {told.transaction}" if told.transaction else f"the start in frame {told.frame_id}"
            self._find("session.missing", told.frame_id, f"{named} has no session")
        there = {session.session_id for session in self._held.sessions}
        for session_id in sorted(self._held.begun - there):
            self._find("session.missing", session_id, "it has begun by the log of events, and is not there")
        for frame_id in self._held.unread:
            if frame_id not in noted:
                self._find("frame.unreadable", frame_id, "it cannot be read, and the inbox does not name it")

    def _is_noted(self, told: Told, noted: set[str | None]) -> bool:
        """Whether another delivery of the same is in the inbox: a resend is noted once."""
        assert told.transaction is not None, "only asked for what names a transaction"
        return any(one.frame_id in noted for one in self._of_transaction[told.station_id, told.transaction])

    def _is_erased(self, session: Session) -> bool:
        ends = (session.start_frame_id, session.stop_frame_id)
        return any(one in self._held.erased for one in ends if one is not None)

    def _ended(self, session: Session, stop: Told) -> Instant:
        """When it ended, by the stop's own clock; by receipt when that clock told a time from before the session."""
        return stop.at if stop.at >= session.started_at else max(stop.received_at, session.started_at)

    def _frames_of(self, session: Session) -> list[Told]:
        assert session.station_id is not None, "sessions from stations have one"
        found = list(self._of_transaction[session.station_id, session.transaction_id or ""])
        for place, frame_id in ((len(found), session.stop_frame_id), (0, session.start_frame_id)):
            # A start of OCPP 1.6 does not name its number, and a stop that was matched by a person names another one.
            if frame_id in self._by_id and self._by_id[frame_id] not in found:
                found.insert(place, self._by_id[frame_id])
        for frame_id in (session.start_frame_id, session.stop_frame_id):
            if frame_id is not None and frame_id not in self._held.frames:
                self._find("frame.missing", frame_id, f"session {session.session_id} was made of it")
        return found

    def _start_of(self, session: Session, told: list[Told]) -> Told | None:
        starts = [one for one in told if one.kind is Kind.START]
        return next((one for one in starts if one.frame_id == session.start_frame_id), starts[0] if starts else None)

    def _stop_of(self, session: Session, told: list[Told]) -> Told | None:
        stops = [one for one in told if one.kind is Kind.STOP]
        if stops and session.transaction_ended_at is None:
            self._find("session.stop_not_taken", session.session_id, f"frame {stops[0].frame_id} has stopped it")
        return next((one for one in stops if one.frame_id == session.stop_frame_id), stops[0] if stops else None)

    def _points_of(self, session: Session, told: list[Told], stop: Told | None) -> list[Point]:
        """Its registers: of values that name it, of the first stop, and of values without a number that it has taken in."""
        points = [point for one in told if one.kind is not Kind.STOP or one is stop for point in one.points]
        named = {one.frame_id for one in told}
        others = {row.frame_id for row in self._readings[session.session_id]} - named
        for frame_id in sorted(one for one in others if one is not None):
            other = self._by_id.get(frame_id)
            if other is not None and other.transaction is None and other.station_id == session.station_id:
                points += other.points
        return points

    def _seen_since(self, session: Session, start: Told | None, points: list[Point]) -> int | None:
        """The register from which the next transaction at the same EVSE started, if it shows more than a lost one has told."""
        register = last(start.register if start else None, points)
        if start is None or register is None or session.state is SessionState.ACTIVE:
            return None
        later = self._starts_at[start.station_id, start.evse]
        behind = later[later.index(start) + 1 :] if start in later else []
        shown = next((one for one in behind if one.content != start.content), None)
        if shown is None or shown.register is None or self._other_between(start, shown):
            return None
        return shown.register if shown.register > register else None

    def _other_between(self, start: Told, shown: Told) -> bool:
        """Whether a transaction whose own start never came ran there in between: what the register shows then is its too."""
        return any(
            start.received_at < one.received_at < shown.received_at and one.at >= start.at
            for one in self._unstarted_at[start.station_id, start.evse]
        )

    def _compare_registers(self, session: Session, start: Told | None, stop: Told | None) -> None:
        pairs = [("meter_start", start, session.meter_start), ("meter_stop", stop, session.meter_stop)]
        for name, told, stored in pairs:
            if told is None or told.register is None or told.register < 0 or told.register == stored:
                continue
            shown = None if stored is None else wh(stored)
            says = f"its {name} is not what frame {told.frame_id} says"
            self._find("session.register", session.session_id, says, wh(told.register), shown)

    def _compare_readings(self, session: Session, points: list[Point]) -> None:
        said = {point.register for point in points}
        stored = self._readings[session.session_id]
        for reading in stored:
            if reading.frame_id is None or reading.frame_id in self._held.erased:
                continue
            if reading.frame_id not in self._held.frames:
                self._find("frame.missing", reading.frame_id, f"a reading of session {session.session_id} came in it")
                continue
            told = self._by_id.get(reading.frame_id)
            exact = told is not None and (reading.occurred_at, reading.register) in {
                (one.at, one.register) for one in told.points
            }
            if not exact:
                says = f"reading {reading.reading_key} is not in frame {reading.frame_id}"
                self._find("reading.altered", session.session_id, says, None, wh(reading.register))
        for register in sorted(said - {reading.register for reading in stored}):
            self._find("reading.missing", session.session_id, "a register in its frames is not stored", wh(register))

    def _find(self, code: str, subject: str, says: str, expected: str | None = None, found: str | None = None) -> None:
        self.findings.append(Finding(code, subject, says, expected, found))
