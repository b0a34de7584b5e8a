"""What displays of stations are told of a session's cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.errors import BadInput
from tallywatt.stations.display import Shows
from tallywatt.stations.offline import Starts
from tallywatt.workflows.command_station import CommandAnswered, command_answered
from tallywatt.workflows.ports import LinkAnswer
from tallywatt.workflows.set_offline import SetOffline, set_offline
from tallywatt.workflows.show_price import (
    ANSWER_SECONDS,
    SetDisplay,
    ShowFinalPrice,
    ShowPrice,
    set_display,
    show_final_price,
    show_price,
)
from tests.workflows.house_of import WITH_IDLE_FEE, HouseOf, kwh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.stations.command import StationCommand
    from tests.workflows.house_of import Wire


@pytest.fixture
def house(sqlite_house_url: str) -> Iterator[HouseOf]:
    """A house with a station that shows prices, and a tariff whose price waits for the vehicle to leave."""
    with HouseOf(sqlite_house_url) as one:
        one.furnish(WITH_IDLE_FEE)
        one.do(set_display, SetDisplay(None, Shows.ALWAYS, every_seconds=30))
        yield one


def charging(house: HouseOf) -> tuple[Wire, str]:
    """A session that has taken 10 kWh in half an hour."""
    wire = house.wire()
    transaction = wire.start()
    wire.sample(transaction, (house.later(30), kwh(10)))
    return wire, transaction


def told(house: HouseOf) -> list[StationCommand]:
    """What the station was told about prices, oldest first."""
    return sorted(house.rows.station_commands.by(name="DataTransfer"), key=lambda one: one.requested_at)


def shown(house: HouseOf, kind: str) -> list[dict[str, Any]]:
    """What it was told of one kind, oldest first."""
    contents = [one.payload["content"] for one in told(house)]
    return [json.loads(one["data"]) for one in contents if one["messageId"] == kind]


def answer(house: HouseOf, outcome: str) -> None:
    """The station answers whatever is open, in one way."""
    for one in told(house):
        if one.is_open:
            house.do(command_answered, CommandAnswered(one.command_id, LinkAnswer(outcome)))


def look(house: HouseOf, transaction: str) -> int | None:
    """What the worker does."""
    return house.do(show_price, ShowPrice(house.session(transaction).session_id))


def test_the_cost_is_told_once_and_again_when_it_has_changed(house: HouseOf) -> None:
    """A display is slow, and other commands wait behind it."""
    wire, transaction = charging(house)
    assert look(house, transaction) == 30
    answer(house, "accepted")
    assert look(house, transaction) == 30
    assert shown(house, "SetUserPrice") == [{"idToken": "CARD1", "priceText": "£0.30 per kWh + £6.00 per hour idle"}]
    wire.sample(transaction, (house.later(10), kwh(12)))
    look(house, transaction)
    assert [one["cost"] for one in shown(house, "RunningCost")] == [3.00, 3.60]
    assert {one["idlePrice"]["hourPrice"] for one in shown(house, "RunningCost")} == {6}, "what staying would cost"


def test_nothing_is_told_while_an_answer_is_awaited(house: HouseOf) -> None:
    """A silent station gets no second question on top of the first."""
    wire, transaction = charging(house)
    look(house, transaction)
    wire.sample(transaction, (house.later(0.1), kwh(12)))
    look(house, transaction)
    assert len(told(house)) == 2


def test_a_station_that_is_silent_twice_is_left_alone(house: HouseOf) -> None:
    """What nobody reads must not stand in the way of a stop."""
    wire, transaction = charging(house)
    again: int | None = 30
    while again is not None:
        again = look(house, transaction)
        answer(house, "rejected" if again is None else "not_connected")
        wire.sample(transaction, (house.later(1), kwh(12)))
    assert len(told(house)) == 3


@pytest.mark.parametrize("ends", ["at once", "later"])
def test_the_final_cost_is_the_one_of_the_bill(house: HouseOf, ends: str) -> None:
    """It comes when the bill is made, be that long after the stop: idle time costs something here."""
    wire, transaction = charging(house)
    look(house, transaction)
    answer(house, "accepted")
    house.later(5)
    wire.stop(transaction, kwh(11))
    if ends == "later":
        wire.report("SuspendedEV")
        house.later(45)
        assert look(house, transaction) == 30, "idle time runs up, and is shown"
        answer(house, "accepted")
    wire.report("Available")
    session = house.session(transaction)
    assert house.do(show_final_price, ShowFinalPrice(session.session_id)) is None
    [invoice] = house.rows.invoices.by()
    [final] = shown(house, "FinalCost")
    assert round(final["cost"] * 100) == invoice.gross_minor
    assert [one["cost"] for one in shown(house, "RunningCost")] == ([3.0] if ends == "at once" else [3.0, 7.8])
    assert look(house, transaction) is None
    assert house.do(show_final_price, ShowFinalPrice(session.session_id)) is None, "told once"


TWO_PRICES: dict[str, Any] = {
    "id": "two",
    "currency": "GBP",
    "tax_included": "NO",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.50, "vat": 20, "step_size": 1}],
            "restrictions": {"end_time": "12:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 20, "step_size": 1}]},
    ],
}


def test_a_change_of_price_ahead_is_told_with_its_time(sqlite_house_url: str) -> None:
    """A display that knows shows the new price by itself, without another message."""
    with HouseOf(sqlite_house_url) as house:
        house.furnish(TWO_PRICES)
        house.do(set_display, SetDisplay(None, Shows.ALWAYS))
        _, transaction = charging(house)
        look(house, transaction)
        [running] = shown(house, "RunningCost")
    assert running["chargingPrice"] == {"kWhPrice": 0.6}, "what is paid, with tax"
    assert running["nextPeriod"] == {"atTime": "2026-03-02T12:00:00.000Z", "chargingPrice": {"kWhPrice": 0.3}}


def test_whoever_wants_it_tells_no_display_anything(house: HouseOf) -> None:
    """One station is not to be told: the rule of all does not hold there."""
    wire = house.wire()
    house.do(set_display, SetDisplay(wire.station_id, Shows.NEVER))
    transaction = wire.start()
    assert house.rows.told_prices.by() == []
    wire.stop(transaction, kwh(1))
    wire.report("Available")
    assert not house.rows.stored_jobs.by(kind="show_final_price")


@pytest.mark.parametrize("seconds", [0, 9, 3601])
def test_an_interval_is_sensible(house: HouseOf, seconds: int) -> None:
    """Each telling is a question that a station has to answer before it hears anything else."""
    with pytest.raises(BadInput) as refused:
        house.do(set_display, SetDisplay(None, Shows.AUTO, seconds))
    assert refused.value.code == "stations.bad_interval"


def test_an_answer_that_never_comes_takes_no_longer_than_it_may(house: HouseOf) -> None:
    """The deadline is short: a display is no reason to keep a stop waiting."""
    _, transaction = charging(house)
    look(house, transaction)
    assert {one.deadline_at - one.requested_at for one in told(house)} == {ANSWER_SECONDS * 1000}


def test_what_is_not_named_stays_as_it_was(quick_house: HouseOf) -> None:
    """Whoever changes one thing about a display, or about what may be done offline, does not undo another."""
    station_id = quick_house.wire().station_id
    quick_house.do(set_display, SetDisplay(station_id, Shows.NEVER, 45))
    rule = quick_house.do(set_display, SetDisplay(station_id, tolerance_minor=5))
    assert (rule.shows, rule.every_seconds, rule.tolerance_minor) == (Shows.NEVER, 45, 5)
    quick_house.do(set_offline, SetOffline(station_id, Starts.ANYBODY, 5000))
    told = quick_house.do(set_offline, SetOffline(station_id))
    assert (told.rule.starts, told.rule.refused_wh) == (Starts.ANYBODY, 5000)
    told = quick_house.do(set_offline, SetOffline(station_id, refused_wh=0))
    assert (told.rule.starts, told.rule.refused_wh) == (Starts.ANYBODY, 0)
