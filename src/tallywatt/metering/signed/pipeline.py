"""Pure: one line of a pipeline: signed meter values as plain data in, the verdict on them as plain data out."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.errors import BadInput
from tallywatt.metering.signed.judge import Expected, GivenKey, Verdict, judge, loss_of, period_of
from tallywatt.metering.signed.reasons import Code, Signature
from tallywatt.metering.signed.record import RELATIVE
from tallywatt.metering.signed.unwrap import unwrap

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.signed.record import Checked, SignedRecord

LINE_KEYS: Final = ("id", "format", "data", "public_key", "expect")
_ONE: Final = Decimal(1)
_EXPECTED: Final = ("meter_serial", "user", "session")


def verify_line(line: Any) -> dict[str, Any]:
    """The answer to one line. What the data holds never makes it fail; a line that is no question is refused with BadInput."""
    if not isinstance(line, dict):
        msg = "a line must be a JSON object with data"
        raise BadInput(msg, code="line.not_an_object")
    identity, data = line.get("id"), line.get("data")
    # What is no text is no key and no format either, and the answer says so.
    told_format, key = (None if line.get(name) is None else str(line[name]) for name in ("format", "public_key"))
    if data is None or not isinstance(data, str | list | dict):
        return _answer(identity, told_format or "unknown", (Code.DATA_MISSING,), None)
    found = unwrap(data if isinstance(data, str) else _joined(data), told_format)
    if not found.records:
        return _answer(identity, found.format, found.problems, None)
    verdict = judge(found.records, GivenKey(key), _expected(line.get("expect")))
    return _answer(identity, found.format, (*found.problems, *verdict.reasons), verdict)


def _joined(data: Any) -> str:
    """A list of records, or OCPP's SignedMeterValue, as the text that it would have been."""
    import json  # noqa: PLC0415  # data is a text nearly always

    try:
        return json.dumps(data, default=str)
    except (ValueError, RecursionError):
        return ""


def _expected(told: Any) -> Expected:
    if not isinstance(told, dict):
        return Expected()
    texts = {key: value for key in _EXPECTED if isinstance(value := told.get(key), str)}
    page = told.get("after_pagination")
    number = page.strip().lstrip("TtFf") if isinstance(page, str) else str(page)
    after = int(number) if number.isdecimal() and len(number) <= 18 else None
    return Expected(after_page=after, **texts)


def _answer(identity: Any, name: str, reasons: tuple[Code, ...], verdict: Verdict | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": identity,
        "format": name,
        "signature": (verdict.signature if verdict else Signature.UNVERIFIABLE).value,
        "billable": {
            "energy": verdict is not None and verdict.billable_energy,
            "time": verdict is not None and verdict.billable_time,
        },
        "reasons": [one.value for one in dict.fromkeys(reasons)],
        "warnings": [one.value for one in verdict.warnings] if verdict else [],
    }
    if verdict is not None:
        told |= _facts(verdict)
    return told


def _facts(verdict: Verdict) -> dict[str, Any]:
    """What the records say. Of a record that does not hold nothing is told but which one it was."""
    told: dict[str, Any] = {}
    if verdict.signature is Signature.VALID:
        if verdict.milliwatt_hours is not None:
            told["energy_wh"] = _watt_hours(verdict.milliwatt_hours)
        began, ended = period_of(verdict)
        told |= {key: rfc3339(at) for key, at in (("started_at", began), ("ended_at", ended)) if at is not None}
        loss = loss_of(verdict)
        if loss is not None:
            told["loss_wh"] = _plain(loss)
        if verdict.begin is not None and verdict.begin.register is not None:
            told["register"] = verdict.begin.register
        if verdict.billable_time and verdict.end is not None:
            told["time_basis"] = "duration" if verdict.end.clock == RELATIVE else "clock"
    told["records"] = [_record(record, checked) for record, checked in verdict.records]
    return told


def _record(record: SignedRecord, checked: Checked) -> dict[str, Any]:
    page = None if record.page is None else f"{record.page_counter}{record.page}"
    named = {
        "format": record.format,
        "signature": checked.verdict.value,
        "reasons": [one.value for one in dict.fromkeys((*record.problems, *checked.reasons))],
        "curve": checked.curve.name if checked.curve else None,
        "meter_serial": record.meter_serial,
        "gateway_serial": record.gateway_serial,
        "pagination": page,
        "user": record.user,
        "session": record.session,
        "context": record.context,
        "tariff_text": record.tariff_text,
    }
    return {key: value for key, value in named.items() if value is not None} | {
        "readings": [_reading(one.purpose, one.at, one.clock, one.register, one.watt_hours) for one in record.readings]
    }


def _reading(
    purpose: str | None, at: Instant | None, clock: str, register: str | None, watt_hours: Decimal | None
) -> dict[str, Any]:
    told = {
        "purpose": purpose,
        "at": None if at is None else rfc3339(at),
        "clock": clock or None,
        "register": register,
        "wh": None if watt_hours is None else _plain(watt_hours),
    }
    return {key: value for key, value in told.items() if value is not None}


def _watt_hours(milliwatt_hours: int) -> Decimal:
    return _plain(Decimal(milliwatt_hours).scaleb(-3))


def _plain(figure: Decimal) -> Decimal:
    """A figure without idle zeros, and without an exponent when it is written as JSON."""
    is_whole = figure == figure.to_integral_value() and figure.adjusted() < 28
    return figure.quantize(_ONE) if is_whole else figure.normalize()
