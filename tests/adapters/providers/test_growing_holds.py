"""A session that costs more than was held: the hold grows, or the session is stopped; what is beyond it is owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tallywatt.kernel.errors import BadInput
from tallywatt.ledger.post import account_id
from tallywatt.simulators.psp import books
from tallywatt.workflows.adjust_hold import AdjustHold, adjust_hold
from tallywatt.workflows.command_station import WatchCommand, watch_command
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tests.adapters.providers.street import Street

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROW = {"stripe": "/increment_authorization", "adyen": "/amountUpdates"}
growing = pytest.mark.parametrize("street", sorted(GROW), indirect=True)
stripe_alone = pytest.mark.parametrize("street", ["stripe"], indirect=True)


@pytest.fixture
def street(request: pytest.FixtureRequest, tmp_path: Path, sqlite_house_url: str) -> Iterator[Street]:
    made = Street(request.param, tmp_path, sqlite_house_url)
    yield made
    made.close()


def held(street: Street) -> int:
    """What the provider holds, by its own books."""
    return books.read(street.psp.state).held_minor.get("GBP", 0)


def owed(street: Street) -> int:
    """What the books say that the driver owes."""
    mine = account_id(f"receivable/ad_hoc/{street.payment().payment_id}", "GBP")
    moved = street.house.rows.transfers.by()
    return sum(one.amount_minor * ((one.debit_account_id == mine) - (one.credit_account_id == mine)) for one in moved)


@growing
def test_case_25_the_hold_grows_before_the_session_costs_more(street: Street) -> None:
    """Nothing is done while there is time; then more is held, and all of it is taken from one hold."""
    street.furnish()
    wire, transaction = street.plugged_in()
    street.charged(wire, transaction, 100, hours=6)
    assert street.watch() is not None
    assert street.asked("adjust") == []

    street.charged(wire, transaction, 143, hours=2)
    street.watch()
    street.work()
    street.hear_until(lambda: street.payment().authorised_minor == 9000)

    assert held(street) == 9000
    assert [one.state for one in street.asked("adjust")] == ["succeeded"]
    street.charged(wire, transaction, 200, hours=3)
    street.watch()
    assert street.stops() == []
    street.unplugged(wire, transaction, 200)
    assert (street.payment().captured_minor, owed(street)) == (6000, 0)
    assert books.read(street.psp.state).captured_minor == {"GBP": 6000}
    street.house.adds_up()


@pytest.mark.parametrize("street", ["stripe", "adyen", "mollie"], indirect=True)
def test_case_26_a_hold_that_cannot_grow_ends_the_session_in_time(street: Street) -> None:
    """The issuer declines the larger sum, or the provider has no such thing: the station is stopped while the hold lasts."""
    street.furnish(price=30, hold_minor=450_001)
    wire, transaction = street.plugged_in()
    street.charged(wire, transaction, 143, hours=8)
    street.watch()
    street.work()
    if street.provider in GROW:
        street.hear_until(lambda: [one.state for one in street.asked("adjust")] in (["declined"], ["failed"]))
    assert (street.stops(), street.payment().authorised_minor) == ([], 450_001)

    street.charged(wire, transaction, 147, hours=0.3)
    street.watch()
    assert len(street.stops()) == 1
    street.watch()
    assert len(street.stops()) == 1
    street.unplugged(wire, transaction, 147)

    assert (street.payment().captured_minor, owed(street)) == (441_000, 0)
    assert len(street.asked("adjust")) == (street.provider in GROW)
    assert street.house.inbox() == []
    street.house.adds_up()


@growing
def test_case_27_a_hold_is_never_asked_to_become_what_it_is_or_less(street: Street) -> None:
    """Some providers would take it for another hold, and some would add it to the first one."""
    street.furnish()
    street.plugged_in()
    for total in (4500, 4499):
        with pytest.raises(BadInput):
            street.house.do(adjust_hold, AdjustHold(street.payment().payment_id, total))
    assert (street.asked("adjust"), held(street)) == ([], 4500)


@growing
@pytest.mark.parametrize("kind", ["lost_answer", "hang_up", "error_500_after_work"])
def test_case_28_a_lost_word_about_a_larger_hold_is_asked_for_and_holds_once(street: Street, kind: str) -> None:
    """Perhaps it was granted. It is found out under the same key, and nothing is held twice."""
    street.furnish()
    wire, transaction = street.plugged_in()
    street.charged(wire, transaction, 143, hours=8)
    street.psp.fault(kind, path=GROW[street.provider], times=1)
    street.watch()
    street.work()
    assert street.payment().authorised_minor == 4500
    street.work()
    street.hear_until(lambda: street.payment().authorised_minor == 9000)

    assert (held(street), len(street.asked("adjust"))) == (9000, 1)
    street.unplugged(wire, transaction, 160)
    assert books.read(street.psp.state).captured_minor == {"GBP": 4800}
    street.house.adds_up()


@stripe_alone
def test_case_29_what_a_station_delivers_that_does_not_stop_is_owed(street: Street) -> None:
    """Three stops, then a person is told; the hold is taken whole, and the rest stays owed by the driver."""
    street.furnish(price=30, hold_minor=450_001)
    wire, transaction = street.plugged_in()
    street.charged(wire, transaction, 148, hours=8)
    for times in (1, 2, 3):
        street.watch()
        [*_, stop] = street.stops()
        assert len(street.stops()) == times
        street.house.later(2)
        street.house.do(watch_command, WatchCommand(stop.command_id))
    assert street.watch() is None
    assert [one.kind for one in street.house.inbox()] == ["hold_used_up"]

    street.charged(wire, transaction, 180, hours=2)
    street.unplugged(wire, transaction, 180)
    assert (street.payment().captured_minor, owed(street)) == (450_001, 540_000 - 450_001)
    assert street.payment().reason == "beyond_hold"
    street.house.adds_up()


@stripe_alone
def test_case_30_a_tariff_that_changes_meanwhile_changes_nothing_for_a_session_that_runs(street: Street) -> None:
    """The price that the driver saw is the one that is watched, billed and taken."""
    street.furnish()
    wire, transaction = street.plugged_in()
    street.charged(wire, transaction, 10, hours=1)
    street.reprice(3.00)
    street.charged(wire, transaction, 20, hours=1)
    street.watch()
    assert (street.stops(), street.asked("adjust")) == ([], [])
    street.unplugged(wire, transaction, 20)
    assert (street.payment().captured_minor, owed(street)) == (600, 0)
    street.house.adds_up()


@pytest.mark.parametrize("street", ["adyen"], indirect=True)
@pytest.mark.parametrize("late", [False, True])
def test_case_38_a_capture_that_never_arrived_is_owed_again(street: Street, *, late: bool) -> None:
    """Days later the scheme takes it back: the books are turned around, a person hears, a late yes changes nothing."""
    street.furnish()
    wire, transaction = street.plugged_in()
    street.charged(wire, transaction, 20, hours=1)
    if late:
        street.psp.fault("reordered_webhook", path="CAPTURE", times=1)
        wire.stop(transaction, 20_000_000)
        wire.report("Available")
        street.work()
    else:
        street.unplugged(wire, transaction, 20)
        assert owed(street) == 0
    [intent] = [one.payment_intent for one in books.read(street.psp.state).movements]
    assert httpx.post(f"{street.psp.url}/_lose_capture", json={"payment_intent": intent}).status_code == 200
    street.hear_until(lambda: street.asked("capture")[0].code == "capture_lost")
    street.hear_until(lambda: street.heard == len(("AUTHORISATION", "CAPTURE", "CAPTURE_FAILED")))

    payment = street.payment()
    assert (payment.captured_minor, payment.lost_minor, owed(street)) == (0, 0 if late else 600, 600)
    assert payment.reason == "capture_lost"
    assert [one.kind for one in street.house.inbox()] == ["operation_failed" if late else "capture_lost"]
    street.house.adds_up()


@stripe_alone
def test_case_18_the_next_connector_is_paid_with_the_hold_that_is_there(street: Street) -> None:
    """The first one did not start in time for the driver: the hold goes along, and no second sum is held."""
    street.furnish()
    street.paid()
    first = street.payment()
    [other] = [one for one in street.house.rows.evses.by() if one.number == 2]
    urls = ("http://127.0.0.1:1/ok/{secret}", "http://127.0.0.1:1/back")
    moved = street.house.do(offer_and_pay, OfferAndPay(other.code, *urls, hold_secret=first.driver_secret))
    assert (moved.payment_id, moved.evse_id, held(street)) == (first.payment_id, other.evse_id, 4500)
    assert moved.offer_id != first.offer_id
    [start] = [one for one in street.house.rows.station_commands.by() if one.action == "start"]
    street.house.later(30)
    street.house.do(watch_command, WatchCommand(start.command_id))
    assert street.payment().state == "authorised"

    again = street.house.do(start_paid_session, StartPaidSession(first.payment_id))
    assert again is not None
    transaction = street.house.wire().start(token=str(again.payload["tag"]), evse=2)
    assert street.house.session(transaction).payment_id == first.payment_id
    fresh = street.house.do(offer_and_pay, OfferAndPay(other.code, *urls, hold_secret=first.driver_secret))
    assert fresh.payment_id != first.payment_id
