"""The janitor's round, on a real house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.entrypoints.worker import Janitor
from tallywatt.settings import Settings
from tallywatt.wiring import House, upgrade
from tallywatt.workflows.add_operator import AddOperator, add_operator

if TYPE_CHECKING:
    from pathlib import Path


def test_a_round_goes_through_all_operators_and_leaves_a_quiet_house_as_it_is(tmp_path: Path) -> None:
    """It runs for ever: where nothing is wrong it must write nothing."""
    settings = Settings(data_dir=tmp_path)
    upgrade(settings.url)
    house = House(settings)
    house.open(following=False)
    try:
        for slug in ("one", "two"):
            house.write_now(house.new_id(slug), add_operator, AddOperator(slug, slug), actor="test")
        before = house.ask_now(house.views.last_position)

        assert Janitor(house).step() == 0

        assert house.ask_now(house.views.last_position) == before
    finally:
        house.close()
