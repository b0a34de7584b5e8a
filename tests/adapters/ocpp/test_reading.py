"""Reading what stations write, kindly."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.adapters.ocpp import v16, v201
from tallywatt.adapters.ocpp.facts import Dialect, Incoming
from tallywatt.adapters.ocpp.reading import NoObject, time_of
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import StationId
from tallywatt.metering.facts import Sampled, Started, Stopped, Unreadable

RECEIVED = Instant(1_795_248_000_000)
AT = "2018-08-24T08:15:00Z"
AT_INSTANT = 1_535_098_500_000


def told(dialect: Dialect, action: str, payload: Any) -> Any:
    """The command that a message becomes."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    incoming = Incoming(StationId("s"), dialect.protocol, action, "m", raw, RECEIVED)
    return dialect.facts[action](incoming, msgspec.Raw(raw)).command


def old(action: str, **payload: Any) -> Any:
    return told(v16.DIALECT, action, payload)


def new(**payload: Any) -> Any:
    base = {"eventType": "Started", "timestamp": AT, "triggerReason": "Authorized", "seqNo": 0}
    return told(v201.DIALECT, "TransactionEvent", {**base, "transactionInfo": {"transactionId": "t"}, **payload})


@pytest.mark.parametrize(
    ("text", "at", "flags"),
    [
        ("2018-08-24T08:15:00Z", AT_INSTANT, []),
        ("2018-08-24T08:15:00.000Z", AT_INSTANT, []),
        ("2018-08-24T10:15:00+02:00", AT_INSTANT, []),
        ("2018-08-24t08:15:00z", AT_INSTANT, []),
        ("2018-08-24T08:15:00-00:00", AT_INSTANT, []),
        ("2018-08-24T08:15:00", AT_INSTANT, ["time_without_zone"]),
        ("2018-08-24 08:15:00", AT_INSTANT, ["time_without_zone"]),
        ("1970-01-01T00:00:07Z", 7_000, []),
        ("yesterday", RECEIVED, ["time_unreadable"]),
        ("", RECEIVED, ["time_unreadable"]),
        ("0000-00-00T00:00:00Z", RECEIVED, ["time_unreadable"]),
        ("9999-12-31T23:59:59Z", RECEIVED, ["time_unreadable"]),
    ],
)
def test_times_are_read_as_kindly_as_can_be(text: str, at: int, flags: list[str]) -> None:
    """A session with an odd time is still a session (steve 136, MicroOcpp 311)."""
    found: list[str] = []
    assert (time_of(text, RECEIVED, found), found) == (at, flags)


def test_a_start_that_keeps_to_the_form_has_no_flags() -> None:
    """A flag means that somebody may have to look."""
    started = old("StartTransaction", connectorId=1, idTag="A", meterStart=10, timestamp=AT, reservationId=4)
    assert (started.heard.flags, started.meter_start, started.at) == ((), 10_000, AT_INSTANT)


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"meterStart": "10"}, "meter_start", 10_000),
        ({"meterStart": 10.0}, "meter_start", 10_000),
        ({"meterStart": 10.5}, "meter_start", 10_500),
        ({"meterStart": 10**30}, "meter_start", None),
        ({"meterStart": None}, "meter_start", None),
        ({"meterStart": {}}, "meter_start", None),
        ({"connectorId": "1"}, "evse_number", 1),
        ({"connectorId": 10**12}, "evse_number", None),
        ({"connectorId": -1}, "evse_number", None),
        ({"idTag": "X" * 36}, "token_uid", "X" * 36),
        ({"idTag": 12345}, "token_uid", "12345"),
        ({"idTag": "X" * 1000}, "token_uid", None),
        ({"idTag": None}, "token_uid", None),
        ({"timestamp": 17}, "at", RECEIVED),
    ],
)
def test_a_start_that_breaks_the_form_is_still_a_start(change: dict[str, Any], field: str, value: Any) -> None:
    """Energy flows whatever the form: what can be read is taken, the rest is absent, and it is flagged."""
    payload = {"connectorId": 1, "idTag": "A", "meterStart": 10, "timestamp": AT, **change}
    started = told(v16.DIALECT, "StartTransaction", payload)
    assert isinstance(started, Started)
    assert getattr(started, field) == value
    assert "schema" in started.heard.flags


def test_fields_that_nobody_knows_are_no_reason_for_a_flag() -> None:
    """Vendors add their own; they say nothing against the rest."""
    started = old("StartTransaction", connectorId=1, idTag="A", meterStart=10, timestamp=AT, vendorThing={"x": 1})
    assert started.heard.flags == ()


@pytest.mark.parametrize("transaction_id", [-1, 0, 999_999])
def test_a_stop_says_its_transaction_as_told(transaction_id: int) -> None:
    """Matching is for the inbox, never for guessing here (EVerest/libocpp 495)."""
    assert old("StopTransaction", transactionId=transaction_id, meterStop=1, timestamp=AT).transaction_id == str(
        transaction_id
    )


def test_a_stop_that_names_no_transaction_goes_to_a_person() -> None:
    """It matches nothing, and is not thrown away."""
    command = old("StopTransaction", meterStop=5, timestamp=AT)
    assert isinstance(command, Unreadable)
    assert command.problem == "it names no transaction"


def test_an_unknown_register_is_handed_on_as_told() -> None:
    """-1 is what some stations write for "unknown": the evidence is kept, and a workflow decides (ocpp-go PR 114)."""
    assert old("StopTransaction", transactionId=1, meterStop=-1, timestamp=AT).meter_stop == -1_000


def test_the_stop_carries_the_samples_of_a_session_that_was_offline() -> None:
    """MicroOcpp 454: only the stop arrives, with the data of the whole transaction."""
    data = [
        {"timestamp": AT, "sampledValue": [{"value": "10", "context": "Transaction.Begin"}]},
        {"timestamp": "2018-08-24T09:15:00Z", "sampledValue": [{"value": "20", "context": "Transaction.End"}]},
    ]
    stopped = old("StopTransaction", transactionId=1, meterStop=20, timestamp=AT, transactionData=data)
    assert [(one.register, one.context) for one in stopped.samples] == [
        (10_000, "Transaction.Begin"),
        (20_000, "Transaction.End"),
    ]


def test_meter_values_without_a_transaction_are_samples_all_the_same() -> None:
    """Clock-aligned values come between sessions; 0 and -1 are no transaction."""
    value = [{"timestamp": AT, "sampledValue": [{"value": "1"}]}]
    for transaction_id in ({}, {"transactionId": 0}, {"transactionId": -1}):
        sampled = old("MeterValues", connectorId=2, meterValue=value, **transaction_id)
        assert (sampled.transaction_id, sampled.evse_number, sampled.at) == (None, 2, AT_INSTANT)


def test_a_numeric_figure_in_1_6_is_read_and_flagged() -> None:
    """The specification wants a text there; many write a number."""
    text = (
        b'{"connectorId":1,"meterValue":[{"timestamp":"2018-08-24T08:15:00Z","sampledValue":[{"value":1.123456789}]}]}'
    )
    sampled = told(v16.DIALECT, "MeterValues", text)
    assert (sampled.samples[0].register, sampled.heard.flags) == (1_123, ("schema",))


def test_one_meter_value_that_is_not_in_a_list_is_taken() -> None:
    """Seen where a list of one is written as its element."""
    value = {"timestamp": AT, "sampledValue": {"value": "5"}}
    assert old("MeterValues", connectorId=1, meterValue=value).samples[0].register == 5_000


@pytest.mark.parametrize("action", sorted(v16.DIALECT.weighty))
@pytest.mark.parametrize("payload", [b"[]", b"null", b"17", b'"text"', b"[[" * 100_000])
def test_a_weighty_payload_that_is_no_object_goes_to_a_person(action: str, payload: bytes) -> None:
    """Station and action can be read, so it is never dropped."""
    assert isinstance(told(v16.DIALECT, action, payload), Unreadable)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = "connectorId idTag meterStart meterStop timestamp transactionId meterValue transactionData reason".split()


@given(st.sampled_from(sorted(v16.DIALECT.weighty)), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_a_weighty_message_of_1_6_holds_it_becomes_a_fact(action: str, payload: dict[str, Any]) -> None:
    """Never a refusal, never a crash."""
    assert isinstance(told(v16.DIALECT, action, payload), Started | Sampled | Stopped | Unreadable)


NEW_FIELDS = "eventType timestamp triggerReason seqNo transactionInfo offline evse idToken meterValue evseId".split()


@given(st.sampled_from(sorted(v201.DIALECT.weighty)), st.dictionaries(st.sampled_from(NEW_FIELDS), JSON))
def test_whatever_a_weighty_message_of_2_0_1_holds_it_becomes_a_fact(action: str, payload: dict[str, Any]) -> None:
    """Never a refusal, never a crash."""
    assert isinstance(told(v201.DIALECT, action, payload), Started | Sampled | Stopped | Unreadable)


def test_a_remote_started_event_may_name_nobody() -> None:
    """The remoteStartId alone says whose it is."""
    started = new(transactionInfo={"transactionId": "t", "remoteStartId": 42})
    assert (started.token_uid, started.remote_start_id, started.evse_number) == (None, 42, None)
    assert new(idToken={"idToken": "", "type": "NoAuthorization"}).token_uid is None


def test_an_ended_event_without_meter_values_or_evse_is_an_end() -> None:
    """Until SampledDataCtrlr is set, stations send no more than that."""
    stopped = new(eventType="Ended", offline=True)
    assert isinstance(stopped, Stopped)
    assert (stopped.meter_stop, stopped.samples, stopped.offline) == (None, (), True)


def test_an_event_of_an_unknown_type_goes_to_a_person_with_its_transaction() -> None:
    """It carries energy all the same."""
    command = new(eventType="Resumed")
    assert isinstance(command, Unreadable)
    assert command.transaction_id == "t"


@pytest.mark.parametrize("seq_no", [-1, 2**40, "three", None])
def test_a_sequence_number_out_of_bounds_is_absent(seq_no: Any) -> None:
    """Every whole number from a station is bounded (lbbrhzn/ocpp 1997)."""
    started = new(seqNo=seq_no)
    assert started.sequence_number is None
    assert "schema" in started.heard.flags


def test_figures_of_2_0_1_keep_every_digit() -> None:
    """A JSON number is read as it is written, not as the nearest float."""
    text = (
        b'{"eventType":"Updated","timestamp":"2018-08-24T08:15:00Z","triggerReason":"MeterValuePeriodic","seqNo":1,'
        b'"transactionInfo":{"transactionId":"t"},"meterValue":[{"timestamp":"2018-08-24T08:15:00Z",'
        b'"sampledValue":[{"value":123456789.123456,"unitOfMeasure":{"unit":"kWh"}}]}]}'
    )
    sampled = told(v201.DIALECT, "TransactionEvent", text)
    assert (sampled.samples[0].register, sampled.heard.flags) == (123_456_789_123_456, ())


def test_what_only_informs_may_be_refused() -> None:
    """A status without a connector says nothing that could be kept."""
    with pytest.raises(NoObject):
        old("StatusNotification", status="Available", errorCode="NoError")
    with pytest.raises(NoObject):
        old("Authorize")


def test_a_long_serial_number_keeps_no_station_out() -> None:
    """mobilityhouse/ocpp 122: a strict schema turned real stations away."""
    booted = old("BootNotification", chargePointVendor="V", chargePointModel="M", chargePointSerialNumber="S" * 80)
    assert booted.serial_number == "S" * 80
