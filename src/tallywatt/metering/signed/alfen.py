"""Pure: ALFEN: one reading a record, 82 bytes in base32, signed on secp192r1.

AP;type;version;key;data;signature;
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tallywatt.kernel.clock import Instant
from tallywatt.metering.signed import octets
from tallywatt.metering.signed.curves import CURVES
from tallywatt.metering.signed.reasons import Code
from tallywatt.metering.signed.record import Reading, SignedRecord, register_name

NAME: Final = "ALFEN"
_PURPOSES: Final = {"0": "B", "1": "E", "2": "C"}
_LENGTH: Final = 82
_WATT_HOURS: Final = 0x1E
_METER_ERRORS: Final = 1 << 1 | 1 << 2
"""EEPROM and data flash."""
_METER_CLOCK: Final = 1
_ADAPTER_ERRORS: Final = 1 | 1 << 10 | 1 << 14 | 1 << 15
"""Fatal; the readings of stop and start do not match; memory; no connection to the meter."""
_SMALLEST_SCALE, _LARGEST_SCALE = -6, 6
_LARGEST: Final = Decimal(10) ** 15


def read_alfen(text: str, delivered_key: str | None = None, context: str | None = None) -> SignedRecord:
    """A record, whatever can be read of it."""
    parts = octets.tight(text).strip('"').rstrip(";").split(";")
    data = octets.from_base32(parts[4]) if len(parts) == 6 else None
    if data is None or len(data) != _LENGTH or parts[0] != "AP" or parts[1] not in _PURPOSES:
        return SignedRecord(NAME, text, problems=(Code.DATA_UNREADABLE,), is_readable=False, context=context)
    problems: list[Code] = []
    signature = octets.from_base32(parts[5])
    if signature is None or len(signature) != 2 * CURVES["secp192r1"].octets:
        problems.append(Code.SIGNATURE_UNREADABLE)
        signature = None
    user = data[54:74].rstrip(b"\0").decode("ascii", "replace").strip()
    return SignedRecord(
        format=NAME,
        text=text,
        signed=data,
        signature=signature,
        curve=CURVES["secp192r1"],
        delivered_key=parts[3] or delivered_key,
        key_is_inside=True,
        context=context,
        meter_serial=data[16:26].hex().upper(),
        gateway_serial=data[0:10].hex().upper(),
        session=str(_number(data[74:78])),
        user=user or None,
        page_counter="T",
        page=_number(data[78:82]),
        readings=(_reading(data, _PURPOSES[parts[1]]),),
        problems=tuple(problems),
    )


def _reading(data: bytes, purpose: str) -> Reading:
    meter, adapter = _number(data[26:28]), _number(data[28:30])
    scale = int.from_bytes(data[45:46], "little", signed=True)
    value = Decimal(int.from_bytes(data[46:54], "little", signed=True))
    is_energy = data[44] == _WATT_HOURS and _SMALLEST_SCALE <= scale <= _LARGEST_SCALE and abs(value) < _LARGEST
    seconds = _number(data[34:38])
    errors = "E" if meter & _METER_ERRORS or adapter & _ADAPTER_ERRORS else ""
    return Reading(
        purpose=purpose,
        at=Instant(seconds * 1000) if seconds else None,
        # The format does not tell how good its clock is: it informs, no more.
        clock="" if meter & _METER_CLOCK else "I",
        register=register_name(data[38:44].hex()),
        unit="Wh" if is_energy else None,
        watt_hours=value.scaleb(scale) if is_energy else None,
        errors=errors + ("t" if meter & _METER_CLOCK else ""),
        status="G",
    )


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
