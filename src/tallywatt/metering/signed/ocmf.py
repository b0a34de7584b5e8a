"""Pure: OCMF, the Open Charge Metering Format, 0.1 to 1.4: a record as it was signed, to the byte, and what it says.

OCMF|payload|signature. What is signed is the payload exactly as it stands between the bars, so nothing is ever written anew.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from tallywatt.kernel.clock import Instant, instant
from tallywatt.kernel.errors import BadInput
from tallywatt.metering.signed import octets
from tallywatt.metering.signed.curves import Curve, curve_named
from tallywatt.metering.signed.reasons import Code
from tallywatt.metering.signed.record import Reading, SignedRecord, register_name

NAME: Final = "OCMF"
MOST_READINGS: Final = 5_000
_INHERITED: Final[tuple[str, ...]] = ("TM", "TX", "RI", "RU", "RT", "EF", "ST", "EI")
"""What has the same value as in the reading before is left out, within one record."""
_UNITS: Final = {"wh": ("Wh", 0), "kwh": ("kWh", 3)}
_LARGEST: Final = Decimal(10) ** 12
_FINEST_PLACE: Final = -12
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[,.](\d{1,6}))?\s?(?:(Z)|([+-])(\d\d):?(\d\d))\s*([A-Za-z])?",
    re.ASCII,
)
_PAGE = re.compile(r"([A-Za-z])(\d{1,18})", re.ASCII)
_LATEST_MAJOR: Final = 1
_IDENTIFICATION_FAILED: Final = {"MISMATCH", "INVALID", "OUTDATED", "UNKNOWN"}


class _Twice(ValueError):
    """A name stands twice in one object."""


def read_ocmf(text: str, delivered_key: str | None = None, context: str | None = None) -> SignedRecord:
    """A record, whatever can be read of it."""
    sections = _sections(text.strip())
    if sections is None:
        return SignedRecord(NAME, text, problems=(Code.DATA_UNREADABLE,), is_readable=False, context=context)
    payload, trailer, hung_on = sections
    delivered_key = delivered_key or hung_on.strip() or None  # some tools hang the key on
    problems: list[Code] = []
    signature, curve = _signature(trailer, problems)
    told = _object(payload, problems)
    if told is None:
        # What is under a signature can be checked also where it makes no sense.
        problems.append(Code.DATA_UNREADABLE)
        told = {}
    _look_at_version(told, problems)
    counter, page = _page(told, problems)
    if _text(told, "IL") in _IDENTIFICATION_FAILED:
        problems.append(Code.USER_NOT_IDENTIFIED)
    return SignedRecord(
        format=NAME,
        text=text,
        signed=payload.encode("utf-8", "surrogateescape"),
        signature=signature,
        curve=curve,
        delivered_key=delivered_key,
        context=context,
        meter_serial=_text(told, "MS"),
        gateway_serial=_text(told, "GS"),
        charge_point=_text(told, "CI"),
        user=_text(told, "ID"),
        page_counter=counter,
        page=page,
        tariff_text=_text(told, "TT"),
        readings=_readings(told.get("RD"), problems),
        problems=tuple(dict.fromkeys(problems)),
    )


def _sections(whole: str) -> tuple[str, str, str] | None:
    """Payload, signature, and what follows. A bar within a text of the payload is forbidden, and ends nothing all the same."""
    header, bar, rest = whole.partition("|")
    if header.strip() != NAME or not bar:
        return None
    ends = [_end_of_object(rest), rest.find("|")]
    end = next((one for one in ends if one is not None and rest[one : one + 1] == "|"), None)
    if end is None:
        return None
    trailer, _, hung_on = rest[end + 1 :].partition("|")
    return rest[:end], trailer, hung_on


def _end_of_object(text: str) -> int | None:
    try:
        _, end = _SCANNER.raw_decode(text, len(text) - len(text.lstrip()))
    except (ValueError, RecursionError):
        return None
    return end + len(text[end:]) - len(text[end:].lstrip())


_SCANNER: Final = json.JSONDecoder(parse_int=str, parse_float=str)


def _object(text: str, problems: list[Code]) -> dict[str, Any] | None:
    """A JSON object with figures digit by digit. One with a name twice is read, and says so."""
    twice = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        told = dict(found)
        twice = twice or len(told) != len(found)
        return told

    try:
        told = json.loads(
            text, object_pairs_hook=pairs, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_figure
        )
    except (ValueError, ArithmeticError, RecursionError):
        return None
    if twice:
        problems.append(Code.DUPLICATE_KEY)
    return told if isinstance(told, dict) else None


def _no_figure(_: str) -> None:
    """NaN and Infinity are no JSON, and no reading."""
    raise ValueError


def _signature(text: str, problems: list[Code]) -> tuple[bytes | None, Curve | None]:
    before = len(problems)
    told = _object(text, problems)
    if told is None or len(problems) > before:
        # Two signatures in one place: nobody can say which one is meant.
        problems.append(Code.SIGNATURE_UNREADABLE)
        return None, None
    curve = _algorithm(told, problems)
    kind = told.get("SM")
    if kind is not None and kind != "application/x-der":
        problems.append(Code.ALGORITHM_UNSUPPORTED)
    data = told.get("SD")
    if not isinstance(data, str) or not data.strip():
        problems.append(Code.SIGNATURE_MISSING)
        return None, curve
    readers = [octets.from_hex, octets.from_base64]
    if str(told.get("SE", "hex")).lower() == "base64":
        readers.reverse()
    found = next((read for one in readers if (read := one(data))), None)
    if found is None:
        problems.append(Code.SIGNATURE_UNREADABLE)
    return found, curve


def _algorithm(told: dict[str, Any], problems: list[Code]) -> Curve | None:
    """The curve of `ECDSA-secp256r1-SHA256`; None where nothing is told."""
    named = told.get("SA")
    if named is None:
        return None
    parts = str(named).strip().split("-")
    ecdsa, curve, digest = parts[0].upper(), curve_named("-".join(parts[1:-1])), parts[-1].upper()
    if len(parts) < 3 or ecdsa != "ECDSA" or curve is None or digest != "SHA256":
        problems.append(Code.ALGORITHM_UNSUPPORTED)
        return None
    return curve


def _look_at_version(told: dict[str, Any], problems: list[Code]) -> None:
    version = told.get("FV")
    if version is None:
        return
    major = str(version).strip().partition(".")[0]
    if not (major.isdecimal() and major.isascii() and len(major) < 3 and int(major) <= _LATEST_MAJOR):
        problems.append(Code.VERSION_UNKNOWN)


def _page(told: dict[str, Any], problems: list[Code]) -> tuple[str | None, int | None]:
    found = _PAGE.fullmatch(str(told.get("PG", "")).strip())
    if not found:
        problems.append(Code.PAGINATION_MISSING)
        return None, None
    return found[1].upper(), int(found[2])


def _text(told: dict[str, Any], key: str) -> str | None:
    """A text that says something; a serial number may also be written as a figure."""
    value = told.get(key)
    if isinstance(value, Decimal):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else None


def _readings(told: Any, problems: list[Code]) -> tuple[Reading, ...]:
    if not isinstance(told, list) or not told or len(told) > MOST_READINGS:
        problems.append(Code.DATA_UNREADABLE)
        return ()
    found = []
    before: dict[str, Any] = {}
    for one in told:
        if not isinstance(one, dict):
            problems.append(Code.DATA_UNREADABLE)
            return ()
        full = {key: before[key] for key in _INHERITED if key in before} | one
        found.append(_reading(full))
        before = full
    return tuple(found)


def _reading(told: dict[str, Any]) -> Reading:
    at, clock = _time(told.get("TM"))
    unit, scale = _UNITS.get(str(told.get("RU", "")).strip().lower(), (None, 0))
    register = told.get("RI")
    value, loss = _figure(told.get("RV")), _figure(told.get("CL"))
    purpose, status, events = told.get("TX"), told.get("ST"), told.get("EI")
    return Reading(
        purpose=purpose.strip().upper() if isinstance(purpose, str) and purpose.strip() else None,
        at=at,
        clock=clock,
        register=register_name(register) if isinstance(register, str) else None,
        unit=unit,
        watt_hours=None if value is None or unit is None else value.scaleb(scale),
        errors=str(told.get("EF") or ""),
        status=status.strip() if isinstance(status, str) else None,
        events=None if events is None else str(events),
        loss_watt_hours=None if loss is None or unit is None else loss.scaleb(scale),
    )


def _figure(told: Any) -> Decimal | None:
    """A figure that a register can show. Some meters write it as a text, with blanks and zeros in front."""
    if isinstance(told, str) and len(told) <= 40:
        try:
            told = Decimal(told.strip())
        except ArithmeticError:
            return None
    if not isinstance(told, Decimal) or not told.is_finite():
        return None
    exponent = told.as_tuple().exponent
    # The size is looked at before anything is computed: a text of a few characters can name a number that fills the memory.
    if told and (told.adjusted() > 12 or not isinstance(exponent, int) or exponent < _FINEST_PLACE - 12):
        return None
    return told if abs(told) < _LARGEST else None


def _time(told: Any) -> tuple[Instant | None, str]:
    """2018-07-24T13:22:04,000+0200 S: the time and how good the clock was."""
    found = _TIME.fullmatch(told.strip()) if isinstance(told, str) else None
    if not found:
        return None, ""
    fraction = (found[7] or "").ljust(6, "0")
    away = timedelta(hours=int(found[10] or 0), minutes=int(found[11] or 0)) * (-1 if found[9] == "-" else 1)
    try:
        moment = datetime(*(int(found[place]) for place in range(1, 7)), int(fraction), tzinfo=timezone(away))  # type: ignore[misc, arg-type]  # six figures, which a generator cannot promise
        return instant(moment), (found[12] or "").upper()
    except (ValueError, OverflowError, BadInput):
        return None, ""
