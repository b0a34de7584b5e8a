"""A limit that somebody has chosen is kept: the station is asked, slowed down and stopped, and a person told if it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.stations.nearness import SOON_MS
from tallywatt.workflows.command_station import WatchCommand, watch_command
from tallywatt.workflows.keep_limit import SetLimit, set_limit
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tallywatt.workflows.watch_hold import WatchHold, watch_hold
from tallywatt.workflows.watch_limit import WatchLimit, watch_limit
from tests.workflows.house_of import kwh

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf, Wire


def charging(house: HouseOf, every: float = 1) -> tuple[Wire, str]:
    """Twelve minutes at 10 kW, with a word of the meter every so many minutes: 2 kWh, 0.60."""
    wire = house.wire()
    transaction = wire.start()
    for step in range(1, round(12 / every) + 1):
        wire.sample(transaction, (house.later(every), kwh(2 * step * every / 12)))
    return wire, transaction


def limit(house: HouseOf, transaction: str, **limits: Any) -> None:
    """Somebody chooses one."""
    house.do(set_limit, SetLimit(house.session(transaction).session_id, limits))


def look(house: HouseOf, transaction: str) -> int | None:
    """What the worker does."""
    return house.do(watch_limit, WatchLimit(house.session(transaction).session_id))


def told(house: HouseOf) -> list[str]:
    """What the station was told, in order."""
    rows = sorted(house.rows.station_commands.by(), key=lambda one: (one.requested_at, one.command_id))
    return [one.name or one.action for one in rows]


@pytest.mark.parametrize(
    "limits", [{"gross_minor": 62}, {"milliwatt_hours": 2_060_000}, {"seconds": 12 * 60 + 30}, {"gross_minor": 1}]
)
def test_a_limit_in_money_energy_or_time_stops_the_session(quick_house: HouseOf, limits: dict[str, int]) -> None:
    """Whichever it is: so little is left that a stop has to go out now."""
    _, transaction = charging(quick_house)
    limit(quick_house, transaction, **limits)
    look(quick_house, transaction)
    assert told(quick_house) == ["stop"]


def test_a_station_that_speaks_seldom_is_asked_when_it_comes_nearer(quick_house: HouseOf) -> None:
    """Its silence is most of the margin: with fresh values it may go on for longer."""
    _, transaction = charging(quick_house, every=4)
    limit(quick_house, transaction, milliwatt_hours=kwh(2) + 22_000_000 * 14 // 60)
    assert look(quick_house, transaction) == 20
    assert told(quick_house) == ["TriggerMessage"]


def test_less_power_is_asked_for_once_at_a_time(quick_house: HouseOf) -> None:
    """A second profile on top of an unanswered one would tell nothing new."""
    _, transaction = charging(quick_house)
    limit(quick_house, transaction, milliwatt_hours=kwh(2) + 22_000_000 * 3 // 60)
    for _ in range(3):
        look(quick_house, transaction)
    assert told(quick_house) == ["SetChargingProfile"]


def test_a_station_that_does_not_stop_is_a_matter_for_a_person(quick_house: HouseOf) -> None:
    """What it delivers beyond the limit is owed, and somebody has to know."""
    _, transaction = charging(quick_house)
    limit(quick_house, transaction, milliwatt_hours=kwh(1))
    for _ in range(3):
        assert look(quick_house, transaction) == SOON_MS // 1000
        quick_house.later(2)
        for one in quick_house.rows.station_commands.by(action="stop"):
            quick_house.do(watch_command, WatchCommand(one.command_id))
    assert look(quick_house, transaction) is None
    assert [one.kind for one in quick_house.inbox("limit_passed")] == ["limit_passed"]


def test_a_limit_that_is_lifted_is_watched_no_more(quick_house: HouseOf) -> None:
    """The driver has changed their mind."""
    _, transaction = charging(quick_house)
    limit(quick_house, transaction, milliwatt_hours=kwh(1))
    limit(quick_house, transaction)
    assert look(quick_house, transaction) is None
    assert told(quick_house) == []


def test_a_session_that_has_ended_takes_no_limit(quick_house: HouseOf) -> None:
    """There is nothing to limit."""
    wire, transaction = charging(quick_house)
    wire.stop(transaction, kwh(2))
    with pytest.raises(Conflict) as refused:
        limit(quick_house, transaction, gross_minor=100)
    assert refused.value.code == "sessions.not_running"


def test_a_limit_chosen_when_paying_stops_a_session_before_its_hold_is_used_up(quick_house: HouseOf) -> None:
    """Forty-five are held, and the driver wanted to spend five: no more is held, and no more is spent."""
    [evse] = [one for one in quick_house.rows.evses.by() if one.number == 1]
    urls = ("http://127.0.0.1:1/ok/{secret}", "http://127.0.0.1:1/back")
    payment = quick_house.do(offer_and_pay, OfferAndPay(evse.code, *urls, limits={"gross_minor": 500}))
    quick_house.collect()
    started = quick_house.do(start_paid_session, StartPaidSession(payment.payment_id))
    assert started is not None
    wire = quick_house.wire()
    transaction = wire.start(token=str(started.payload["tag"]))
    for energy in (8, 16):
        wire.sample(transaction, (quick_house.later(45), kwh(energy)))
    assert quick_house.do(watch_hold, WatchHold(payment.payment_id)) is not None
    assert told(quick_house) == ["start", "stop"], "0.66 kWh may be gone before the next word of this station"
    assert [one.kind for one in quick_house.rows.operations.by()] == ["hosted_page"]


@pytest.mark.parametrize(
    "limits", [{"gross_minor": 0}, {"percent": 101}, {"kwh": 3}, {"seconds": "60"}, {"seconds": True}]
)
def test_what_cannot_be_a_limit_is_refused(quick_house: HouseOf, limits: dict[str, Any]) -> None:
    """A limit of nothing would stop a session that somebody wants."""
    _, transaction = charging(quick_house)
    with pytest.raises(BadInput) as refused:
        limit(quick_house, transaction, **limits)
    assert refused.value.code == "sessions.bad_limit"
