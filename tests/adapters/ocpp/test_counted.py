"""What a station of OCPP 2.1 has counted for itself, told over a real socket: evidence beside the price, never the price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.stations.display import Shows
from tallywatt.stations.messages import NEWEST
from tallywatt.workflows.show_price import SetDisplay, set_display

if TYPE_CHECKING:
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
OURS = "0123456789abcdef0123456789abcdef01234567"


def counted(total: float, **more: Any) -> dict[str, Any]:
    """CostDetails, as the specification has them."""
    return {
        "totalCost": {
            "currency": "EUR",
            "typeOfCost": "NormalCost",
            "energy": {"exclTax": round(total / 1.19, 4), "inclTax": total, "taxRates": [{"type": "VAT", "tax": 19}]},
            "total": {"exclTax": round(total / 1.19, 4), "inclTax": total},
        },
        "totalUsage": {"energy": 8000, "chargingTime": 3600, "idleTime": 0},
        "chargingPeriods": [
            {
                "startPeriod": "2026-11-20T08:00:00Z",
                "tariffId": OURS,
                "dimensions": [{"type": "Energy", "volume": 8000}, {"type": "IdleTIme", "volume": 0}],
            }
        ],
        **more,
    }


async def ended(point: Point, cost: Any) -> None:
    """Eight kilowatt-hours, for which the house charges 4.00 EUR."""
    await point.boot()
    await point.event("Started", 0, "08:00:00", 1000, token="CARD")
    told = await point.event("Ended", 1, "09:00:00", 9000, costDetails=cost)
    assert told["totalCost"] == 4


def kept(point: Point) -> Any:
    """What was written down of its only session."""
    [row] = point.look("told_costs", session_id=point.session.session_id)
    return row


async def test_what_a_station_counts_alike_is_kept_and_nobody_is_told(scene: Scene) -> None:
    """It is evidence: the part of each kind, and by which tariff."""
    async with scene.newcomer(NEWEST).online() as point:
        await ended(point, counted(4.0))
        row = kept(point)
        assert (row.after_taxes, row.currency, row.kind) == (Decimal("4.0"), "EUR", "NormalCost")
        assert (row.tariff_id, row.difference_minor, row.rated_id) == (OURS, 0, point.session.rated_id)
        assert row.parts["energy"] == {"before_taxes": "3.3613", "after_taxes": "4.0", "quantity": "8000"}
        assert row.parts["charging_time"] == {"quantity": "3600"}
        assert "cost_differs" not in point.inbox()


async def test_a_cent_is_rounding_and_more_is_told_to_a_person_while_ours_is_charged(scene: Scene) -> None:
    """The driver has seen another sum on the display, and will ask."""
    async with scene.newcomer(NEWEST).online() as point:
        await ended(point, counted(4.01))
        assert kept(point).difference_minor == 1
        assert "cost_differs" not in point.inbox()
    async with scene.newcomer(NEWEST).online() as point:
        await ended(point, counted(4.6))
        [invoice] = point.look("invoices", session_id=point.session.session_id)
        assert invoice.gross_minor == 400
        item = point.inbox()["cost_differs"]
        assert item.summary == "the station has counted 4.6 EUR with tax, and 4.00 EUR is charged"
        assert item.detail is not None
        assert item.detail["difference_minor"] == 60


async def test_an_operator_says_how_much_may_differ(scene: Scene) -> None:
    """Whoever has stations that round each line wants less to look at."""
    async with scene.newcomer(NEWEST).online() as point:
        scene.do(set_display, SetDisplay(point.id, Shows.AUTO, tolerance_minor=60))
        await ended(point, counted(4.6))
        assert "cost_differs" not in point.inbox()
        assert kept(point).difference_minor == 60


async def test_another_currency_is_told_and_a_station_that_could_not_count_is_not(scene: Scene) -> None:
    """Nothing can be compared; of the first a person should know, the second has said so itself."""
    async with scene.newcomer(NEWEST).online() as point:
        foreign = counted(4.0)
        foreign["totalCost"]["currency"] = "SEK"
        await ended(point, foreign)
        assert kept(point).difference_minor is None
        assert "4.0 SEK" in point.inbox()["cost_differs"].summary
    async with scene.newcomer(NEWEST).online() as point:
        await ended(point, counted(0.0, failureToCalculate=True, failureReason="no tariff"))
        assert (kept(point).failure, kept(point).difference_minor) == ("no tariff", None)
        assert "cost_differs" not in point.inbox()


async def test_the_newest_running_cost_is_kept_and_the_last_word_is_the_end(scene: Scene) -> None:
    """Events come twice, and late."""
    async with scene.newcomer(NEWEST).online() as point:
        await point.boot()
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        await point.event("Updated", 2, "08:30:00", 5000, costDetails=counted(2.0))
        await point.event("Updated", 1, "08:10:00", 2000, costDetails=counted(0.5))
        assert (kept(point).after_taxes, kept(point).is_final) == (Decimal("2.0"), False)
        await point.event("Ended", 4, "09:00:00", 9000, costDetails=counted(4.0))
        await point.event("Updated", 3, "08:40:00", 6000, costDetails=counted(2.5))
        await point.event("Ended", 4, "09:00:00", 9000, costDetails=counted(4.0))
        row = kept(point)
        assert (row.after_taxes, row.is_final) == (Decimal("4.0"), True)
        assert row.difference_minor == 0, "it is compared when the price is there"


@pytest.mark.parametrize(
    "broken",
    [
        "free",
        {},
        {"totalCost": {"total": {"inclTax": "many"}}, "totalUsage": []},
        {"totalCost": {"currency": "EURO", "total": {"inclTax": 1e300}}},
        {"totalCost": {"total": {"inclTax": 4.0}}, "chargingPeriods": [{"tariffId": "4111111111111111"}, 7]},
    ],
)
async def test_costs_that_cannot_be_read_lose_no_end(scene: Scene, broken: Any) -> None:
    """What the station counts is worth less than what it has metered."""
    async with scene.newcomer(NEWEST).online() as point:
        await ended(point, broken)
        assert point.billed_wh() == 8000
        assert "cost_differs" not in point.inbox()
        rows = point.look("told_costs", session_id=point.session.session_id)
        assert all(one.tariff_id is None for one in rows), "a name that is none of ours is not kept"
        assert [replace(one, parts={}) for one in rows] == rows


@pytest.mark.parametrize("number", [-1, "seven", 2**40, 1.5, None, [], {"id": 4}])
@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_a_reservation_that_cannot_be_one_loses_no_start(scene: Scene, protocol: str, number: Any) -> None:
    """A station that writes nonsense there has a driver at it all the same."""
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        if protocol == "ocpp1.6":
            transaction = await point.start("08:00:00", 1000, reservationId=number)
            assert transaction > 0
            await point.stop(transaction, "09:00:00", 9000)
        else:
            started = await point.event("Started", 0, "08:00:00", 1000, token="CARD", reservationId=number)
            assert started["idTokenInfo"]["status"] == "Accepted"
            await point.event("Updated", 1, "08:30:00", 5000, reservationId=number)
            await point.event("Ended", 2, "09:00:00", 9000)
        assert point.session.token_uid == "card"
        assert point.session.reservation_id is None
        assert point.billed_wh() == 8000
