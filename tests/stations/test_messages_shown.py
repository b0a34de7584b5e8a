"""Texts on displays: what is asked for fits the official schema, and whatever a station answers is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.stations import messages_shown as texts
from tallywatt.stations.command import Asked
from tallywatt.stations.messages import NEW, NEWEST, OLD
from tallywatt.wiring import check_message

NOW = Instant(1_795_000_000_000)
LATER = Instant(NOW + 3_600_000)


@pytest.mark.parametrize("protocol", [NEW, NEWEST])
def test_what_is_asked_for_fits_the_official_schema(protocol: str) -> None:
    """With everything, and with nothing but the text."""
    for wanted in (
        texts.Text(1, "Closed on Monday"),
        texts.Text(2, "Montag zu", "AlwaysFront", "Charging", "de", NOW, LATER),
    ):
        name, content = texts.showing(protocol, wanted)
        check_message(protocol, name, content)
    check_message(protocol, *texts.clearing(2))
    check_message(protocol, texts.LIST, {"requestId": 1})


@pytest.mark.parametrize(
    "wanted",
    [
        texts.Text(1, "  "),
        texts.Text(1, "x" * 600),
        texts.Text(1, "x", "Loud"),
        texts.Text(1, "x", state="Asleep"),
        texts.Text(-1, "x"),
        texts.Text(1, "x", begins=LATER, ends=NOW),
    ],
)
def test_what_no_display_knows_is_refused(wanted: texts.Text) -> None:
    """Before the station is asked."""
    with pytest.raises(BadInput):
        texts.showing(NEW, wanted)


def test_an_old_station_has_none() -> None:
    """OCPP 1.6 has no such message."""
    with pytest.raises(BadInput, match="no messages"):
        texts.showing(OLD, texts.Text(1, "x"))


def test_what_a_station_shows_follows_from_what_it_said_yes_to() -> None:
    """The same number replaces, a refusal changes nothing, what is taken away or over is gone; its own report goes first."""

    def asked(number: int, name: str, content: dict[str, Any], state: str = "completed") -> Asked:
        return Asked(str(number), name, state, content, Instant(NOW + number))

    def set_(number: int, text: str, ends: Instant | None = None) -> dict[str, Any]:
        return texts.showing(NEW, texts.Text(number, text, ends=ends))[1]

    story = [
        asked(1, texts.SET, set_(1, "one")),
        asked(2, texts.SET, set_(1, "two")),
        asked(3, texts.SET, set_(2, "over", Instant(NOW + 10))),
        asked(4, texts.SET, set_(3, "no"), "rejected"),
        asked(5, texts.SET, set_(4, "gone")),
        asked(6, texts.CLEAR, {"id": 4}),
    ]
    assert [one.text for one in texts.texts_of(story, [], None, LATER)] == ["two"]
    own = {"id": 9, "priority": "InFront", "message": {"format": "UTF8", "content": "Welcome"}}
    told = texts.with_told([{"messageInfo": [own]}])
    assert [one.text for one in texts.texts_of(story, told, Instant(NOW + 7), LATER)] == ["Welcome"]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "message", "messageInfo", "content", "startDateTime", "endDateTime"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(told=st.dictionaries(st.sampled_from(["messageInfo", "x"]), ANY_JSON, max_size=2))
def test_whatever_a_station_tells_is_read_or_left_out(told: dict[str, Any]) -> None:
    """No report of a station makes a page fail."""
    assert all(0 <= one.number <= texts.LARGEST_NUMBER for one in texts.with_told([told]))
