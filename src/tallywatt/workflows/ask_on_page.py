"""Ask somebody to pay on a page of a card provider's, at once and in full: a balance is topped up, or a rest is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import CustomerId, InvoiceId, PaymentId, SessionId
from tallywatt.kernel.money import Money  # a command that the control socket reads: its types are needed there
from tallywatt.payments.account import MethodState
from tallywatt.payments.limits import PAGE_LIFE_MS, least_charge
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.own_books import PREPAID
from tallywatt.payments.payment import TOP_UP, Payment, PaymentKind, PaymentState
from tallywatt.payments.routing import Wish
from tallywatt.workflows.intend_operation import intend_operation
from tallywatt.workflows.pay_ad_hoc import SECRET_CHARACTERS
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.route_payment import account_for

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class AskOnPage:
    """What is asked for, and where the payer comes back to. `{secret}` in the addresses becomes the secret of the payment."""

    purpose: str
    amount: Money
    title: str
    success_url: str
    cancel_url: str
    customer_id: CustomerId | None = None
    session_id: SessionId | None = None
    invoice_id: InvoiceId | None = None
    language: str | None = None


def ask_on_page(work: UnitOfWork, command: AskOnPage) -> Payment:
    """A payment with its page on its way; what is held there is taken at once."""
    code = command.amount.currency.code
    if command.amount.minor <= 0:
        msg = "nothing is asked for"
        raise BadInput(msg, code="payment.nothing_asked")
    account = account_for(work, Wish(code, command.amount.minor, on_page=True))
    if account is None:
        account = account_for(work, Wish(code, None, on_page=True))
        if account is None:
            msg = f"no payment account with a page collects {code}"
            raise Conflict(msg, code="payment.no_account", remedy="add a card provider's account with this currency")
        msg = f"the least that can be paid there is {least_charge(account.provider, code)} minor units"
        raise BadInput(msg, code="payment.hold_too_small")
    payment_id = PaymentId(work.draw.id(f"page/{command.purpose}"))
    secret = work.draw.token(f"page/{command.purpose}", SECRET_CHARACTERS)
    payment = Payment(
        payment_id=payment_id,
        session_id=command.session_id,
        customer_id=command.customer_id,
        account_id=account.account_id,
        method_id=None,
        evse_id=None,
        offer_id=None,
        invoice_id=command.invoice_id,
        kind=PaymentKind.AD_HOC,
        reference=payment_id,
        currency=code,
        amount_minor=command.amount.minor,
        due_minor=command.amount.minor,
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
        driver_secret=secret,
        reason=None,
        created_at=work.now,
        purpose=command.purpose,
    )
    work.payments.add_new(payment)
    asked: dict[str, str | int | None] = {
        "title": command.title,
        "success_url": command.success_url.replace("{secret}", secret),
        "cancel_url": command.cancel_url.replace("{secret}", secret),
        "expires_at": (work.machine_now + PAGE_LIFE_MS) // 1000,
        "language": command.language,
    }
    intend_operation(work, payment, OperationKind.HOSTED_PAGE, payment.amount_minor, asked)
    data = {"session_id": command.session_id, "minor": payment.amount_minor, "currency": code}
    work.events.append(Event("payment", payment_id, "PaymentIntended", {**data, "reason": None}))
    return payment


@dataclass(frozen=True, slots=True)
class TopUp:
    """How much a customer wants to pay in, and where they come back to."""

    customer_id: CustomerId
    amount: Money
    title: str
    success_url: str
    cancel_url: str
    language: str | None = None


def top_up(work: UnitOfWork, command: TopUp) -> Payment:
    """The payment with its page on its way. It stands to the credit of the balance when it is captured."""
    mine = work.payment_methods.by(customer_id=command.customer_id)
    if not any(one.brand == PREPAID and one.state is MethodState.ACTIVE for one in mine):
        msg = "this customer has no prepaid balance"
        raise NotFound(msg, code="balance.not_found", remedy="open one: tallywatt balance open")
    asked = AskOnPage(
        TOP_UP,
        command.amount,
        command.title,
        command.success_url,
        command.cancel_url,
        command.customer_id,
        language=command.language,
    )
    payment = ask_on_page(work, asked)
    after = {"minor": payment.amount_minor, "currency": payment.currency}
    record_action(work, "balance.top_up", "customer", command.customer_id, after=after)
    return payment
