"""The payment's state machine: whatever a provider says, in whatever order and however often, the sums stay true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.payments.consequence import Captured, Contradicted, GivenBack, HoldPlaced, HoldReleased, Surplus
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import BEYOND_HOLD, RELEASED, Payment, PaymentKind, PaymentState
from tallywatt.payments.provider import View, ViewStatus

if TYPE_CHECKING:
    from tallywatt.payments.consequence import Consequence


def a_payment(kind: PaymentKind = PaymentKind.AD_HOC, **more: object) -> Payment:
    plain = Payment(
        payment_id="p1",  # type: ignore[arg-type]  # an id is a text
        session_id=None,
        customer_id=None,
        account_id="a1",  # type: ignore[arg-type]  # an id is a text
        method_id=None,
        evse_id=None,
        offer_id=None,
        invoice_id=None,
        kind=kind,
        reference="p1",
        currency="GBP",
        amount_minor=4000,
        due_minor=None,
        authorised_minor=0,
        captured_minor=0,
        refunded_minor=0,
        suspense_minor=0,
        state=PaymentState.CREATED,
        provider_ref=None,
        page_ref=None,
        hosted_page_url=None,
        hold_expires_at=None,
        card_brand=None,
        card_last4=None,
        driver_secret=None,
        reason=None,
        created_at=Instant(0),
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields by name


AMOUNTS = st.integers(0, 6000)


@st.composite
def views(draw: st.DrawFn) -> View:
    """Anything a provider could say that is true of itself: nothing captured beyond what was held, nothing back beyond that."""
    status = draw(st.sampled_from(ViewStatus))
    held = draw(AMOUNTS) if status in (ViewStatus.AUTHORISED, ViewStatus.CAPTURED) else 0
    # Of a hold that is taken in parts something is captured while the rest is held.
    captured = draw(st.integers(0, held))
    refunded = draw(st.none() | st.integers(0, captured))
    return View(status, "GBP", "pi_1", authorised_minor=held, captured_minor=captured, refunded_minor=refunded)


PAYMENTS = st.builds(
    a_payment,
    kind=st.sampled_from(PaymentKind),
    due_minor=st.none() | AMOUNTS,
    several_captures=st.booleans(),
)


@given(PAYMENTS, st.lists(views(), max_size=8))
def test_the_invariants_hold_whatever_is_said(payment: Payment, said: list[View]) -> None:
    """Captured within held, given back within captured, nothing captured where all was released."""
    for view in said:
        payment, _ = payment.after(view)
        assert 0 <= payment.captured_minor <= payment.authorised_minor
        assert 0 <= payment.refunded_minor <= payment.captured_minor
        assert payment.suspense_minor >= 0
        assert payment.state not in RELEASED or payment.captured_minor == 0
        if payment.due_minor is not None:
            assert payment.captured_minor <= payment.due_minor


@given(PAYMENTS, st.lists(views(), max_size=6))
def test_saying_it_again_changes_nothing(payment: Payment, said: list[View]) -> None:
    """A redelivery, a retrieve, a late webhook: no news, no consequence."""
    for view in said:
        once, _ = payment.after(view)
        twice, consequences = once.after(view)
        assert twice == once
        assert all(isinstance(one, Contradicted) for one in consequences)
        payment = once


@given(PAYMENTS, st.lists(views(), max_size=8))
def test_consequences_add_up_to_the_counters(payment: Payment, said: list[View]) -> None:
    """The books are written from consequences, the counters from the same news: they must never part."""
    consequences: list[Consequence] = []
    for view in said:
        payment, more = payment.after(view)
        consequences += more
    assert sum(one.minor for one in consequences if isinstance(one, Captured)) == payment.captured_minor
    assert sum(one.minor for one in consequences if isinstance(one, Surplus)) == payment.suspense_minor
    assert sum(one.minor for one in consequences if isinstance(one, GivenBack)) == payment.refunded_minor
    most_taken = max((view.captured_minor for view in said), default=0)
    assert payment.captured_minor + payment.suspense_minor == most_taken


HELD = View(ViewStatus.AUTHORISED, "GBP", "pi_1", authorised_minor=4000)
TAKEN = View(ViewStatus.CAPTURED, "GBP", "pi_1", authorised_minor=1240, captured_minor=1240)
GONE = View(ViewStatus.VOIDED, "GBP", "pi_1")


@given(st.permutations([HELD, TAKEN, HELD, TAKEN]))
def test_every_order_of_hold_and_capture_ends_alike(said: list[View]) -> None:
    payment = a_payment(due_minor=1240)
    for view in said:
        payment, _ = payment.after(view)
    assert (payment.state, payment.captured_minor) == (PaymentState.CAPTURED, 1240)
    assert payment.authorised_minor == 4000


@pytest.mark.parametrize(
    ("payment", "step"),
    [
        (a_payment(PaymentKind.STORED, due_minor=1240), OperationKind.PREPARE),
        (a_payment(PaymentKind.STORED, due_minor=1240, state=PaymentState.PREPARED), OperationKind.CHARGE),
        (a_payment(PaymentKind.STORED, due_minor=1240, state=PaymentState.DECLINED), None),
        (a_payment(PaymentKind.STORED, due_minor=1240, state=PaymentState.OWED), None),
        (a_payment(), OperationKind.HOSTED_PAGE),
        (a_payment(due_minor=0), None),
        (a_payment(state=PaymentState.REQUIRES_ACTION), None),
        (a_payment(state=PaymentState.REQUIRES_ACTION, due_minor=0), OperationKind.VOID),
        (a_payment(state=PaymentState.AUTHORISED, authorised_minor=4000), None),
        (a_payment(state=PaymentState.AUTHORISED, authorised_minor=4000, due_minor=0), OperationKind.VOID),
        (a_payment(state=PaymentState.AUTHORISED, authorised_minor=4000, due_minor=29), OperationKind.VOID),
        (a_payment(state=PaymentState.AUTHORISED, authorised_minor=4000, due_minor=30), OperationKind.CAPTURE),
        (a_payment(state=PaymentState.AUTHORISED, authorised_minor=4000, due_minor=9000), OperationKind.CAPTURE),
        (a_payment(state=PaymentState.VOIDED, due_minor=1240), None),
        (a_payment(state=PaymentState.CAPTURED, due_minor=1240), None),
    ],
)
def test_what_is_asked_next_follows_from_the_state(payment: Payment, step: OperationKind | None) -> None:
    assert payment.next_step("stripe") is step


def test_what_is_taken_from_a_hold_is_what_is_due_and_never_more_than_is_held() -> None:
    held = a_payment(state=PaymentState.AUTHORISED, authorised_minor=4000)
    assert [replace(held, due_minor=due).capture_minor for due in (1240, 4000, 9000, None)] == [1240, 4000, 4000, 0]


@pytest.mark.parametrize(("held", "reason"), [(100, BEYOND_HOLD), (149, BEYOND_HOLD), (150, None), (300, None)])
def test_a_hold_that_grew_after_all_is_not_beyond_itself(held: int, reason: str | None) -> None:
    """What was missing when the session ended is taken with the rest: nothing is owed, and no reason stays behind."""
    held_back = a_payment(
        state=PaymentState.AUTHORISED, due_minor=150, authorised_minor=100, provider_ref="pi_1", reason=BEYOND_HOLD
    )
    grown, _ = held_back.after(View(ViewStatus.AUTHORISED, "GBP", "pi_1", authorised_minor=held))
    assert grown.reason == BEYOND_HOLD
    taken = min(held, 150)
    after, _ = grown.after(View(ViewStatus.CAPTURED, "GBP", "pi_1", authorised_minor=held, captured_minor=taken))
    assert (after.state, after.captured_minor, after.reason) == (PaymentState.CAPTURED, taken, reason)


def test_a_hold_is_placed_once_and_released_once() -> None:
    payment, placed = a_payment(state=PaymentState.REQUIRES_ACTION).after(HELD)
    assert placed == (HoldPlaced(4000),)
    payment, nothing = payment.after(HELD)
    assert nothing == ()
    payment, released = payment.after(GONE)
    assert released == (HoldReleased(4000, "voided"),)
    assert payment.after(HELD) == (payment, ())


def test_a_driver_may_try_another_card_on_the_same_page() -> None:
    """A decline on the page is the page's business: the payment waits on, also when the next attempt is another object."""
    payment, nothing = a_payment(state=PaymentState.REQUIRES_ACTION).after(
        View(ViewStatus.DECLINED, "GBP", "pi_first", code="insufficient_funds")
    )
    assert (payment.state, nothing) == (PaymentState.REQUIRES_ACTION, ())
    payment, placed = payment.after(replace(HELD, provider_ref="pi_second"))
    assert (payment.provider_ref, placed) == ("pi_second", (HoldPlaced(4000),))
