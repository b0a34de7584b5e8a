"""Pure: what a page shows of a session's signed meter values: what was signed by which meter, and whether it holds."""

from __future__ import annotations

from typing import Any, Final

from tallywatt.entrypoints.pages.language import _, later
from tallywatt.metering.signed.reasons import Code
from tallywatt.metering.signed.receipt import VERIFIED

_WORDS: Final = {
    "valid": later("The meter's signature is valid"),
    "invalid": later("The meter's signature is not valid"),
    "unverifiable": later("The meter's signature could not be checked"),
}
_WHY: Final = {
    Code.DATA_MISSING: later("The station has delivered no signed values."),
    Code.DATA_UNREADABLE: later("What the station delivered is no signed value."),
    Code.KEY_MISSING: later("The public key of this meter is not in the registry yet."),
    Code.KEY_NOT_REGISTERED: later("The public key of this meter is not in the registry yet."),
    Code.KEY_NOT_VALID_THEN: later("The public key of this meter did not hold at that time."),
    Code.METER_UNEXPECTED: later("This meter is not the one that is built in there."),
    Code.SIGNATURE_WRONG: later("The signature does not fit the data and the key of the meter."),
    Code.RECORD_REPLAYED: later("The record was used for another session before."),
    Code.SESSION_DIFFERS: later("The record is of another session."),
    Code.BEGIN_MISSING: later("There is no signed value of the start."),
    Code.END_MISSING: later("There is no signed value of the end."),
    Code.CLOCK_NOT_SYNCHRONISED: later("The meter's clock was not synchronised, so time is not billed by it."),
    Code.METER_STATUS: later("The meter reports that it was not in order."),
    Code.ENERGY_ERROR: later("The meter reports that the energy must not be billed."),
}


def signed_view(row: dict[str, Any]) -> dict[str, Any] | None:
    """What is to be shown; None where a meter has signed nothing and nobody asked for it."""
    if not row["values"] and not row["verdicts"]:
        return None
    verdict = row["verdicts"][-1] if row["verdicts"] else None
    words = _WORDS[verdict["signature"]] if verdict else None
    return {
        "verdict": verdict,
        "words": _(words) if words else None,
        "good": bool(verdict and verdict["energy_is_billable"]),
        "why": [_why(code) for code in verdict["reasons"]] if verdict else [],
        "has_file": any(value["format"] in VERIFIED for value in row["values"]),
        "public_key": row["public_key"],
    }


def _why(code: str) -> str:
    known = _WHY.get(Code(code))
    return _(known) if known is not None else code
