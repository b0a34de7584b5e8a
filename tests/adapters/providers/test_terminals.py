"""A terminal at the station holds the money: it settles, or we do by its reference; it is taken once, whoever says what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from tallywatt.adapters.ocpp import v21
from tallywatt.adapters.ocpp.facts import Incoming
from tallywatt.kernel.clock import rfc3339
from tallywatt.metering.facts import Started, TerminalSettled, Unreadable
from tallywatt.payments.operation import OperationKind
from tallywatt.simulators.psp import books
from tallywatt.workflows.settle_terminal import SettleOurselves, settle_ourselves, settle_terminal
from tallywatt.workflows.take_unreadable import take_unreadable
from tests.adapters.providers.bench import an_operation_of
from tests.adapters.providers.street import Street
from tests.workflows.house_of import KWH, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.payments.payment import Payment

HELD = 4500
both = pytest.mark.parametrize("street", ["adyen", "stripe"], indirect=True)


@pytest.fixture
def street(request: pytest.FixtureRequest, tmp_path: Path, sqlite_house_url: str) -> Iterator[Street]:
    made = Street(request.param, tmp_path, sqlite_house_url)
    made.furnish(hold_minor=HELD)
    yield made
    made.close()


def tapped(street: Street) -> tuple[Wire, str]:
    """A driver holds a card to the terminal, and charging begins: the wire, and the provider's reference of the hold."""
    ref = _placed_by_the_terminal(street)
    wire = street.house.wire(protocol="ocpp2.1")
    started = wire.event_started(street.house.now, "T1", 0, token=ref)
    wire.tell_start(Started(**{**_fields(started), "token_type": "DirectPayment"}))
    return wire, ref


def _fields(started: Started) -> dict[str, Any]:
    return {name: getattr(started, name) for name in started.__dataclass_fields__}


def _placed_by_the_terminal(street: Street) -> str:
    """A hold that our house did not ask for. The simulated provider has no readers: another house's page stands for one."""
    opened = street.cards.send(an_operation_of(OperationKind.HOSTED_PAGE, HELD, "GBP", payment_id="terminal-7"))
    assert httpx.post(opened.view.page_url, data={"card": "pm_card_visa"}).status_code == 303
    taken = street.endpoint.wait_for(1)
    street.heard = len(taken)
    if street.provider == "adyen":
        told: str = json.loads(taken[-1][1])["notificationItems"][0]["NotificationRequestItem"]["pspReference"]
        return told
    [one] = books.read(street.psp.state).movements
    return one.payment_intent


def notify(
    street: Street, wire: Wire, ref: str, status: str, amount: float = 0, transaction: str | None = "T1"
) -> None:
    """NotifySettlement, from the words of the wire."""
    content: dict[str, Any] = {
        "pspRef": ref,
        "status": status,
        "settlementAmount": amount,
        "settlementTime": rfc3339(street.house.now),
        **({"transactionId": transaction} if transaction is not None else {}),
    }
    text = json.dumps([2, f"n-{street.house.now}-{status}", "NotifySettlement", content]).encode()
    incoming = Incoming(
        wire.station_id, v21.PROTOCOL, "NotifySettlement", f"n-{street.house.now}", text, street.house.now
    )
    fact = v21.notify_settlement(incoming, msgspec.Raw(json.dumps(content).encode()))
    assert isinstance(fact.command, TerminalSettled)
    street.house.do(settle_terminal, fact.command)
    assert fact.conclude(None, street.house.now) == b"{}"


def charged(street: Street, wire: Wire) -> Payment:
    """Twenty kilowatt-hours, and the vehicle has gone."""
    street.house.later(60)
    street.house.do_all(wire.event_ended(street.house.now, "T1", 1, 20 * KWH))
    return street.payment()


@both
def test_case_40_what_the_terminal_settles_is_not_taken_again(street: Street) -> None:
    """We wait for its word; told twice it is booked once, and at the provider we have asked for nothing."""
    wire, ref = tapped(street)
    assert charged(street, wire).due_minor == 600
    street.work()
    notify(street, wire, ref, "Settled", 6.00)
    notify(street, wire, ref, "Settled", 6.00)
    street.house.do(settle_ourselves, SettleOurselves(street.payment().payment_id))
    street.work()

    payment = street.payment()
    assert (payment.state, payment.captured_minor, payment.suspense_minor) == ("captured", 600, 0)
    assert [one.asked.get("settled_by") for one in street.asked("capture")] == ["terminal"]
    assert books.read(street.psp.state).captured_minor == {}
    assert street.house.inbox() == []
    street.house.adds_up()


@both
def test_case_40_when_both_settle_it_is_taken_once(street: Street) -> None:
    """The terminal was thought to be silent, and its word comes after all: by then we have taken it."""
    wire, ref = tapped(street)
    charged(street, wire)
    street.house.do(settle_ourselves, SettleOurselves(street.payment().payment_id))
    street.work()
    notify(street, wire, ref, "Settled", 6.00)
    street.hear_until(lambda: [one.state for one in street.asked("capture")] == ["succeeded"])

    assert books.read(street.psp.state).captured_minor == {"GBP": 600}
    assert (street.payment().captured_minor, street.payment().suspense_minor) == (600, 0)
    street.house.adds_up()


@both
def test_case_40_a_terminal_may_be_faster_than_the_price(street: Street) -> None:
    """It settles before the last message of the transaction has come: the invoice finds the money there."""
    wire, ref = tapped(street)
    notify(street, wire, ref, "Settled", 6.00)
    charged(street, wire)
    street.work()
    assert (street.payment().state, street.payment().captured_minor, street.payment().reason) == ("captured", 600, None)
    assert {one.target for one in street.house.rows.allocations.by()} == {"balance", "invoice"}
    assert books.read(street.psp.state).captured_minor == {}
    street.house.adds_up()


@both
@pytest.mark.parametrize("status", ["Rejected", "Failed"])
def test_case_41_what_the_terminal_cannot_settle_we_take_by_its_reference(street: Street, status: str) -> None:
    """The hold stands, and what is due is taken from it through the provider's own interface."""
    wire, ref = tapped(street)
    charged(street, wire)
    street.work()
    assert street.asked("capture") == []
    notify(street, wire, ref, status)
    notify(street, wire, ref, status)
    street.work()
    street.hear_until(lambda: street.payment().state == "captured")

    assert [one.asked["provider_ref"] for one in street.asked("capture")] == [ref]
    assert books.read(street.psp.state).captured_minor == {"GBP": 600}
    street.house.adds_up()


@both
def test_case_42_cancelled_before_anything_began_is_acknowledged_and_leaves_nothing(street: Street) -> None:
    """The driver has changed their mind: there is no transaction to be named, and nothing that anybody has to look at."""
    wire = street.house.wire(protocol="ocpp2.1")
    notify(street, wire, "NEVER-STARTED", "Canceled", transaction="")
    notify(street, wire, "NEVER-STARTED", "Canceled", transaction=None)
    assert (street.house.rows.payments.by(), street.house.inbox()) == ([], [])

    _, ref = tapped(street)
    notify(street, wire, ref, "Canceled", transaction="")
    payment = street.payment()
    assert (payment.state, payment.captured_minor) == ("voided", 0)
    street.work()
    assert street.asked("void") == []


@pytest.mark.parametrize("street", ["stripe"], indirect=True)
def test_a_terminal_that_settles_what_nobody_knows_is_looked_at(street: Street) -> None:
    wire = street.house.wire(protocol="ocpp2.1")
    notify(street, wire, "FOREIGN", "Settled", 6.00)
    assert [one.kind for one in street.house.inbox()] == ["settlement_unmatched"]


@pytest.mark.parametrize("street", ["stripe"], indirect=True)
def test_a_settlement_that_lacks_its_sum_is_kept_for_a_person(street: Street) -> None:
    """It carries money, so it is recorded and acknowledged, never refused."""
    wire = street.house.wire(protocol="ocpp2.1")
    text = b'[2,"n1","NotifySettlement",{"pspRef":"A","status":"Settled"}]'
    incoming = Incoming(wire.station_id, v21.PROTOCOL, "NotifySettlement", "n1", text, street.house.now)
    fact = v21.notify_settlement(incoming, msgspec.Raw(b'{"pspRef":"A","status":"Settled"}'))
    assert isinstance(fact.command, Unreadable)
    street.house.do(take_unreadable, fact.command)
    assert len(street.house.inbox()) == 1


@pytest.mark.parametrize("street", ["stripe"], indirect=True)
def test_a_terminal_that_settles_another_sum_than_is_due_comes_before_a_person(street: Street) -> None:
    """Told once, however often it is said; what it has taken is booked as it is, and nothing more is asked for."""
    wire, ref = tapped(street)
    charged(street, wire)
    notify(street, wire, ref, "Settled", 5.50)
    notify(street, wire, ref, "Settled", 5.50)
    street.work()
    [item] = street.house.inbox()
    assert (item.kind, item.summary) == (
        "settlement_differs",
        "a terminal and we differ about a payment: it has settled 5.50 GBP, and 6.00 GBP is due",
    )
    assert street.payment().captured_minor == 550
    assert [one.asked.get("settled_by") for one in street.asked("capture")] == ["terminal"]
    street.house.adds_up()


@pytest.mark.parametrize("street", ["stripe"], indirect=True)
def test_a_terminal_that_was_faster_than_the_price_is_compared_when_it_comes(street: Street) -> None:
    """Late in the other direction: the sum is known first, and what is due afterwards."""
    wire, ref = tapped(street)
    notify(street, wire, ref, "Settled", 6.50)
    assert street.house.inbox() == []
    charged(street, wire)
    street.work()
    assert [one.kind for one in street.house.inbox()] == ["settlement_differs"]
    assert street.payment().captured_minor == 650
    street.house.adds_up()


@pytest.mark.parametrize("street", ["stripe"], indirect=True)
def test_a_second_word_of_a_terminal_moves_no_money(street: Street) -> None:
    """Another sum, another state, another transaction: each comes before a person, and the books stay as they are."""
    wire, ref = tapped(street)
    charged(street, wire)
    notify(street, wire, ref, "Settled", 6.00)
    notify(street, wire, ref, "Settled", 7.00)
    notify(street, wire, ref, "Canceled")
    notify(street, wire, ref, "Failed")
    notify(street, wire, ref, "Settled", 6.00, transaction="OTHER")
    street.work()
    told = sorted(
        one.summary.removeprefix("a terminal and we differ about a payment: ") for one in street.house.inbox()
    )
    assert told == [
        "it names transaction OTHER, and the payment is of T1",
        "it tells of 7.00 GBP now, and 6.00 GBP is what it has said itself",
        "it tells that it is Canceled, and 6.00 GBP was taken",
        "it tells that it is Failed, and 6.00 GBP was taken",
    ]
    assert (street.payment().state, street.payment().captured_minor) == ("captured", 600)
    assert [one.amount_minor for one in street.asked("capture")] == [600]
    street.house.adds_up()


@pytest.mark.parametrize("street", ["stripe"], indirect=True)
def test_a_terminal_that_comes_after_us_with_another_sum_is_not_believed(street: Street) -> None:
    """We have taken what is due; the provider knows what it has taken, the terminal does not."""
    wire, ref = tapped(street)
    charged(street, wire)
    street.house.do(settle_ourselves, SettleOurselves(street.payment().payment_id))
    street.work()
    notify(street, wire, ref, "Settled", 9.00)
    street.hear_until(lambda: [one.state for one in street.asked("capture")] == ["succeeded"])
    assert [one.kind for one in street.house.inbox()] == ["settlement_differs"]
    assert (street.payment().captured_minor, books.read(street.psp.state).captured_minor) == (600, {"GBP": 600})
    street.house.adds_up()
