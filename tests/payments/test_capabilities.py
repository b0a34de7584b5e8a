"""What providers can do is data: every adapter has its row, and the flow follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.payments.capabilities import CAPABILITIES, DAY, Initiator, capabilities_of, hold_seconds
from tallywatt.payments.codes import STANDARD, Advice, advice_on, standard
from tallywatt.payments.fact import shown, with_refund_total
from tallywatt.payments.operation import Operation, OperationKind, OperationState
from tallywatt.payments.payment import PaymentKind, PaymentState
from tallywatt.payments.provider import RefundView, View, ViewStatus
from tests.payments.test_payment import a_payment


def test_every_provider_has_capabilities_and_decline_codes() -> None:
    assert set(CAPABILITIES) == set(STANDARD)


@pytest.mark.parametrize("provider", sorted(one for one, able in CAPABILITIES.items() if not able.own_books))
def test_a_hold_of_every_provider_has_a_length(provider: str) -> None:
    """A hold whose end is not known is captured too late."""
    for initiator in Initiator:
        shortest = 2 if initiator is Initiator.AT_READER else 4
        for scheme in (None, "visa", "VISA", "mc", "amex", "nobody"):
            assert shortest * DAY <= hold_seconds(provider, scheme, initiator) <= 30 * DAY


def test_a_hold_without_the_cardholder_is_shorter_at_visa() -> None:
    assert hold_seconds("stripe", "visa", Initiator.MERCHANT) == 4 * DAY + 18 * 3600
    assert hold_seconds("stripe", "visa") == 7 * DAY
    assert hold_seconds("a provider of tomorrow") == 4 * DAY + 18 * 3600


def test_a_provider_that_nobody_speaks_to_can_do_nothing() -> None:
    unknown = capabilities_of("nobody")
    assert (unknown.idempotency_window_seconds, unknown.hosted_page, unknown.off_session) == (0, False, False)


@pytest.mark.parametrize(("provider", "step"), [("stripe", "prepare"), ("mollie", "charge"), ("adyen", "charge")])
def test_a_stored_method_is_charged_at_once_where_nothing_harmless_can_be_made(provider: str, step: str) -> None:
    payment = replace(a_payment(PaymentKind.STORED), state=PaymentState.CREATED, due_minor=500)
    assert payment.next_step(provider) is OperationKind(step)


@pytest.mark.parametrize(
    ("provider", "raw", "code", "advice"),
    [
        ("mollie", "insufficient_funds", "insufficient_funds", Advice.RETRY_LATER),
        ("mollie", "possible_fraud", "suspected_fraud", Advice.DO_NOT_RETRY),
        ("mollie", "authentication_required", "authentication_required", Advice.ASK_DRIVER),
        ("adyen", "12", "insufficient_funds", Advice.RETRY_LATER),
        ("adyen", "not enough balance", "insufficient_funds", Advice.RETRY_LATER),
        ("adyen", "5", "lost_or_stolen", Advice.DO_NOT_RETRY),
        ("adyen", "a reason of tomorrow", "declined", Advice.OTHER_METHOD),
    ],
)
def test_every_provider_says_no_in_our_words(provider: str, raw: str, code: str, advice: Advice) -> None:
    found = standard(provider, raw)
    assert (found.code, found.advice) == (code, advice)
    assert advice_on(provider, code).code == code


def test_case_2_a_lost_card_is_never_tried_again_anywhere() -> None:
    """The same card that was reported stolen must not be tried again, at whichever provider."""
    for provider, table in STANDARD.items():
        if capabilities_of(provider).own_books:
            continue  # a balance cannot be stolen
        advice = {one.advice for one in table.values() if one.code in ("lost_or_stolen", "suspected_fraud")}
        assert advice == {Advice.DO_NOT_RETRY}, provider


def an_operation(kind: OperationKind, amount: int, state: OperationState, name: str) -> Operation:
    made = a_payment(PaymentKind.AD_HOC).operation(name, kind, amount, {}, Instant(1))  # type: ignore[arg-type]  # an id is a text
    return replace(made, state=state)


def test_a_message_about_one_refund_is_added_to_the_others() -> None:
    """Adyen tells of each refund by itself; told twice it is the same sum."""
    operations = [
        an_operation(OperationKind.REFUND, 200, OperationState.SUCCEEDED, "first"),
        an_operation(OperationKind.REFUND, 300, OperationState.PENDING, "second"),
        an_operation(OperationKind.REFUND, 400, OperationState.FAILED, "third"),
    ]
    told = View(ViewStatus.CAPTURED, refunds=(RefundView("r", "second", 300, "succeeded"),))
    assert with_refund_total(told, operations).refunded_minor == 500
    assert with_refund_total(replace(told, refunds=()), operations).refunded_minor is None
    assert with_refund_total(replace(told, refunded_minor=7), operations).refunded_minor == 7


def test_an_operation_that_was_received_and_then_failed_has_failed() -> None:
    operation = an_operation(OperationKind.CAPTURE, 200, OperationState.PENDING, "late")
    view = View(ViewStatus.PROCESSING, code="insufficient_funds", failed_operation="late")
    after = shown(operation, view, Instant(2))
    assert (after.state, after.code) == (OperationState.FAILED, "insufficient_funds")
    assert shown(operation, replace(view, failed_operation="other"), Instant(2)) == operation
