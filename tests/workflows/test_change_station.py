"""A station moves, gets another key; an EVSE gets its true power: recorded, told, and nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.stations.station import Current
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.change_station import ChangeEvse, ChangeStation, change_evse, change_station

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def test_a_station_moves_and_gets_another_key(quick_house: HouseOf) -> None:
    """The gateways hear of the key by an event of its own; the record names no key."""
    house = quick_house
    yard = house.do(add_location, AddLocation("yard", "Yard"))
    changed = house.do(change_station, ChangeStation("CP1", "yard", "another hash"))
    assert (changed.location_id, changed.key_hash) == (yard.location_id, "another hash")
    [action] = house.rows.actions.by(action="station.change")
    assert action.after == {"location_id": yard.location_id, "key": "replaced"}
    told = [row[0] for row in house.reader.execute("SELECT type FROM events WHERE type LIKE 'Station%Changed'")]
    assert told == ["StationKeyChanged", "StationChanged"]


def test_the_same_again_is_no_change(quick_house: HouseOf) -> None:
    """A program that repeats itself leaves no trail."""
    house = quick_house
    house.do(add_location, AddLocation("yard", "Yard"))
    code = house.rows.evses.by()[0].code
    for _ in range(2):
        house.do(change_station, ChangeStation("CP1", "yard"))
        house.do(change_evse, ChangeEvse(code, Current.DC, 150_000, "2024-04-08"))
    assert len(house.rows.actions.by(action="station.change")) == 1
    [action] = house.rows.actions.by(action="evse.change")
    assert action.after == {"current": "dc", "max_watts": 150_000, "deployed_on": "2024-04-08"}


def test_what_is_not_there_is_told_apart(quick_house: HouseOf) -> None:
    """A station, a location, an EVSE; and a power that is none."""
    house = quick_house
    code = house.rows.evses.by()[0].code
    for command in (ChangeStation("CP404", "yard"), ChangeStation("CP1", "nowhere")):
        with pytest.raises(NotFound):
            house.do(change_station, command)
    with pytest.raises(NotFound):
        house.do(change_evse, ChangeEvse("GB*TWA*E404*1"))
    with pytest.raises(BadInput):
        house.do(change_evse, ChangeEvse(code, max_watts=0))
