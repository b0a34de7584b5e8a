"""A tariff stops to hold somewhere: the next driver is shown another price, and nobody the past otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.workflows.end_assignment import EndAssignment, end_assignment

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

DAY = 86_400_000


def test_it_ends_now_or_later_and_is_recorded_once(quick_house: HouseOf) -> None:
    """First in a week, then rather now; now again changes nothing."""
    house = quick_house
    [row] = house.rows.tariff_assignments.by()
    week = Instant(house.now + 7 * DAY)
    assert house.do(end_assignment, EndAssignment(row.assignment_id, week)).valid_until == week
    ended = house.do(end_assignment, EndAssignment(row.assignment_id))
    assert ended.valid_until is not None
    assert row.valid_from <= ended.valid_until < week
    house.later(5)
    assert house.do(end_assignment, EndAssignment(row.assignment_id)) == ended
    assert len(house.rows.actions.by(action="tariff.end_assignment")) == 2


def test_neither_the_past_nor_what_has_ended_is_changed(quick_house: HouseOf) -> None:
    """Sessions were priced by what held then."""
    house = quick_house
    [row] = house.rows.tariff_assignments.by()
    with pytest.raises(BadInput):
        house.do(end_assignment, EndAssignment(row.assignment_id, Instant(house.now - DAY)))
    house.do(end_assignment, EndAssignment(row.assignment_id, Instant(house.now + DAY)))
    with pytest.raises(Conflict):
        house.do(end_assignment, EndAssignment(row.assignment_id, Instant(house.now + 2 * DAY)))
    with pytest.raises(NotFound):
        house.do(end_assignment, EndAssignment("nobody"))
