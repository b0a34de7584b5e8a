"""Pure: from what was delivered to the records in it: hex, base64, JSON of OCPP, SAFE XML, several records in one text."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tallywatt.metering.signed import alfen, container, ocmf, octets
from tallywatt.metering.signed.reasons import Code
from tallywatt.metering.signed.record import SignedRecord

if TYPE_CHECKING:
    from tallywatt.metering.signed.container import Value

UNKNOWN: Final = "unknown"
_DEEPEST: Final = 4
_ALIASES: Final = {
    "OCMF": ocmf.NAME,
    "ALFEN": alfen.NAME,
    "ALFENEICHRECHT": alfen.NAME,
    "SAFE": container.NAME,
    "SAFEXML": container.NAME,
    "XML": container.NAME,
}
"""By the letters of the name: OCPI says `Alfen Eichrecht`, OCPP's encodingMethod `OCMF`."""
_SIGNS: Final = {
    "<signedMeterValue": "EDL40",
    "<signed-meter-value": "EDL40",
    "<Billing": "MENNEKES",
    "<billing": "MENNEKES",
    "128.8.0(": "PCDF",
    "1b1b1b1b": "SML",
}
"""How the formats begin that are known, and not verified here."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What was found in a text."""

    format: str
    records: tuple[SignedRecord, ...] = ()
    problems: tuple[Code, ...] = ()


def format_named(text: str | None) -> str | None:
    """A format by the name that somebody gave it; None where none was told."""
    if text is None or not text.strip():
        return None
    return _ALIASES.get("".join(one for one in text.upper() if one.isalnum()), text.strip()[:40])


def unwrap(data: str, told_format: str | None = None) -> Unwrapped:
    """The records of a text. What is told of its format must be so."""
    told = format_named(told_format)
    if len(data) > octets.LONGEST_TEXT:
        return Unwrapped(told or UNKNOWN, problems=(Code.DATA_TOO_LONG,))
    if not data.strip():
        return Unwrapped(told or UNKNOWN, problems=(Code.DATA_MISSING,))
    found = _unwrap(data, _DEEPEST)
    if found is None:
        known = told in {None, *_ALIASES.values()}
        return Unwrapped(told or UNKNOWN, problems=(Code.DATA_UNREADABLE if known else Code.FORMAT_UNSUPPORTED,))
    if told is not None and told != found.format and not _may_be_called(told, found):
        return Unwrapped(found.format, problems=(Code.FORMAT_DIFFERS,))
    return found


def _may_be_called(told: str, found: Unwrapped) -> bool:
    """A container may be called by the format of what is in it, and a format that is not read has many names."""
    if Code.FORMAT_UNSUPPORTED in found.problems:
        return told not in _ALIASES.values()
    return found.format == container.NAME and all(one.format == told for one in found.records)


def _unwrap(data: str, deep: int) -> Unwrapped | None:
    text = data.strip().strip("\ufeff").strip()
    if text.startswith(ocmf.NAME) and text[len(ocmf.NAME) :].lstrip().startswith("|"):
        return Unwrapped(ocmf.NAME, tuple(ocmf.read_ocmf(one) for one in _split(text, ocmf.NAME + "|")))
    if text.lstrip('"').startswith("AP;"):
        return Unwrapped(alfen.NAME, tuple(alfen.read_alfen(one) for one in _split(text, "AP;")))
    if "<values" in text[:2000]:
        return _of_container(text)
    for sign, name in _SIGNS.items():
        if sign in text[:400]:
            return Unwrapped(name, problems=(Code.FORMAT_UNSUPPORTED,))
    return _decoded(text, deep - 1) if deep else None


def _split(text: str, mark: str) -> list[str]:
    """Several records in one text, a line each or several lines; a mark inside of a payload is none."""
    places = [0]
    place = text.find("\n" + mark)
    while place >= 0:
        places.append(place + 1)
        place = text.find("\n" + mark, place + 1)
    return [text[start:end] for start, end in zip(places, [*places[1:], len(text)], strict=True)]


def _of_container(text: str) -> Unwrapped:
    try:
        values = container.read_container(text)
    except container.NotAContainer:
        return Unwrapped(container.NAME, problems=(Code.DATA_UNREADABLE,))
    if not values:
        return Unwrapped(container.NAME, problems=(Code.DATA_MISSING,))
    records: list[SignedRecord] = []
    for value in values:
        records += _of_value(value)
    return Unwrapped(container.NAME, tuple(records))


def _of_value(value: Value) -> list[SignedRecord]:
    told = format_named(value.format)
    found = _unwrap(value.text, 1)
    if found is None or not found.records or found.format == container.NAME:
        is_ours = told in {ocmf.NAME, alfen.NAME} or (told is None and (found is None or not found.problems))
        problem = Code.DATA_UNREADABLE if is_ours else Code.FORMAT_UNSUPPORTED
        name = told or (found.format if found else UNKNOWN)
        return [SignedRecord(name, value.data, problems=(problem,), is_readable=False, context=value.context)]
    if told is not None and told != found.format:
        return [
            SignedRecord(
                found.format, value.data, problems=(Code.FORMAT_DIFFERS,), is_readable=False, context=value.context
            )
        ]
    return [
        replace(one, context=value.context, delivered_key=one.delivered_key if one.key_is_inside else value.key)
        if value.key or one.key_is_inside
        else replace(one, context=value.context)
        for one in found.records
    ]


def _decoded(text: str, deep: int) -> Unwrapped | None:
    """A text inside of another text: OCPP sends base64 or hex, and some stations JSON in a string."""
    if text[:1] in {"{", "["}:
        try:
            return _of_json(json.loads(text, parse_int=str, parse_float=str), deep)
        except (ValueError, RecursionError):
            return None
    if text[:1] == '"':
        try:
            inner = json.loads(text)
        except ValueError:
            return None
        return _unwrap(inner, deep) if isinstance(inner, str) else None
    for read in (octets.from_hex, octets.from_base64):
        data = read(text)
        if data:
            found = _unwrap(data.decode("utf-8", "surrogateescape"), deep)
            if found is not None:
                return found
    return None


def _of_json(told: Any, deep: int) -> Unwrapped | None:
    """SignedMeterValue of OCPP 2.x, also as the value of a 1.6 station; or a list of such values or of texts."""
    if isinstance(told, list):
        found = [one for item in told[: container.MOST_VALUES] if (one := _of_json(item, deep))]
        if len(found) != len(told) or not found:
            return None
        names = {one.format for one in found}
        return Unwrapped(
            names.pop() if len(names) == 1 else container.NAME,
            tuple(record for one in found for record in one.records),
            tuple(dict.fromkeys(problem for one in found for problem in one.problems)),
        )
    if isinstance(told, str):
        return _unwrap(told, deep)
    if not isinstance(told, dict):
        return None
    data = next((told[key] for key in ("signedMeterData", "signed_meter_data", "data", "value") if key in told), None)
    found_here = _unwrap(data, deep) if isinstance(data, str) else None
    if found_here is None:
        return None
    key = told.get("publicKey", told.get("public_key"))
    context = told.get("context")
    records = tuple(
        replace(
            one,
            delivered_key=one.delivered_key or (key if isinstance(key, str) and key.strip() else None),
            context=context if isinstance(context, str) else one.context,
        )
        for one in found_here.records
    )
    return replace(found_here, records=records)
