"""What is Mollie's own: webhooks that carry an id and nothing else, declined pages that end, documents that its SDK reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tallywatt.adapters.providers import mollie_views as views
from tallywatt.adapters.providers.mollie_cards import MollieCards
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Busy, NotSignedIn
from tallywatt.kernel.money import money
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Enquiry, View, ViewStatus
from tallywatt.workflows.give_back import GiveBack, give_back
from tests.adapters.providers.bench import Bench, an_operation_of, open_bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path, sqlite_house_url: str) -> Iterator[Bench]:
    made = open_bench("mollie", tmp_path, sqlite_house_url)
    yield made
    made.close()


def test_a_webhook_is_only_a_reason_to_look(bench: Bench) -> None:
    """Anybody may send an id: what counts is what Mollie answers under our own key."""
    payment = bench.opened()
    ref = bench.house.payment(payment.payment_id).provider_ref
    body = f"id={ref}&status=paid&amountCaptured=40.00".encode()
    event = bench.cards.read_webhook({}, body)
    assert event.view is not None
    assert (event.view.status, event.view.captured_minor) == (ViewStatus.REQUIRES_ACTION, 0)
    assert event.payment_id == payment.payment_id
    bench.pays(payment)
    later = bench.cards.read_webhook({}, body)
    assert later.view is not None
    assert later.view.status is ViewStatus.AUTHORISED
    assert later.event_id != event.event_id
    assert bench.cards.read_webhook({}, body).event_id == later.event_id


@pytest.mark.parametrize("body", [b"", b"id=", b"id=pi_1", b"id=tr_../../customers", b"\xff\xfe", b'{"id": "tr_1"}'])
def test_a_webhook_that_names_no_payment_is_bad_input(bench: Bench, body: bytes) -> None:
    with pytest.raises(BadInput):
        bench.cards.read_webhook({}, body)


def test_case_22_a_webhook_about_a_payment_that_is_not_ours_is_refused(bench: Bench) -> None:
    """Forged: the account at Mollie knows no such payment, and another key's payments are not seen."""
    stranger = MollieCards("test_stranger", base_url=bench.psp.url, webhook_url=bench.endpoint.url)
    bench.opened()
    (payment,) = bench.house.ask(lambda work: work.payments.by())
    for cards, ref in ((bench.cards, "tr_nobody"), (stranger, payment.provider_ref)):
        with pytest.raises(NotSignedIn):
            cards.read_webhook({}, f"id={ref}".encode())


def test_a_webhook_while_mollie_is_away_is_sent_again(bench: Bench) -> None:
    """Nothing can be known of it now: it must not be taken, and not be lost."""
    payment = bench.opened()
    bench.psp.stop()
    with pytest.raises(Busy):
        bench.cards.read_webhook({}, f"id={payment.provider_ref}".encode())


def test_case_5_a_declined_card_ends_the_page(bench: Bench) -> None:
    """Mollie's page takes no second card: the driver is told why, and may open another one."""
    payment = bench.opened()
    assert bench.pays(payment, "pm_card_visa_chargeDeclinedInsufficientFunds") == 303
    bench.hear(1)
    after = bench.house.payment(payment.payment_id)
    assert (after.state, after.reason, after.authorised_minor) == (PaymentState.ABANDONED, "insufficient_funds", 0)


def test_a_hold_that_expired_is_found_expired(bench: Bench) -> None:
    payment = bench.held()
    httpx.post(f"{bench.psp.url}/_expire_holds")
    bench.hear(1)
    assert bench.house.payment(payment).state is PaymentState.EXPIRED


def test_a_lost_page_is_found_by_our_reference(bench: Bench) -> None:
    """Its id never reached us and its key is forgotten: what it carries of ours is how it is found."""
    operation = an_operation_of(OperationKind.HOSTED_PAGE)
    bench.psp.fault("lost_answer", path="/v2/payments", times=1)
    bench.cards.send(operation)
    seen = bench.cards.enquire(Enquiry("p1", bench.house.now()))
    assert isinstance(seen, View)
    assert (seen.status, seen.page_url is not None) == (ViewStatus.REQUIRES_ACTION, True)
    assert bench.cards.enquire(Enquiry("p1", Instant(bench.house.now() + 2 * 3600 * 1000))) is None


def test_a_house_that_lost_its_last_days_is_told_of_every_payment(bench: Bench) -> None:
    payment = bench.held()
    bench.house.session_begins(payment)
    bench.house.held_session_priced(payment, "12.40")
    bench.house.work()
    bench.cards.send(an_operation_of(OperationKind.HOSTED_PAGE))
    listed = bench.cards.list_since(Instant(bench.house.now() - 60_000))
    found = {one.payment_id: one.view.captured_minor for one in listed}
    assert found == {payment: 1240, "p1": 0}
    assert bench.cards.list_since(Instant(bench.house.now() + 2 * 3600 * 1000)) == ()


def test_the_store_of_a_customer_without_a_card_says_so(bench: Bench) -> None:
    with pytest.raises(BadInput):
        bench.cards.store_method("c1", "cst_nobody", "k")


@pytest.mark.parametrize(
    ("minor", "code", "value"),
    [(4000, "EUR", "40.00"), (4000, "JPY", "4000"), (4005, "KWD", "4.005"), (1, "GBP", "0.01")],
)
def test_sums_are_written_with_the_places_of_their_currency(minor: int, code: str, value: str) -> None:
    written = views.amount(minor, code)
    assert written == {"currency": code, "value": value}
    assert views.minor_of(written) == minor


def test_a_refund_is_known_again_by_a_house_that_lost_it(bench: Bench) -> None:
    """The client who got no answer asks again under the same key: its mark stands on the refund, so it is not made twice."""
    house, payment = bench.house, bench.held()
    house.session_begins(payment)
    house.held_session_priced(payment, "12.40")
    house.work()
    bench.hear_until(lambda: house.payment(payment).captured_minor == 1240)
    asked = house.write(give_back, GiveBack(payment, money("2.40", "GBP"), "complaint", "r1")).asked
    house.work()
    listed = bench.cards.list_since(Instant(house.now() - 3600 * 1000))
    assert isinstance(listed, tuple)
    assert [one.mark for trace in listed for one in trace.view.refunds] == [asked["refund_mark"]]
