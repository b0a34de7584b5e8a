"""Pure: one row of an export, from its texts to a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from tallywatt.adapters.imports.dates import place
from tallywatt.adapters.imports.rows import Finding, Limits, NormalisedSession, RowReport, Verdict
from tallywatt.kernel.energy import milliwatt_hours
from tallywatt.kernel.identity import natural_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.adapters.imports.shapes import Shape
    from tallywatt.kernel.clock import Instant

MILLISECONDS_PER_HOUR = 3_600_000
LONGEST_ENERGY_TEXT = 20
MOST_KWH = 1_000_000


class Refused(Exception):
    """The row cannot be a session that anybody should pay for; carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as the file has it: line, texts by column, and texts in columns that have no name."""

    line: int
    texts: Mapping[str, str]
    stray: tuple[str, ...]
    complete: bool = True


def judge(raw: RawRow, start: datetime | None, shape: Shape, limits: Limits) -> RowReport:
    """The verdict on a row; `start` is the reading of its start date that the order of the file settled."""
    try:
        session, repairs, remarks = _normalised(raw, start, shape, limits)
    except Refused as refusal:
        return RowReport(raw.line, Verdict.REFUSED, (refusal.finding,), None)
    verdict = Verdict.REPAIRED if repairs else Verdict.ACCEPTED
    return RowReport(raw.line, verdict, (*repairs, *remarks), session)


def _normalised(
    raw: RawRow, start: datetime | None, shape: Shape, limits: Limits
) -> tuple[NormalisedSession, tuple[Finding, ...], tuple[Finding, ...]]:
    if not raw.complete:
        raise Refused(Finding("row.malformed", "The row has not as many columns as the header."))
    connector = _connector(raw.texts[shape.connector])
    station = raw.texts[shape.station].strip()
    if not station:
        raise Refused(Finding("station.blank", "The row names no station."))
    if start is None:
        raise Refused(
            Finding("start.unreadable", f"The start {_written(raw, shape, 'start')!r} is not a date and a time.")
        )
    end = _end(raw, start, shape)
    energy = _energy(raw.texts[shape.energy_kwh])
    began = place(start, shape.zone, what="start")
    ended = place(end, shape.zone, not_before=began.at, what="end")
    _believable(began.at, ended.at, energy, limits)
    remarks = _remarks(raw, shape)
    session = NormalisedSession(
        upstream_id=_upstream_id(raw, shape, start),
        station=station,
        connector=connector,
        started_at=began.at,
        ended_at=ended.at,
        milliwatt_hours=energy,
        user=raw.texts[shape.user].strip() or None if shape.user else None,
        site=raw.texts[shape.site].strip(),
        model=raw.texts[shape.model].strip(),
        zone=shape.zone,
        notes=tuple(text.strip() for text in raw.stray if text.strip()),
    )
    swapped = _swapped(raw, start, "start", shape) + _swapped(raw, end, "end", shape)
    return session, (*swapped, *began.findings, *ended.findings), remarks


def _connector(text: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit() or not 1 <= int(text.strip()[:4]) <= 99:
        raise Refused(Finding("connector.unreadable", f"{text!r} is not the number of a connector."))
    return int(text.strip())


def _energy(text: str) -> int:
    if not text.strip():
        raise Refused(Finding("energy.blank", "The row has no energy."))
    try:
        kwh = Decimal(text.strip())
    except InvalidOperation:
        raise Refused(Finding("energy.unreadable", f"{text!r} is not a figure in kWh.")) from None
    if not kwh.is_finite() or len(text.strip()) > LONGEST_ENERGY_TEXT or abs(kwh) > MOST_KWH:
        raise Refused(Finding("energy.unreadable", f"{text!r} is not a figure in kWh that a meter could show."))
    if kwh < 0:
        raise Refused(Finding("energy.negative", f"The energy is below zero: {kwh} kWh."))
    energy = milliwatt_hours(kwh, "kWh")
    if energy == 0:
        raise Refused(Finding("energy.zero", "No energy was delivered."))
    return energy


def _end(raw: RawRow, start: datetime, shape: Shape) -> datetime:
    date_text, time_text = raw.texts[shape.end_date], raw.texts[shape.end_time]
    if not date_text.strip() or not time_text.strip():
        raise Refused(Finding("end.blank", "The row has no end: the session was never closed, or not yet."))
    try:
        readings = shape.candidates(date_text, time_text)
    except ValueError:
        raise Refused(
            Finding("end.unreadable", f"The end {date_text!r} {time_text!r} is not a date and a time.")
        ) from None
    # In the doubled hour of autumn an honest end may stand up to an hour before its start on the clock face.
    possible = [reading for reading in readings if _instant_not_before(reading, start, shape)]
    if not possible:
        sentence = f"The end {readings[0]:%d %B %Y %H:%M} lies before the start {start:%d %B %Y %H:%M}."
        raise Refused(Finding("end.before_start", sentence))
    return min(possible)


def _instant_not_before(end: datetime, start: datetime, shape: Shape) -> bool:
    began = place(start, shape.zone).at
    return place(end, shape.zone, not_before=began).at >= began


def _believable(began: Instant, ended: Instant, energy: int, limits: Limits) -> None:
    milliseconds = ended - began
    if milliseconds == 0:
        raise Refused(
            Finding("session.no_duration", "It starts and ends in the same minute, so its power cannot be judged.")
        )
    if milliseconds > limits.longest_hours * MILLISECONDS_PER_HOUR:
        hours = Decimal(milliseconds) / MILLISECONDS_PER_HOUR
        raise Refused(Finding("session.too_long", f"It lasted {hours:.1f} hours, more than {limits.longest_hours}."))
    watts = energy * MILLISECONDS_PER_HOUR // (milliseconds * 1000)
    if energy * MILLISECONDS_PER_HOUR > limits.mean_kw * 1_000_000 * milliseconds:
        kw = Decimal(watts) / 1000
        raise Refused(Finding("session.too_strong", f"Its mean power is {kw:.1f} kW, more than {limits.mean_kw}."))


def _swapped(raw: RawRow, reading: datetime, what: str, shape: Shape) -> tuple[Finding, ...]:
    date_text = raw.texts[shape.start_date if what == "start" else shape.end_date]
    time_text = raw.texts[shape.start_time if what == "start" else shape.end_time]
    if reading == shape.candidates(date_text, time_text)[0]:
        return ()
    sentence = f"Day and month of the {what} are exchanged: {date_text.strip()[:10]} is {reading:%d %B %Y}."
    return (Finding("date.swapped", sentence),)


def _remarks(raw: RawRow, shape: Shape) -> tuple[Finding, ...]:
    """What is odd and changes nothing."""
    found = []
    if shape.user is not None:
        user = raw.texts[shape.user].strip()
        if not user:
            found.append(Finding("user.blank", "The row names no user."))
        elif not any(character.isdigit() for character in user):
            found.append(Finding("user.text", f"The user is a word, not a number: {user!r}."))
    if any(text.strip() for text in raw.stray):
        found.append(Finding("text.stray", "Text in a column without a name was kept as a note."))
    return tuple(found)


def _upstream_id(raw: RawRow, shape: Shape, start: datetime) -> str:
    """The network's own number, or a key of the row's content: row numbers change with every export."""
    if shape.upstream_id is not None:
        number = raw.texts[shape.upstream_id].strip()
        if not number:
            raise Refused(Finding("row.no_number", "The row has no event number."))
        return f"{shape.name}:{number}"
    texts = (raw.texts[name].strip() for name in (shape.station, shape.connector, shape.end_time, shape.energy_kwh))
    return f"{shape.name}:{natural_key(shape.name, start.isoformat(), *texts)}"


def _written(raw: RawRow, shape: Shape, what: str) -> str:
    columns = (shape.start_date, shape.start_time) if what == "start" else (shape.end_date, shape.end_time)
    return " ".join(raw.texts[column].strip() for column in columns)
