"""What a meter signed comes through to the letter, whatever else is odd about the message."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tallywatt.adapters.ocpp import v16, v201
from tallywatt.adapters.ocpp.facts import Incoming
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import StationId

RECORD = 'OCMF|{"FV" : "1.0",\r\n "PG":"T1", "ID":"ü"}|{"SD":"30"}'
WHEN = "2026-11-21T09:00:00Z"


def told(dialect: Any, protocol: str, action: str, payload: dict[str, Any]) -> Any:
    incoming = Incoming(StationId("S"), protocol, action, "m1", b"", Instant(0))
    return dialect.facts[action](incoming, msgspec.Raw(json.dumps(payload).encode())).command


def old(*values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"timestamp": WHEN, "sampledValue": list(values)}]


@pytest.mark.parametrize("action", ["MeterValues", "StopTransaction"])
def test_signed_data_of_ocpp_16_is_kept_beside_the_figures(action: str) -> None:
    """Figures are figures, and what is signed is never read as one."""
    values = old(
        {"value": "1000", "unit": "Wh"},
        {"value": RECORD, "format": "SignedData", "context": "Transaction.End"},
    )
    payload = {
        "MeterValues": {"connectorId": 1, "transactionId": 7, "meterValue": values},
        "StopTransaction": {"transactionId": 7, "meterStop": 1000, "timestamp": WHEN, "transactionData": values},
    }[action]
    fact = told(v16.DIALECT, "ocpp1.6", action, payload)

    assert [one.register for one in fact.samples] == [1_000_000]
    [signed] = fact.signed
    assert (signed.data, signed.context, signed.public_key) == (RECORD, "Transaction.End", None)


@pytest.mark.parametrize("kind", ["Started", "Updated", "Ended"])
def test_signed_meter_values_of_ocpp_201_are_kept_with_their_key(kind: str) -> None:
    """Beside a figure, in each of the three events; an empty key is none."""
    value = {"value": 1, "context": "Transaction.End"}
    signed = {"signedMeterData": RECORD, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "AABB"}
    payload = {
        "eventType": kind,
        "timestamp": WHEN,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
        "meterValue": old(
            {**value, "signedMeterValue": signed}, {**value, "signedMeterValue": {**signed, "publicKey": ""}}, value
        ),
    }
    fact = told(v201.DIALECT, "ocpp2.0.1", "TransactionEvent", payload)

    assert [(one.data, one.public_key) for one in fact.signed] == [(RECORD, "AABB"), (RECORD, None)]


@pytest.mark.parametrize("wrong", [7, [], {"signedMeterData": 5}, {"signedMeterData": ["x"]}, None])
def test_a_signed_value_of_another_form_is_absent_and_its_message_is_taken(wrong: Any) -> None:
    """Energy is never refused on form."""
    payload = {"evseId": 1, "meterValue": old({"value": 1, "signedMeterValue": wrong})}
    fact = told(v201.DIALECT, "ocpp2.0.1", "MeterValues", payload)

    assert [one.register for one in fact.samples] == [1000]
    assert all(isinstance(one.data, str) for one in fact.signed)
