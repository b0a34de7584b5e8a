"""Two readings of the same frame, made by two pieces of code that share nothing, agree on every register."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.ocpp import v16, v201
from tallywatt.adapters.ocpp.facts import Incoming
from tallywatt.evidence.decode import Kind, RawFrame, Told, decode
from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.identity import StationId
from tallywatt.metering.facts import Sampled, Started, Stopped

if TYPE_CHECKING:
    from tallywatt.adapters.ocpp.facts import Dialect

NINE = Instant(1_772_442_000_000)
FLOOR = Instant(1_704_067_200_000)

FIGURES = st.one_of(
    st.decimals(-10, 100_000, places=3).map(str),
    st.integers(0, 10**9).map(str),
    st.sampled_from(["", "nan", "1e3", "-1", "none", "1e400", "0.0005", "99999999999999999999"]),
)
MOMENTS = st.integers(0, 10).map(lambda minute: rfc3339(Instant(NINE + minute * 60_000)))


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of which every field may be absent."""
    return st.fixed_dictionaries({}, optional=fields)


COMMON = {
    "context": st.sampled_from(["Sample.Periodic", "Transaction.Begin", "Transaction.End", "Sample.Clock"]),
    "measurand": st.sampled_from(
        ["Energy.Active.Import.Register", "Power.Active.Import", "Energy.Active.Import.Interval"]
    ),
    "phase": st.sampled_from(["L1", "N"]),
    "location": st.sampled_from(["Outlet", "Inlet", "EV", "Body"]),
}
OLD_VALUE = optional(
    value=FIGURES,
    format=st.sampled_from(["Raw", "SignedData"]),
    unit=st.sampled_from(["Wh", "kWh", "kwh", "W", "Percent"]),
    **COMMON,
)
NEW_VALUE = optional(
    value=st.one_of(st.integers(-5, 10**6), st.decimals(0, 1000, places=2).map(float)),
    unitOfMeasure=optional(unit=st.sampled_from(["Wh", "kWh", "W"]), multiplier=st.integers(-3, 3)),
    **COMMON,
)


def meter_values(value: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """What was sampled at some moments."""
    return st.lists(
        st.fixed_dictionaries({"timestamp": MOMENTS, "sampledValue": st.lists(value, max_size=4)}), max_size=4
    )


def both(dialect: Dialect, action: str, payload: dict[str, Any]) -> tuple[Any, Told | None]:
    """The adapter's fact and the auditor's reading of one frame."""
    raw = msgspec.Raw(json.dumps(payload).encode())
    text = json.dumps([2, "m1", action, payload]).encode()
    fact = dialect.facts[action](Incoming(StationId("s1"), dialect.protocol, action, "m1", text, NINE), raw)
    return fact.command, decode(RawFrame("f1", "s1", dialect.protocol, action, NINE, text), FLOOR)


def registers(fact: Any) -> list[tuple[int, int, str]]:
    """What the adapter read, as the auditor keeps it."""
    return sorted((one.at, one.register, one.context) for one in fact.samples if one.register is not None)


@given(values=meter_values(OLD_VALUE), transaction=st.one_of(st.none(), st.integers(-1, 5)))
def test_meter_values_of_1_6_are_read_alike(values: list[dict[str, Any]], transaction: int | None) -> None:
    """Phases, places, units, signed data, garbage."""
    payload: dict[str, Any] = {"connectorId": 1, "meterValue": values}
    if transaction is not None:
        payload["transactionId"] = transaction
    fact, told = both(v16.DIALECT, "MeterValues", payload)

    assert isinstance(fact, Sampled)
    assert told is not None
    assert sorted(told.points) == registers(fact)
    assert (told.kind, told.transaction, told.evse) == (Kind.VALUES, fact.transaction_id, fact.evse_number)


@given(
    meter=st.one_of(st.integers(-1, 10**9), st.decimals(0, 10**6, places=3).map(float)),
    token=st.text("abcABC123", min_size=1, max_size=20),
    minute=st.integers(0, 100),
)
def test_starts_of_1_6_are_read_alike(meter: float, token: str, minute: int) -> None:
    """The content that makes a start the same start."""
    at = rfc3339(Instant(NINE + minute * 60_000))
    payload = {"connectorId": 2, "idTag": token, "meterStart": meter, "timestamp": at}
    fact, told = both(v16.DIALECT, "StartTransaction", payload)

    assert isinstance(fact, Started)
    assert told is not None
    assert (told.at, told.register, told.evse) == (fact.at, fact.meter_start, fact.evse_number)
    assert told.token == token.casefold()


@given(values=meter_values(OLD_VALUE), meter=st.integers(-1, 10**9), transaction=st.integers(-1, 10**6))
def test_stops_of_1_6_are_read_alike(values: list[dict[str, Any]], meter: int, transaction: int) -> None:
    """With the values that some stations send along."""
    payload = {
        "transactionId": transaction,
        "meterStop": meter,
        "timestamp": rfc3339(NINE),
        "transactionData": values,
    }
    fact, told = both(v16.DIALECT, "StopTransaction", payload)

    assert isinstance(fact, Stopped)
    assert told is not None
    assert (told.transaction, told.register, told.at) == (fact.transaction_id, fact.meter_stop, fact.at)
    assert sorted(told.points) == registers(fact)


@given(values=meter_values(NEW_VALUE), kind=st.sampled_from(["Started", "Updated", "Ended"]))
def test_transaction_events_of_2_0_1_are_read_alike(values: list[dict[str, Any]], kind: str) -> None:
    """Three facts under one name; the register of a start or an end is among their samples."""
    payload = {
        "eventType": kind,
        "timestamp": rfc3339(NINE),
        "triggerReason": "Authorized",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "T-1"},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": {"idToken": "Card", "type": "ISO14443"},
        "meterValue": values,
    }
    fact, told = both(v201.DIALECT, "TransactionEvent", payload)

    assert told is not None
    assert told.transaction == "T-1"
    assert sorted(told.points) == registers(fact)
    if isinstance(fact, Started):
        assert (told.kind, told.register) == (Kind.START, fact.meter_start)
    if isinstance(fact, Stopped):
        assert (told.kind, told.register) == (Kind.STOP, fact.meter_stop)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"[2,1]",
        b"{}",
        b'[2,"m","StopTransaction",7]',
        b'[2,"m","StopTransaction",{}]',
        b"\xff" * 9,
        b"[" * 9999,
    ],
)
def test_what_cannot_be_read_is_nothing(text: bytes) -> None:
    """It is named by the inbox; the audit does not fall over it."""
    assert decode(RawFrame("f", "s", "ocpp1.6", "StopTransaction", NINE, text), FLOOR) is None


def test_a_text_that_names_an_endless_number_is_nothing() -> None:
    """A few characters must not fill the memory."""
    for value in ("1e999999999", "9" * 5000, Decimal("1e30")):
        told = decode(
            RawFrame(
                "f", "s", "ocpp1.6", "StopTransaction", NINE,
                json.dumps([2, "m", "StopTransaction", {"transactionId": 1, "meterStop": str(value)}]).encode(),
            ),
            FLOOR,
        )  # fmt: skip
        assert told is not None
        assert told.register is None
