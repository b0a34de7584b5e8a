"""Fleets, groups and memberships by their names, and when somebody is of them."""

from __future__ import annotations

import pytest

from tallywatt.customers.circle import Belonging, Circle, CircleKind, read_address
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import CustomerId


def a_belonging(since: int, until: int | None) -> Belonging:
    """Of one customer to one circle."""
    end = None if until is None else Instant(until)
    return Belonging("b", "c", CustomerId("x"), Instant(since), end, Instant(0))


def test_a_name_is_read_as_audiences_write_it() -> None:
    """Kind and name, and nothing that an audience could not say again."""
    assert read_address(" group:taxis ") == (CircleKind.GROUP, "taxis")
    assert Circle("c", *read_address("fleet:north/2"), "North", Instant(0)).address == "fleet:north/2"
    for wrong in ("taxis", "group:", "speed:dc_fast", "group:a,b", f"group:{'x' * 65}"):
        with pytest.raises(BadInput):
            read_address(wrong)


def test_a_span_holds_from_its_beginning_until_before_its_end() -> None:
    """Who cancels a membership at midnight does not pay its price for a session that starts then."""
    span = a_belonging(10, 20)
    assert [span.holds_at(Instant(at)) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert a_belonging(10, None).holds_at(Instant(10**12))


def test_spans_meet_where_they_have_an_instant_in_common() -> None:
    """One may begin where another ends."""
    span = a_belonging(10, 20)
    for since, until, met in ((0, 10, False), (0, 11, True), (19, None, True), (20, None, False), (0, None, True)):
        assert span.meets(Instant(since), None if until is None else Instant(until)) is met
    assert a_belonging(10, None).meets(Instant(50), None)
