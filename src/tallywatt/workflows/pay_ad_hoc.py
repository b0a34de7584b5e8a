"""A driver without an account wants to charge at an EVSE: open a page for the hold. Hold first, then start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import PaymentId
from tallywatt.payments.limits import PAGE_LIFE_MS, least_charge
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import Payment, PaymentKind, PaymentState
from tallywatt.payments.routing import Wish
from tallywatt.workflows.apply_provider_fact import START_PAID_SESSION
from tallywatt.workflows.intend_operation import intend_operation
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.route_payment import account_for

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import CustomerId, EvseId, OfferId, SessionId
    from tallywatt.kernel.money import Money
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork

RELEASE_HOLD: Final = "release_hold"
"""Job: let the payment of that id go, if no session has begun with it."""
WATCH_HOLD: Final = "watch_hold"
"""Job: see that what the session of that payment costs stays within its hold, again and again while it runs."""
FIRST_LOOK_MS: Final = 20 * 1000
SECRET_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class PayAdHoc:
    """What a driver at an EVSE has agreed to. `{secret}` in the addresses becomes the secret of the driver's page."""

    evse_id: EvseId
    hold: Money
    title: str
    """What the driver reads on the provider's page: the site, the EVSE, the price."""
    success_url: str
    cancel_url: str
    offer_id: OfferId | None = None
    customer_id: CustomerId | None = None
    language: str | None = None
    method: str | None = None
    """How the driver wants to pay: card, apple_pay, google_pay; None: the provider's page asks."""
    start_within_ms: int = PAGE_LIFE_MS + 10 * 60 * 1000
    """How long the driver has to pay and to plug in before everything is let go."""


def pay_ad_hoc(work: UnitOfWork, command: PayAdHoc) -> Payment:
    """A payment with its page on its way: `hosted_page_url` is filled when the provider has answered."""
    code, method = command.hold.currency.code, command.method
    account = account_for(work, Wish(code, command.hold.minor, method, on_page=True))
    if account is None:
        # Perhaps it is the sum alone that none of them takes: then that is what to say.
        account = account_for(work, Wish(code, None, method, on_page=True))
    if account is None:
        msg = f"no payment account collects {command.hold.currency}"
        raise Conflict(msg, code="payment.no_account", remedy="add a provider account with this currency")
    least = least_charge(account.provider, command.hold.currency.code)
    if command.hold.minor < least:
        msg = f"a hold of {command.hold} is less than the provider takes"
        raise BadInput(msg, code="payment.hold_too_small")
    payment = ad_hoc_payment(
        work, command.evse_id, command.hold, account, offer_id=command.offer_id, customer_id=command.customer_id
    )
    work.payments.add(payment)
    secret = payment.driver_secret or ""
    asked: dict[str, str | int | None] = {
        "title": command.title,
        "success_url": command.success_url.replace("{secret}", secret),
        "cancel_url": command.cancel_url.replace("{secret}", secret),
        "expires_at": (work.machine_now + PAGE_LIFE_MS) // 1000,
        "language": command.language,
    }
    intend_operation(work, payment, OperationKind.HOSTED_PAGE, payment.amount_minor, asked)
    work.jobs.add(Job(RELEASE_HOLD, payment.payment_id, {}, Instant(work.machine_now + command.start_within_ms)))
    data: dict[str, Scalar] = {"evse_id": command.evse_id, "minor": payment.amount_minor, "currency": payment.currency}
    work.events.append(Event("payment", payment.payment_id, "PaymentIntended", data))
    return payment


def ad_hoc_payment(
    work: UnitOfWork,
    evse_id: EvseId,
    hold: Money,
    account: ProviderAccount,
    *,
    offer_id: OfferId | None,
    customer_id: CustomerId | None = None,
    reader_id: str | None = None,
) -> Payment:
    """A payment of a driver at an EVSE, by whichever way it comes: nothing is asked for yet."""
    payment_id = PaymentId(work.draw.id("payment"))
    return Payment(
        payment_id=payment_id,
        session_id=None,
        customer_id=customer_id,
        account_id=account.account_id,
        method_id=None,
        evse_id=evse_id,
        offer_id=offer_id,
        invoice_id=None,
        kind=PaymentKind.AD_HOC,
        reference=payment_id,
        currency=hold.currency.code,
        amount_minor=hold.minor,
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
        driver_secret=work.draw.token("driver", SECRET_CHARACTERS),
        reason=None,
        created_at=work.now,
        reader_id=reader_id,
    )


def take_up_hold(work: UnitOfWork, payment_id: PaymentId, session_id: SessionId) -> bool:
    """A session has begun with this payment: whether its hold stands behind it. Called in the session's transaction.

    False when the hold is gone or being let go: the session's energy is then owed by nobody known.
    """
    payment = work.payments.lock(payment_id)
    if payment.session_id == session_id:
        return True
    if payment.state is not PaymentState.AUTHORISED or payment.due_minor is not None or payment.session_id is not None:
        return False
    work.payments.put(replace(payment, session_id=session_id))
    if payment.terminal_until is not None:
        return True  # its terminal and its station see to that
    work.jobs.add(Job(WATCH_HOLD, payment.payment_id, {}, Instant(work.machine_now + FIRST_LOOK_MS)))
    return True


@dataclass(frozen=True, slots=True)
class MoveHold:
    """The driver tries the next EVSE: the same hold, another place."""

    payment_id: PaymentId
    evse_id: EvseId
    offer_id: OfferId | None = None
    """The price there, which the driver has seen; None: the one that was offered first."""


def move_hold(work: UnitOfWork, command: MoveHold) -> Payment:
    """Use a live hold at another EVSE, so that a second try never holds a second sum."""
    payment = work.payments.lock(command.payment_id)
    if payment.state is not PaymentState.AUTHORISED or payment.session_id is not None or payment.due_minor is not None:
        msg = "this hold is not free: it is used, released, or not placed yet"
        raise Conflict(msg, code="payment.hold_not_free")
    offer_id = command.offer_id or payment.offer_id
    moved = work.payments.put(replace(payment, evse_id=command.evse_id, offer_id=offer_id))
    work.jobs.add(Job(START_PAID_SESSION, payment.payment_id))
    return moved
