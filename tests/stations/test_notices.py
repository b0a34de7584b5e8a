"""What stations say on the side becomes notices: readable whatever they say, and without what opens something."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.stations.notices import MOST, NOTICES, notices_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def event(**told: Any) -> dict[str, Any]:
    """One event of a monitor."""
    usual = {
        "eventId": 1, "timestamp": "2026-11-20T08:00:00Z", "trigger": "Alerting", "actualValue": "91",
        "component": {"name": "Cooling", "evse": {"id": 2}}, "variable": {"name": "Temperature"},
    }  # fmt: skip
    return {**usual, **told}


def test_an_event_says_what_it_is_about() -> None:
    """Component and variable, value, EVSE; severity only in 2.1."""
    [one] = notices_of("NotifyEvent", {"eventData": [event(severity=3, techInfo="fan stands still")]})
    assert (one.subject, one.evse, one.value, one.detail, one.severity) == (
        "Cooling.Temperature", 2, "91", "fan stands still", 3,
    )  # fmt: skip
    assert one.is_alarm


def test_only_what_is_bad_and_not_over_is_an_alarm() -> None:
    """A change, a warning, and the end of an alarm are listed."""
    told = [event(), event(severity=4), event(severity=5), event(cleared=True), event(trigger="Delta")]
    assert [one.is_alarm for one in notices_of("NotifyEvent", {"eventData": told})] == [True, True, False, False, False]


def test_a_data_transfer_is_kept_in_its_makers_words_without_cards() -> None:
    """JSON within a text is looked into, too."""
    told = {"vendorId": "com.maker", "messageId": "Hello", "data": '{"idTag":"04AABBCC","fan":"on"}'}
    [one] = notices_of("DataTransfer", told)
    assert one.subject == "com.maker Hello"
    assert one.value is not None
    assert "04AABBCC" not in one.value
    assert '"fan":"on"' in one.value
    [card] = notices_of("DataTransfer", {"vendorId": "V", "data": "4111 1111 1111 1111"})
    assert "1111 1111" not in str(card.value)


def test_the_same_notice_again_is_the_same() -> None:
    """A resend has the same key; the next event has not; what names no time is the same for a minute."""
    [one], [other] = (notices_of("NotifyEvent", {"eventData": [event(eventId=number)]}) for number in (1, 2))
    assert one.key(Instant(1)) == one.key(Instant(10**12))
    assert one.key(Instant(1)) != other.key(Instant(1))
    [said] = notices_of("DataTransfer", {"vendorId": "V", "data": "x"})
    assert said.key(Instant(60_000)) == said.key(Instant(119_999)) != said.key(Instant(120_000))


@given(message=st.sampled_from(sorted(NOTICES)), told=st.dictionaries(st.sampled_from(
    ["eventData", "vendorId", "messageId", "data", "chargingLimit", "chargingLimitSource", "timestamp", "evseId",
     "controlType", "alarmEnded", "transactionId", "component", "variable"]), JSON, max_size=5))  # fmt: skip
def test_whatever_a_station_says_is_kept_within_bounds(message: str, told: dict[str, Any]) -> None:
    """Nothing that comes over the wire breaks it, or fills a table with one frame."""
    found = notices_of(message, told)
    assert len(found) <= MOST
    for one in found:
        assert len(one.subject) <= 200
        assert one.key(Instant(0))


def test_one_frame_leaves_no_more_rows_than_are_read() -> None:
    """The others are in its sealed frame."""
    assert len(notices_of("NotifyEvent", {"eventData": [event(eventId=n) for n in range(MOST + 50)]})) == MOST
