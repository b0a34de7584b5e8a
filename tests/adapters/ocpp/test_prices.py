"""Displays of stations that somebody else wrote are told over a real socket what a session costs, in each version."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import ocpp.v16
import ocpp.v21
import ocpp.v201
import pytest
from ocpp.routing import on

from tallywatt.stations.display import Shows
from tallywatt.stations.messages import NEW, NEWEST, OLD
from tallywatt.workflows.show_price import (
    SetDisplay,
    ShowFinalPrice,
    ShowPrice,
    set_display,
    show_final_price,
    show_price,
)
from tests.adapters.ocpp.test_messages import carried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Display16(ocpp.v16.ChargePoint):
    """A station of OCPP 1.6 with a display of the kind that California asks for."""

    shown: list[tuple[str, dict[str, Any]]]

    @on("DataTransfer")
    async def show(self, vendor_id: str, message_id: str, data: str) -> Any:
        """Whatever it is told."""
        assert vendor_id == "org.openchargealliance.costmsg"
        self.shown.append((message_id, json.loads(data)))
        return ocpp.v16.call_result.DataTransfer(status="Accepted")


class Display201(ocpp.v201.ChargePoint):
    """A station of OCPP 2.0.1 with a display."""

    shown: list[tuple[str, dict[str, Any]]]

    @on("CostUpdated")
    async def show(self, total_cost: Any, transaction_id: str) -> Any:
        """The cost, and nothing else is told."""
        self.shown.append(("CostUpdated", {"transactionId": transaction_id, "cost": total_cost}))
        return ocpp.v201.call_result.CostUpdated()


class Display21(ocpp.v21.ChargePoint):
    """A station of OCPP 2.1 with a display."""

    shown: list[tuple[str, dict[str, Any]]]

    @on("CostUpdated")
    async def show(self, total_cost: Any, transaction_id: str) -> Any:
        """The cost, and nothing else is told."""
        self.shown.append(("CostUpdated", {"transactionId": transaction_id, "cost": total_cost}))
        return ocpp.v21.call_result.CostUpdated()


KINDS = {OLD: Display16, NEW: Display201, NEWEST: Display21}


@asynccontextmanager
async def listening(point: Point, kind: type[Any]) -> AsyncIterator[Any]:
    """The station answers what it is asked; meanwhile nobody else reads its socket."""
    one = kind(point.identity, point.socket)
    one.shown = []
    task = asyncio.create_task(one.start())
    yield one
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def told(point: Point, kind: type[Any], *, final: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """What the worker does about the display of its only session, and what the display shows then."""
    which = point.session.session_id
    if final:
        point.scene.do(show_final_price, ShowFinalPrice(which))
    else:
        point.scene.do(show_price, ShowPrice(which))
    async with listening(point, kind) as station:
        for one in point.commands():
            if one.is_open:
                await carried(point, one)
        found: list[tuple[str, dict[str, Any]]] = station.shown
        return found


@pytest.mark.parametrize("protocol", [NEW, NEWEST])
async def test_a_display_of_2_x_shows_what_runs_up_and_in_the_end_the_bill(scene: Scene, protocol: str) -> None:
    """Two price engines never agree: what is shown while it runs and in the end is the one that bills."""
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        started = await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        assert started["idTokenInfo"]["personalMessage"] == {"format": "UTF8", "content": "€0.50 per kWh"}
        assert await told(point, KINDS[protocol]) == [("CostUpdated", {"transactionId": "T1", "cost": 0})]
        await point.event("Updated", 1, "08:30:00", 5000)
        assert await told(point, KINDS[protocol]) == [("CostUpdated", {"transactionId": "T1", "cost": 2.0})]
        assert await told(point, KINDS[protocol]) == [], "what it shows already is not said again"
        ended = await point.event("Ended", 2, "09:00:00", 9002)
        [invoice] = point.look("invoices", session_id=point.session.session_id)
        assert invoice.gross_minor == 400
        assert ended["totalCost"] == 4.0
        assert ended["updatedPersonalMessage"]["content"] == "€4.00 · 8.002 kWh"
        assert await told(point, KINDS[protocol], final=True) == [("CostUpdated", {"transactionId": "T1", "cost": 4.0})]
        assert {one.state for one in point.commands()} == {"completed"}


async def test_a_display_of_1_6_is_told_as_california_does(scene: Scene) -> None:
    """Version 1.6 has no message for prices: the alliance agreed on a DataTransfer, for stations that say that they know it."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        scene.do(set_display, SetDisplay(point.id, Shows.ALWAYS))
        number = await point.start("08:00:00", 1000)
        await point.values(number, ("08:30:00", 5000))
        running, user = sorted(await told(point, Display16), key=lambda one: one[0])
        assert user == ("SetUserPrice", {"idToken": "CARD", "priceText": "€0.50 per kWh"})
        assert running == (
            "RunningCost",
            {
                "transactionId": number,
                "timestamp": "2026-11-20T08:30:00.000Z",
                "meterValue": 5000,
                "cost": 2.00,
                "state": "Charging",
                "chargingPrice": {"kWhPrice": 0.50},
            },
        )
        await point.stop(number, "09:00:00", 9000)
        [final] = await told(point, Display16, final=True)
        assert final == ("FinalCost", {"transactionId": number, "cost": 4.00, "priceText": "€4.00 · 8.00 kWh"})


async def test_a_station_of_1_6_that_says_nothing_of_a_display_is_told_nothing(scene: Scene) -> None:
    """To most of them such a DataTransfer means nothing."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        await point.start("08:00:00", 1000)
        assert point.look("told_prices", session_id=point.session.session_id) == []


async def test_a_station_that_cannot_show_a_price_is_not_asked_again(scene: Scene) -> None:
    """Some answer NotImplemented: the session goes on as if nothing had been said."""
    plain = ocpp.v201.ChargePoint
    async with scene.newcomer(NEW).online() as point:
        await point.boot()
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        assert await told(point, plain) == []
        [asked] = point.commands()
        assert (asked.state, asked.reason) == ("rejected", "NotImplemented")
        await point.event("Updated", 1, "08:30:00", 5000)
        assert point.scene.do(show_price, ShowPrice(point.session.session_id)) is None
        assert len(point.commands()) == 1
        assert (await point.event("Ended", 2, "09:00:00", 9000))["totalCost"] == 4.0


async def test_a_station_that_says_that_it_shows_no_tariffs_is_not_told_them(scene: Scene) -> None:
    """Its own configuration is believed."""
    async with scene.newcomer(NEW).online() as point:
        await point.boot()
        place = {"component": {"name": "TariffCostCtrlr"}, "variable": {"name": "Available", "instance": "Tariff"}}
        attribute = {"type": "Actual", "value": "false"}
        report = {"requestId": 1, "seqNo": 0, "generatedAt": "2026-11-20T08:00:00Z"}
        await point.say("NotifyReport", {**report, "reportData": [{**place, "variableAttribute": [attribute]}]})
        started = await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        assert "personalMessage" not in started["idTokenInfo"]
