"""ALFEN: one reading a record, the key inside."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tallywatt.metering.signed.pipeline import verify_line
from tests.metering.signed.meter import Meter, alfen

METER = Meter("secp192r1")
KEY = base64.b32encode(METER.compressed).decode()


def verify(*records: str, key: str | None = KEY, **more: Any) -> dict[str, Any]:
    return verify_line({"id": "a", "format": "ALFEN", "data": "\n".join(records), "public_key": key, **more})


def a_pair(**more: Any) -> tuple[str, str]:
    return alfen(METER, 0, 111_133, 171), alfen(METER, 1, 123_478, 172, **more)


def test_a_pair_of_records_is_one_transaction() -> None:
    """The format does not say how good its clock is, so time is not billed by it."""
    answer = verify(*a_pair())

    assert answer["format"] == "ALFEN"
    assert answer["signature"] == "valid"
    assert answer["billable"] == {"energy": True, "time": False}
    assert answer["reasons"] == ["clock_not_synchronised"]
    assert answer["energy_wh"] == 12345
    assert answer["register"] == "1-0:1.8.0*ff"


def test_the_scale_of_the_register_counts() -> None:
    """A signed byte: tens of watt-hours, or tenths."""
    tens = verify(alfen(METER, 0, 100, 1, scale=1), alfen(METER, 1, 150, 2, scale=1))
    tenths = verify(alfen(METER, 0, 100, 1, scale=255), alfen(METER, 1, 155, 2, scale=255))

    assert tens["energy_wh"] == 500
    assert str(tenths["energy_wh"]) == "5.5"


def test_the_key_inside_serves_the_signature_alone() -> None:
    """It must be the meter's key as the registry has it."""
    other = Meter("secp192r1", secret=99)
    records = [alfen(other, 0, 1, 1), alfen(other, 1, 2, 2)]
    without, against = verify(*records, key=None), verify(*records)

    assert (without["signature"], without["billable"]["energy"]) == ("valid", False)
    assert "key_not_registered" in without["reasons"]
    assert (against["signature"], against["billable"]["energy"]) == ("invalid", False)
    assert {"key_differs", "signed_by_other_key"} <= set(against["reasons"])


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"session": 88}, "session_differs"),
        ({"meter_id": b"0123456789"}, "meter_differs"),
        ({"meter_status": 2}, "energy_error"),
        ({"adapter_status": 1 << 15}, "energy_error"),
        ({"unit": 0x1B}, "unit_unknown"),
        ({"seconds": 1_700_000_000}, "time_fell"),
    ],
)
def test_what_is_not_in_order_is_not_billed(more: dict[str, Any], reason: str) -> None:
    """Two records of one session, one meter, and no error of meter or adapter."""
    answer = verify(*a_pair(**more))

    assert answer["signature"] == "valid"
    assert reason in answer["reasons"]
    assert answer["billable"]["energy"] is False


def test_a_changed_record_does_not_hold() -> None:
    """Each part of the text that is under the signature, and the signature."""
    begin, end = a_pair()
    parts = end.split(";")
    data = bytearray(base64.b32decode(parts[4]))
    data[46] ^= 1
    changed = ";".join([*parts[:4], base64.b32encode(bytes(data)).decode(), *parts[5:]])
    unsigned = ";".join([*parts[:5], "AAAA", ""])

    assert verify(begin, changed)["signature"] == "invalid"
    assert verify(begin, unsigned)["signature"] == "invalid"
    assert verify(end, begin)["reasons"][0] == "records_out_of_order"


@pytest.mark.parametrize("text", ["AP;", "AP;0;3;;;;", "AP;9;3;AAAA;AAAA;AAAA;", "AP;0;3;" + "A" * 900, '"AP;x"'])
def test_what_is_no_record_cannot_be_verified(text: str) -> None:
    """Parts that are missing, or of another length."""
    answer = verify(text)

    assert answer["signature"] == "unverifiable"
    assert answer["reasons"] == ["data_unreadable"]
