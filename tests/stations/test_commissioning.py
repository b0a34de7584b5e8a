"""What billing needs of a station's configuration: the table can be read, and whatever a station says is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import StationId
from tallywatt.stations.commissioning import Found, Told, all_wanted, better, is_billable, judge, wanted_of
from tallywatt.stations.configuration import Place
from tallywatt.stations.messages import PROTOCOLS
from tallywatt.stations.reports import Variable

NOW = Instant(1_795_248_000_000)
"""2026-11-21T08:00:00Z."""
GOOD: dict[str, str | None] = {
    "MeterValueSampleInterval": "60",
    "MeterValuesSampledData": "Power.Active.Import, energy.active.import.register",
    "StopTransactionOnInvalidId": "True",
    "TransactionMessageAttempts": "5",
    "TransactionMessageRetryInterval": "30",
}


def variable(place: Place, value: str | None, *, writable: bool | None = None) -> Variable:
    """What a station has told of a place."""
    where = (place.component, "", 0, 0, place.name, place.instance)
    return Variable(StationId("s"), *where, "Actual", value, writable, NOW)


def told(values: dict[str, str | None], *, writable: bool | None = True, component: str = "") -> list[Variable]:
    """What a station has told."""
    return [variable(Place(name, component), value, writable=writable) for name, value in values.items()]


def one(values: dict[str, str | None], code: str, *, writable: bool = True) -> Found:
    """How one thing stands at a station of OCPP 1.6."""
    found = judge("ocpp1.6", told(values, writable=writable), NOW)
    return next(each for each in found if each.wanted.code == code)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_version_has_its_places_and_no_two_are_one(protocol: str) -> None:
    """The table is data, and a slip in it would be silent."""
    places = [place for _, place in wanted_of(protocol)]
    assert len(places) == len(set(places)) >= 9
    assert all(place.component for place in places) is (protocol != "ocpp1.6")


def test_what_is_wanted_has_a_reason_and_what_is_written_is_right() -> None:
    """A value that is written by ourselves must be one that we would then call right."""
    codes = [wanted.code for wanted in all_wanted()]
    assert len(codes) == len(set(codes))
    for wanted in all_wanted():
        assert wanted.why.endswith(".")
        for place in wanted.places:
            if wanted.set_to is not None and not wanted.only_by_rule:
                found = judge(place.protocols[0], [variable(place.place, wanted.set_to)], NOW)
                assert [each.told for each in found if each.wanted.code == wanted.code] == [Told.GOOD]


def test_a_station_that_keeps_to_it_is_billable() -> None:
    """Keys that it does not have are those that it need not have."""
    found = judge("ocpp1.6", told(GOOD), NOW)
    assert is_billable(found) is True
    assert [each.wanted.code for each in found if each.is_off] == []


def test_one_that_was_never_asked_is_not_known() -> None:
    """Neither yes nor no: nobody has looked."""
    assert is_billable(judge("ocpp1.6", [], None)) is None
    assert is_billable(judge(None, [], None)) is None
    assert is_billable(judge("ocpp1.6", [], NOW)) is False


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("MeterValueSampleInterval", "0", "sample_interval"),
        ("MeterValueSampleInterval", "3600", "sample_interval"),
        ("MeterValueSampleInterval", "often", "sample_interval"),
        ("MeterValueSampleInterval", None, "sample_interval"),
        ("MeterValuesSampledData", "Voltage", "sampled_energy"),
        ("StopTransactionOnInvalidId", "false", "invalid_id"),
        ("TransactionMessageAttempts", "1", "attempts"),
        ("AllowOfflineTxForUnknownId", "true", "unknown_offline"),
    ],
)
def test_what_stands_in_the_way_is_named(key: str, value: str | None, code: str) -> None:
    """With what is missing, a person knows what to do."""
    found = judge("ocpp1.6", told({**GOOD, key: value}), NOW)
    assert is_billable(found) is False
    assert [each.wanted.code for each in found if each.stands_in_the_way] == [code]


def test_what_is_written_keeps_what_was_there() -> None:
    """Other measurands may be there for a reason; what may not be written is not."""
    values: dict[str, str | None] = {
        "MeterValuesSampledData": "Voltage,Current.Import",
        "MeterValueSampleInterval": "0",
    }
    assert better(one(values, "sampled_energy")) == "Voltage,Current.Import,Energy.Active.Import.Register"
    assert better(one(values, "sample_interval")) == "60"
    assert better(one(values, "sample_interval", writable=False)) is None
    assert better(one(GOOD, "sample_interval")) is None


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("2026-11-21T08:00:30Z", True),
        ("2026-11-21T08:00:00", True),
        ("2026-11-21T09:00:30+01:00", True),
        ("1970-01-01T00:00:00Z", False),
        ("noon", False),
    ],
)
def test_a_clock_is_near_or_it_is_not(value: str, is_good: bool) -> None:
    """Seen from when it was told."""
    rows = told({"DateTime": value}, component="ClockCtrlr")
    [clock] = [each for each in judge("ocpp2.0.1", rows, NOW) if each.wanted.code == "clock"]
    assert (clock.told is Told.GOOD) is is_good


@given(st.sampled_from(PROTOCOLS), st.text(max_size=40))
def test_whatever_a_station_says_is_judged(protocol: str, value: str) -> None:
    """Its configuration is text, and text may say anything."""
    found = judge(protocol, [variable(place, value) for _, place in wanted_of(protocol)], NOW)
    assert all(each.told in {Told.GOOD, Told.WRONG} for each in found)
    assert all(better(each) is None or each.told is Told.WRONG for each in found)
