"""Pure: the payment: what is asked of one payer at one provider, and how it changes by what the provider says.

A provider's words are high-water marks (held so much, captured so much, given back so much). Taking one in twice, late
or out of order changes nothing: what is not news has no consequence. The truth about money is in `state` and the
counters; what is on its way is in the payment's one unresolved operation.

    created ── authorised (a hold without the driver, for a session that begins) ── as below
    created ── prepared ─────────────────────────────── captured ── refunded
       │           └──────────── declined                  │
       └── requires_action ── authorised ──────────────────┘
                 │                ├── voided | expired
                 └── abandoned    └── (a part is captured, and the rest stays held) ── captured
    owed: nothing can be collected this way, or what was captured never arrived; the reason says why

A hold at a reader goes the way of a page: prepared where the provider can, then the reader asks (requires_action).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.codes import CAPTURE_LOST
from tallywatt.payments.consequence import (
    Captured,
    Consequence,
    Contradicted,
    Declined,
    GivenBack,
    HoldPlaced,
    HoldReleased,
    Surplus,
)
from tallywatt.payments.limits import least_charge
from tallywatt.payments.operation import Operation, OperationKind, OperationState, request_hash, request_text
from tallywatt.payments.provider import ViewStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import (
        CustomerId,
        EvseId,
        InvoiceId,
        OfferId,
        OperationId,
        PaymentId,
        ProviderAccountId,
        SessionId,
    )
    from tallywatt.payments.provider import View


TOP_UP: Final = "top_up"
"""A customer pays in on a page of the provider's, for the prepaid balance."""
BEYOND_HOLD: Final = "beyond_hold"
"""The reason of a payment whose hold was less than what is due: what is missing is owed."""
REST: Final = "rest"
"""What a session's payment could not collect, or what was charged too little: it is asked for on its own."""


class PaymentKind(StrEnum):
    """How it is collected."""

    STORED = "stored"
    """From a method that the customer has stored, after the session is priced."""
    AD_HOC = "ad_hoc"
    """A driver without an account places a hold before the start; what is due is captured from it."""


class PaymentState(StrEnum):
    """What is true about the money."""

    CREATED = "created"
    PREPARED = "prepared"
    REQUIRES_ACTION = "requires_action"
    """The driver has to act on the provider's page."""
    AUTHORISED = "authorised"
    """Something is held; where a hold is taken in parts, some of it may be captured already."""
    CAPTURED = "captured"
    REFUNDED = "refunded"
    """All of it was given back; a part of it leaves the state `captured`."""
    VOIDED = "voided"
    EXPIRED = "expired"
    """The provider has let go of the hold by itself."""
    DECLINED = "declined"
    ABANDONED = "abandoned"
    """The driver never paid on the page."""
    OWED = "owed"


BEFORE_MONEY = (PaymentState.CREATED, PaymentState.PREPARED, PaymentState.REQUIRES_ACTION, PaymentState.DECLINED)
RELEASED = (PaymentState.VOIDED, PaymentState.EXPIRED, PaymentState.ABANDONED)
GOING_ON = (PaymentState.CREATED, PaymentState.PREPARED, PaymentState.REQUIRES_ACTION, PaymentState.AUTHORISED)
TAKEN = (PaymentState.CAPTURED, PaymentState.REFUNDED)
AT_READER = (PaymentState.CREATED, PaymentState.PREPARED, PaymentState.REQUIRES_ACTION)
"""A reader serves one payment at a time: while one is in such a state, no other is begun there."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What one payer owes, or may come to owe, collected at one provider account."""

    payment_id: PaymentId
    session_id: SessionId | None
    customer_id: CustomerId | None
    account_id: ProviderAccountId
    method_id: str | None
    evse_id: EvseId | None
    """Where an ad hoc driver wants to charge."""
    offer_id: OfferId | None
    """The price that an ad hoc driver has seen."""
    invoice_id: InvoiceId | None
    kind: PaymentKind
    reference: str
    """Ours, on every object of the provider: how a lost object is found again."""
    currency: str
    amount_minor: int
    """What is asked: the sum due of a stored method, the hold of an ad hoc one."""
    due_minor: int | None
    """What is to be collected; None before the price is known, 0 when all is to be released."""
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    suspense_minor: int
    """What the provider took and the payment's state forbids: on the suspense account, listed in the inbox."""
    state: PaymentState
    provider_ref: str | None
    page_ref: str | None
    hosted_page_url: str | None
    hold_expires_at: Instant | None
    card_brand: str | None
    card_last4: str | None
    driver_secret: str | None
    """The unguessable part of an ad hoc driver's link."""
    reason: str | None
    created_at: Instant
    lost_minor: int = 0
    """What was captured once, and taken back by the provider later."""
    terminal_until: Instant | None = None
    """A terminal at the station holds it, and may settle it by itself until then (machine time); afterwards we do."""
    purpose: str | None = None
    """What it is collected for besides a session that ends: `TOP_UP`, `REST`."""
    reader_id: str | None = None
    """The reader to which the driver holds a card, instead of paying on a page."""
    several_captures: bool = False
    """What is held can be taken in parts: the provider has said so of this card, or has switched it on for the account."""
    keeps_hold: bool = False
    """What is due is a part: taking it must not let go of the rest, for the whole is not known yet."""
    version: int = 1

    @property
    def open_hold_minor(self) -> int:
        """What is held from the driver's card at the moment, besides what was taken from it."""
        return self.authorised_minor - self.taken_minor if self.state is PaymentState.AUTHORISED else 0

    @property
    def returnable_minor(self) -> int:
        """What can still be given back."""
        return self.captured_minor - self.refunded_minor

    @property
    def beyond_due_minor(self) -> int:
        """What was taken of a hold and is not due, once it is known what is: it goes back."""
        if self.kind is not PaymentKind.AD_HOC or self.due_minor is None or self.waits_for_total:
            return 0
        return 0 if self.terminal_until is not None else max(0, self.returnable_minor - self.due_minor)

    @property
    def waits_for_total(self) -> bool:
        """Whether a part of its hold was asked for before the session behind it had a price."""
        return self.kind is PaymentKind.AD_HOC and bool(self.due_minor) and self.invoice_id is None

    @property
    def is_given_up_unbegun(self) -> bool:
        """Whether nobody wants it any more, and the provider has not been seen to know it."""
        return self.state in (PaymentState.CREATED, PaymentState.PREPARED) and self.due_minor == 0

    @property
    def waits_at_reader(self) -> bool:
        """Whether a reader asks for a card, or will, or may have."""
        return self.reader_id is not None and self.state in AT_READER

    @property
    def may_go_on(self) -> bool:
        """Whether there is anything that could be asked of the provider by itself."""
        return self.state in GOING_ON

    def next_step(self, provider: str) -> OperationKind | None:
        """What is to be asked of the provider next, when nothing is on its way; None: nothing."""
        if self.state is PaymentState.CREATED:
            return None if self.due_minor == 0 else self._first_step(provider)
        if self.state is PaymentState.PREPARED and self.reader_id is not None:
            return OperationKind.VOID if self.due_minor == 0 else OperationKind.PRESENT
        if self.state is PaymentState.PREPARED:
            return OperationKind.CHARGE
        if self.state is PaymentState.REQUIRES_ACTION:
            return OperationKind.VOID if self.due_minor == 0 else None
        if self.state is PaymentState.AUTHORISED and self.due_minor is not None and self.terminal_until is None:
            return self._from_hold(provider)
        return None

    def _from_hold(self, provider: str) -> OperationKind | None:
        """What is due is taken from the hold. What is left of it afterwards, or too little to be taken, is let go."""
        if self.capture_minor >= max(1, least_charge(provider, self.currency)):
            return OperationKind.CAPTURE
        return None if self.keeps_hold else OperationKind.VOID

    def _first_step(self, provider: str) -> OperationKind:
        if self.reader_id is not None:
            return OperationKind.PREPARE if capabilities_of(provider).prepares else OperationKind.PRESENT
        if self.kind is PaymentKind.AD_HOC:
            return OperationKind.HOSTED_PAGE
        if self.due_minor is None:
            return OperationKind.AUTHORISE
        return OperationKind.PREPARE if capabilities_of(provider).prepares else OperationKind.CHARGE

    @property
    def capture_minor(self) -> int:
        """What to take from the hold now: what is due and not taken yet, and never more than is held."""
        return max(0, min((self.due_minor or 0) - self.captured_minor, self.authorised_minor - self.taken_minor))

    @property
    def taken_minor(self) -> int:
        """What its provider has taken in all, as far as it is known here."""
        return self.captured_minor + self.suspense_minor

    @property
    def is_in_parts(self) -> bool:
        """Whether something was taken of its hold, and the rest is still held."""
        return self.state is PaymentState.AUTHORISED and self.taken_minor > 0

    def hold_ended(self) -> Payment:
        """The payment of a hold of which a part was taken, once its rest is held no longer."""
        if not self.is_in_parts:
            return self
        given_back = 0 < self.captured_minor == self.refunded_minor
        state = PaymentState.REFUNDED if given_back else PaymentState.CAPTURED
        lacks = not self.keeps_hold and (self.due_minor or 0) > self.captured_minor
        reason = self.reason or BEYOND_HOLD if lacks else self.reason
        return replace(self, state=state, keeps_hold=False, reason=reason)

    def operation(
        self,
        operation_id: OperationId,
        kind: OperationKind,
        amount_minor: int,
        asked: Mapping[str, str | int | None],
        now: Instant,
    ) -> Operation:
        """Something that is to be asked of the provider, as it is written down first. `now` is machine time."""
        request = request_text(asked)
        return Operation(
            operation_id=operation_id,
            payment_id=self.payment_id,
            account_id=self.account_id,
            kind=kind,
            amount_minor=amount_minor,
            currency=self.currency,
            idempotency_key=operation_id,
            request=request,
            request_hash=request_hash(request),
            state=OperationState.INTENDED,
            attempts=0,
            first_sent_at=None,
            last_sent_at=None,
            provider_ref=None,
            code=None,
            advice=None,
            error=None,
            created_at=now,
            resolved_at=None,
        )

    def without_way_on(self, reason: str, kind: OperationKind | None = None) -> Payment:
        """The payment after a step that will not succeed by itself: a person decides, and what is due stays owed."""
        if self.kind is PaymentKind.STORED and self.state in (PaymentState.CREATED, PaymentState.PREPARED):
            return replace(self, state=PaymentState.OWED, reason=reason)
        if self.kind is PaymentKind.AD_HOC and self.state is PaymentState.CREATED:
            return _ended_at_reader(replace(self, state=PaymentState.ABANDONED, reason=reason))
        if self.reader_id is not None and self.state is PaymentState.PREPARED:
            # What was prepared stays at the provider, where no reader will ever be asked for it.
            return replace(self, state=PaymentState.ABANDONED, reason=reason, due_minor=0)
        if self.is_in_parts and kind is OperationKind.VOID:
            # The rest could not be let go: nothing more is asked of it, and it lapses by itself.
            return self.hold_ended()
        if self.state is PaymentState.AUTHORISED and self.due_minor:
            return replace(self, reason=reason)
        return self

    def without_capture(self, minor: int) -> Payment:
        """The payment after its provider has told, days later, that a capture of so much never brought any money.

        What went back to the payer already was the operator's own: no more is owed again than was still here.
        """
        gone = min(minor, self.returnable_minor)
        left = self.captured_minor - gone
        # What is still held of it can be taken in its stead.
        state = self.state if left or self.state is PaymentState.AUTHORISED else PaymentState.OWED
        lost = self.lost_minor + gone
        return replace(self, captured_minor=left, lost_minor=lost, state=state, reason=CAPTURE_LOST)

    def ends_when_declined(self, view: View) -> bool:
        """Whether a declined card is the end. On a page the driver may try another one; a reader names what has ended."""
        return self.kind is PaymentKind.STORED or (self.reader_id is not None and view.provider_ref is not None)

    def _is_other(self, provider_ref: str | None) -> bool:
        """Whether a message is about another object than ours. A page may need a second object for a second card."""
        if provider_ref is None or self.provider_ref in (None, provider_ref):
            return False
        return self.kind is PaymentKind.STORED or self.authorised_minor > 0

    def after(self, view: View, asked_minor: int = 0) -> tuple[Payment, tuple[Consequence, ...]]:
        """The payment after its provider has said how things stand, and what follows from the news in it.

        `asked_minor`: so much was to be taken by the operation on its way. Less may be due by now; what is taken of it is
        the payer's own money that goes back, and no stranger's.
        """
        if view.currency is not None and view.currency != self.currency:
            return self, (Contradicted("other_currency", f"{view.currency} instead of {self.currency}"),)
        if self._is_other(view.provider_ref):
            return self, (Contradicted("other_object", f"{view.provider_ref} instead of {self.provider_ref}"),)
        known = replace(
            self,
            provider_ref=view.provider_ref or self.provider_ref,
            page_ref=self.page_ref or view.page_ref,
            hosted_page_url=self.hosted_page_url or view.page_url,
            hold_expires_at=view.hold_expires_at or self.hold_expires_at,
            card_brand=view.card_brand or self.card_brand,
            card_last4=view.card_last4 or self.card_last4,
            several_captures=self.several_captures or bool(view.several_captures),
        )
        known, held = _take_hold(known, view)
        known, captured = _take_capture(known, view, asked_minor)
        known, refunded = _take_refund(known, view)
        known, ended = _take_status(known, view)
        return known, (*held, *captured, *refunded, *ended)


def _take_hold(payment: Payment, view: View) -> tuple[Payment, tuple[Consequence, ...]]:
    if view.authorised_minor <= payment.authorised_minor:
        return payment, ()
    more = replace(payment, authorised_minor=view.authorised_minor)
    if payment.state in TAKEN or view.status is not ViewStatus.AUTHORISED:
        return more, ()
    if payment.state in (PaymentState.VOIDED, PaymentState.EXPIRED) and view.provider_ref == payment.provider_ref:
        return more, ()  # told late: the same hold is known to be gone
    # A hold that appears after we wanted to let go (a page paid at the last moment) is real: it is taken as one, and as
    # nothing is due, the next step is to void it.
    return replace(more, state=PaymentState.AUTHORISED), (HoldPlaced(view.authorised_minor),)


def _take_capture(payment: Payment, view: View, asked_minor: int) -> tuple[Payment, tuple[Consequence, ...]]:
    news = view.captured_minor - payment.captured_minor - payment.suspense_minor
    if news <= 0:
        return payment, ()
    room = 0 if payment.state in RELEASED else payment.authorised_minor - payment.captured_minor
    if payment.due_minor is not None:
        room = min(room, max(payment.due_minor - payment.captured_minor, asked_minor))
    good, odd = min(news, room), max(news - room, 0)
    after = replace(payment, captured_minor=payment.captured_minor + good, suspense_minor=payment.suspense_minor + odd)
    if after.reason == BEYOND_HOLD and after.captured_minor >= (after.due_minor or 0):
        after = replace(after, reason=None)  # it has grown after all
    consequences: list[Consequence] = []
    if payment.state not in (*RELEASED, PaymentState.REFUNDED):
        state = PaymentState.AUTHORISED if _stays_held(after, view) else PaymentState.CAPTURED
        after = replace(after, state=state, keeps_hold=after.keeps_hold and state is PaymentState.AUTHORISED)
    if good:
        consequences.append(Captured(good))
    if odd:
        consequences.append(Surplus(odd, f"captured while {payment.state}, beyond what was due"))
    return after, tuple(consequences)


def _stays_held(payment: Payment, view: View) -> bool:
    """Whether a capture has left something on hold."""
    ended = payment.state in (PaymentState.CAPTURED, PaymentState.OWED)
    told = view.status is ViewStatus.AUTHORISED and not ended
    return told and payment.taken_minor < payment.authorised_minor


def _take_refund(payment: Payment, view: View) -> tuple[Payment, tuple[Consequence, ...]]:
    news = (view.refunded_minor or 0) - payment.refunded_minor
    if news <= 0:
        return payment, ()
    if news > payment.returnable_minor:
        return payment, (Contradicted("refund_beyond_capture", f"{view.refunded_minor} of {payment.captured_minor}"),)
    refunded = payment.refunded_minor + news
    whole = refunded == payment.captured_minor and payment.state is not PaymentState.AUTHORISED
    state = PaymentState.REFUNDED if whole else payment.state
    return replace(payment, refunded_minor=refunded, state=state), (GivenBack(news),)


def _take_status(payment: Payment, view: View) -> tuple[Payment, tuple[Consequence, ...]]:
    match view.status:
        case ViewStatus.PREPARED if payment.state is PaymentState.CREATED:
            return replace(payment, state=PaymentState.PREPARED), ()
        case ViewStatus.REQUIRES_ACTION if payment.state in (PaymentState.CREATED, PaymentState.PREPARED):
            return replace(payment, state=PaymentState.REQUIRES_ACTION), ()
        case ViewStatus.DECLINED if payment.ends_when_declined(view) and payment.state in BEFORE_MONEY:
            again = payment.state is PaymentState.DECLINED
            code = view.code or "declined"
            declined = _ended_at_reader(replace(payment, state=PaymentState.DECLINED, reason=code))
            return declined, () if again else (Declined(code),)
        case ViewStatus.CAPTURED if view.captured_minor >= payment.taken_minor:
            return payment.hold_ended(), ()
        case ViewStatus.VOIDED | ViewStatus.EXPIRED | ViewStatus.ABANDONED:
            return _released(payment, view.status, view.code)
        case _:
            return payment, ()


def _released(payment: Payment, status: ViewStatus, code: str | None) -> tuple[Payment, tuple[Consequence, ...]]:
    if payment.state in RELEASED or (payment.state is PaymentState.OWED and payment.lost_minor):
        return payment, ()  # of what was taken back nothing is left, and that is known
    if payment.taken_minor and payment.several_captures:
        return payment.hold_ended(), ()  # the rest of it is let go; said again, it is no news
    if payment.captured_minor:
        return payment, (
            Contradicted("released_after_capture", f"{status} after {payment.captured_minor} were captured"),
        )
    state = {
        ViewStatus.VOIDED: PaymentState.VOIDED,
        ViewStatus.EXPIRED: PaymentState.EXPIRED,
        ViewStatus.ABANDONED: PaymentState.ABANDONED,
    }[status]
    after = _ended_at_reader(replace(payment, state=state, reason=payment.reason or code, keeps_hold=False))
    return after, (HoldReleased(payment.authorised_minor, state.value),)


def _ended_at_reader(payment: Payment) -> Payment:
    """Nothing is wanted of it any more: should a hold appear all the same, it is let go."""
    due = 0 if payment.reader_id is not None and payment.due_minor is None else payment.due_minor
    return replace(payment, due_minor=due)
