"""Views: plain dicts that can be shown as JSON, the same on both engines, and money that adds up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.clock import Instant
from tests.evidence.test_audit import busy
from tests.workflows.house_of import MINUTE, NINE, HouseOf, kwh

if TYPE_CHECKING:
    from collections.abc import Callable

LISTED = {
    "id", "source", "station", "evse", "transaction_id", "token", "payer", "state", "started_at", "energy_ended_at",
    "transaction_ended_at", "occupancy_ended_at", "energy_wh", "total_minor", "currency", "invoice", "flags",
}  # fmt: skip
"""The keys that `tallywatt session list --json` promises."""


def see(house: HouseOf, view: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Ask a view of the house's operator; the answer can be shown as JSON."""
    answer = view(house.reader, house.operator, *values, **named)
    json.dumps(answer)
    return answer


def test_a_session_in_the_list_has_the_promised_keys(house: HouseOf) -> None:
    """Programs read them: they stay."""
    house.wire().charge(kwh(10) + 1_500)

    [shown] = see(house, Views.sessions)["items"]

    assert set(shown) >= LISTED
    assert shown["energy_wh"] == "10001.5"
    assert shown["started_at"] == "2026-03-02T09:00:00.000Z"
    assert (shown["station"], shown["evse"], shown["customer"]) == ("CP1", "GB*TWA*ECP1*1", "C1")
    assert (shown["total_minor"], shown["currency"], shown["invoice"]) == (300, "GBP", "INV-2026-000001")
    assert (shown["captured_minor"], shown["owed_minor"]) == (0, 300)


def test_pages_follow_each_other_without_loss(house: HouseOf) -> None:
    """The cursor is the last id of a page; what arrives meanwhile does not move the others."""
    wire = house.wire()
    for place in range(5):
        wire.charge(kwh(1), meter=kwh(place))

    seen: list[str] = []
    cursor = None
    while True:
        page = see(house, Views.sessions, 2, before=cursor)
        seen += [row["transaction_id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({"state": "held"}, ["2"]),
        ({"source": "api"}, []),
        ({"token": "NoBody"}, ["2"]),
        ({"customer": "C1"}, ["3", "1"]),
        ({"flag": "unknown_token"}, ["2"]),
        ({"reason": "unknown_payer"}, ["2"]),
        ({"evse": "GB*TWA*ECP1*2"}, ["3"]),
        ({"station": "CP1", "state": "billed", "payer": "customer"}, ["3", "1"]),
        ({"since": NINE + 60 * MINUTE, "until": NINE + 120 * MINUTE}, ["2"]),
    ],
)
def test_a_list_can_be_narrowed(house: HouseOf, narrowed: dict[str, Any], expected: list[str]) -> None:
    """Any of them, and several at once."""
    wire = house.wire()
    wire.charge(kwh(1))
    wire.charge(kwh(1), meter=kwh(1), token="NOBODY")
    wire.charge(kwh(1), evse=2)

    assert [row["transaction_id"] for row in see(house, Views.sessions, **narrowed)["items"]] == expected


def test_a_session_shows_all_that_it_was_made_of(house: HouseOf) -> None:
    """Each figure leads down to the frames."""
    house.keep_a_card()
    wire = house.wire()
    wire.report("Charging", Instant(NINE + MINUTE))
    transaction = wire.charge(kwh(10))
    house.collect()

    shown = see(house, Views.session, house.session(transaction).session_id)

    assert [row["register_wh"] for row in shown["readings"]] == ["5000"]
    assert [row["action"] for row in shown["frames"]] == ["StartTransaction", "MeterValues", "StopTransaction"]
    assert [row["status"] for row in shown["states"]] == ["Charging"]
    assert [row["kind"] for row in shown["facts"]] == ["start", "stop"]
    assert shown["offer"]["tariff"] == "plain"
    [line] = shown["rated"]["lines"]
    assert (line["title"], line["quantity_text"], line["gross_minor"]) == ("Energy", "10.000 kWh", 300)
    [tax] = shown["rated"]["taxes"]
    assert (tax["tax_rate"], tax["tax_minor"]) == ("20", 50)
    assert {row["credit"] for row in shown["entries"]} == {"revenue", "tax/GB/20"}
    [payment] = shown["payments"]
    assert {row["kind"] for row in payment["operations"]} == {"prepare", "charge"}
    assert [row["amount_minor"] for row in payment["allocations"]] == [300]
    assert shown["owed_minor"] == 0
    assert [row["type"] for row in shown["events"]] == ["SessionStarted", "TransactionEnded", "SessionBilled"]


def test_what_is_not_there_is_none(house: HouseOf) -> None:
    """The caller says 404 in its own words."""
    for view in (
        Views.session,
        Views.payment,
        Views.invoice,
        Views.station,
        Views.customer,
        Views.tariff,
        Views.command,
    ):
        assert see(house, view, "nothing") is None
    assert Views.operator_by_slug(house.reader, "nobody") is None
    assert Views.evse_by_code(house.reader, "XX*1") is None
    assert see(house, Views.session_by_secret, "guessed") is None
    assert see(house, Views.payment_by_secret, "guessed") is None


def test_another_operator_sees_nothing(house: HouseOf) -> None:
    """Every view of an operator begins with the operator."""
    busy(house)
    stranger = "01890000-0000-7000-8000-00000000ffff"

    assert Views.sessions(house.reader, stranger)["items"] == []
    assert Views.payments(house.reader, stranger)["items"] == []
    assert Views.invoices(house.reader, stranger)["items"] == []
    assert Views.inbox(house.reader, stranger)["items"] == []
    assert Views.stations(house.reader, stranger) == Views.customers(house.reader, stranger) == []
    assert Views.session(house.reader, stranger, house.session(1).session_id) is None


def test_the_equations_of_the_overview_hold(house: HouseOf) -> None:
    """Delivered = billed + explained (+ what runs); billed = captured - refunded + owed."""
    busy(house)

    shown = see(house, Views.overview, "2026-03-02")

    assert shown["energy"] == {
        "delivered_wh": "45000",
        "billed_wh": "41000",
        "explained_wh": "3000",
        "explained_by": {"unknown_payer": "3000"},
        "running_wh": "1000",
        "unexplained_wh": "0",
    }
    money = shown["money"]["GBP"]
    assert money["billed_minor"] == money["captured_minor"] - money["refunded_minor"] + money["owed_minor"] == 1230
    assert shown["sessions"] == {"active": 1, "billed": 5, "held": 1}
    assert shown["revenue"]["by_currency"]["GBP"] == {
        "sessions": 5,
        "gross_minor": 1230,
        "net_minor": 1025,
        "tax_minor": 205,
    }
    assert shown["ledger_balanced"]
    assert see(house, Views.overview, "2026-03-03")["revenue"]["by_currency"] == {}


def test_unbalanced_books_are_said_to_be(house: HouseOf) -> None:
    """The page compares accounts with invoices and payments, not debits with credits alone."""
    busy(house)
    connection = connect(house.url)
    connection.begin()
    connection.change(
        "UPDATE running_sums SET amount = amount + 1 WHERE figure LIKE 'transfers.%' AND part IN ('revenue', 'receivable')"
    )
    connection.commit()
    connection.close()

    assert not see(house, Views.ledger_balanced)


def test_a_driver_sees_the_session_behind_the_link(house: HouseOf) -> None:
    """Whichever operator it belongs to."""
    transaction = house.wire().charge(kwh(1))
    session = house.session(transaction)

    found = Views.session_by_secret(house.reader, None, session.driver_secret or "")

    assert found is not None
    assert (found["id"], found["operator_id"]) == (session.session_id, house.operator)


def test_an_ad_hoc_payment_leads_to_its_session(house: HouseOf) -> None:
    """The page of the hold becomes the page of the session."""
    busy(house)
    [payment] = house.rows.payments.by(kind="ad_hoc")

    found = Views.payment_by_secret(house.reader, None, payment.driver_secret or "")

    assert found is not None
    assert found["session_secret"] == house.rows.sessions.get(payment.session_id or "").driver_secret


def test_stations_show_their_evses_and_connectors(house: HouseOf) -> None:
    """One row a station, with what it last reported."""
    wire = house.wire()
    wire.report("Charging")

    [shown] = see(house, Views.stations)

    assert (shown["identity"], shown["state"], shown["location"]) == ("CP1", "adopted", "depot")
    assert [evse["status"] for evse in shown["evses"]] == ["Charging", None]
    assert see(house, Views.stations, "quarantined") == []
    assert see(house, Views.station, "CP1")["id"] == wire.station_id


def test_no_view_tells_a_secret(house: HouseOf) -> None:
    """Hashes and keys stay where they are."""
    busy(house)
    for view in (Views.api_keys, Views.stations, Views.provider_accounts, Views.actions, Views.commands):
        assert "hash" not in json.dumps(see(house, view)).replace("secret_reference", "")


def test_sites_are_the_kinds_of_charging_points_at_a_place(house: HouseOf) -> None:
    """Rules ask for country and power; a thousand plugs that are alike are asked about once."""
    every = see(house, Views.sites)
    assert sum(one["points"] for one in every) == sum(len(one["evses"]) for one in see(house, Views.stations))
    [at_station] = see(house, Views.sites, "station", "CP1")
    assert at_station["country"] == "GB"
    assert see(house, Views.sites, "evse", at_station["code"])[0]["points"] == 1
    assert see(house, Views.sites, "location", "nowhere") == []


def test_every_list_answers_on_an_empty_house(house_url: str) -> None:
    """The console of the first minute."""
    with HouseOf(house_url) as house:
        house.furnish()
        for view in (
            Views.customers, Views.tokens, Views.api_keys, Views.actions, Views.locations, Views.stations, Views.commands,
            Views.sessions, Views.tariffs, Views.tariff_assignments, Views.payments, Views.provider_accounts,
            Views.webhook_events, Views.invoices, Views.inbox, Views.jobs, Views.job_counts, Views.overview,
            Views.sites,
        ):  # fmt: skip
            see(house, view)
        assert Views.operators(house.reader)[0]["slug"] == "dundee"
