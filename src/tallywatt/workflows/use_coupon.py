"""Coupons: made, entered by a customer, claimed with an offer, used by a bill, released when the session does not happen.

A use is claimed in the transaction of the offer (a session's start, or an ad hoc driver's yes to the price), under the lock of
the coupon's row, whose counter a constraint keeps below its most. One session has one coupon: of several that a customer keeps,
the one that was entered first and holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.money import currency as known_currency
from tallywatt.metering.session import PayerKind
from tallywatt.rating.coupon import OPEN, Coupon, CouponUse, UseState, fold_code, read_code
from tallywatt.rating.read_reductions import discount_of, read_discount
from tallywatt.rating.tariff import discount_data
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.identity import CustomerId, OfferId, SessionId
    from tallywatt.rating.tariff import Discount
    from tallywatt.workflows.ports import UnitOfWork

ABOUT_TIME = frozenset({"start_date", "end_date", "coupon"})


@dataclass(frozen=True, slots=True)
class AddCoupon:
    """A code and what it grants: `{"percent": "10"}` or `{"after_taxes": "5.00"}`, perhaps of some `dimensions` alone."""

    code: str
    terms: dict[str, Any]
    title: str = ""
    currency: str | None = None
    """Of an amount; the operator's if left out."""
    most_uses: int | None = None
    uses_per_customer: int = 1
    valid_from: Instant | None = None
    valid_until: Instant | None = None


def add_coupon(work: UnitOfWork, command: AddCoupon) -> Coupon:
    """Write down a coupon, or Conflict when its code is taken."""
    code = read_code(command.code)
    unread = [key for key in command.terms if key in ABOUT_TIME]
    terms = discount_data(read_discount({**command.terms, "id": code}, "terms", unread))
    if unread:
        msg = f"{unread[0].removeprefix('terms.')}: is not said in the terms of a coupon"
        raise BadInput(msg, code="coupons.bad_terms", remedy="say percent, before_taxes or after_taxes, and dimensions")
    if (command.most_uses is not None and command.most_uses < 1) or command.uses_per_customer < 1:
        msg = "a coupon may be used once at least"
        raise BadInput(msg, code="coupons.bad_uses")
    since = command.valid_from if command.valid_from is not None else work.now
    if command.valid_until is not None and command.valid_until <= since:
        msg = "the coupon would end before it begins"
        raise BadInput(msg, code="coupons.bad_validity")
    money = None if "percent" in terms else known_currency(command.currency or work.operators.get().currency).code
    row = Coupon(
        coupon_id=work.draw.id(f"coupon/{code}"),
        code=code,
        title=command.title.strip(),
        terms={name: value for name, value in terms.items() if name != "id"},
        currency=money,
        most_uses=command.most_uses,
        uses_per_customer=command.uses_per_customer,
        uses=0,
        valid_from=since,
        valid_until=command.valid_until,
        created_at=work.now,
    )
    if not work.coupons.add(row):
        msg = f"there is a coupon {code} already"
        raise Conflict(msg, code="coupons.code_taken")
    record_action(work, "coupon.add", "coupon", row.coupon_id, after={"terms": row.terms, "most_uses": row.most_uses})
    return row


@dataclass(frozen=True, slots=True)
class EndCoupon:
    """Which coupon, and from when on nobody may claim it; None: from now on."""

    coupon_id: str
    at: Instant | None = None


def end_coupon(work: UnitOfWork, command: EndCoupon) -> Coupon:
    """Let it end. What is claimed stays: it was promised."""
    row = work.coupons.lock(command.coupon_id)
    at = command.at if command.at is not None else max(work.now, row.valid_from)
    if row.valid_until is not None and row.valid_until <= at:
        return row
    if at < work.now or at < row.valid_from:
        msg = "a coupon ends now or later, and not before it begins"
        raise BadInput(msg, code="coupons.bad_validity", remedy="leave the time out to end it now")
    record_action(
        work, "coupon.end", "coupon", row.coupon_id, before={"valid_until": row.valid_until}, after={"valid_until": at}
    )
    return work.coupons.put(replace(row, valid_until=at))


@dataclass(frozen=True, slots=True)
class KeepCoupon:
    """A customer enters a code. `customer` is an id."""

    code: str
    customer_id: CustomerId


def keep_coupon(work: UnitOfWork, command: KeepCoupon) -> CouponUse:
    """Keep it for the customer's next session. Entered twice it is kept once."""
    coupon = work.coupons.lock(_found(work, command.code).coupon_id)
    own = [one for one in _uses(work, coupon, command.customer_id) if one.state is not UseState.RELEASED]
    for one in own:
        if one.state in OPEN:
            return one
    _refuse_what_does_not_hold(coupon, work.now)
    if len(own) >= coupon.uses_per_customer:
        msg = "you have used this coupon already"
        raise Conflict(msg, code="coupons.used_already")
    use = CouponUse(
        use_id=work.draw.id(f"coupon-use/{coupon.coupon_id}/{command.customer_id}"),
        coupon_id=coupon.coupon_id,
        customer_id=command.customer_id,
        offer_id=None,
        state=UseState.KEPT,
        created_at=work.now,
        claimed_at=None,
        ended_at=None,
        session_id=None,
    )
    work.coupon_uses.add_new(use)
    record_action(work, "coupon.keep", "coupon", coupon.coupon_id, after={"customer_id": command.customer_id})
    return use


@dataclass(frozen=True, slots=True)
class KeepCouponOf:
    """The operator enters a code for a customer, named by reference."""

    code: str
    customer: str


def keep_coupon_of(work: UnitOfWork, command: KeepCouponOf) -> CouponUse:
    """Keep it for the customer's next session."""
    customer = work.customers.one_by(reference=command.customer)
    if customer is None:
        msg = f"there is no customer {command.customer!r}"
        raise NotFound(msg, code="customers.not_found")
    return keep_coupon(work, KeepCoupon(command.code, customer.customer_id))


def _found(work: UnitOfWork, code: str) -> Coupon:
    found = work.coupons.one_by(code=fold_code(code))
    if found is None:
        msg = "there is no such coupon"
        raise NotFound(msg, code="coupons.not_found", remedy="look at the code once more")
    return found


def _refuse_what_does_not_hold(coupon: Coupon, at: Instant) -> None:
    if not coupon.holds_at(at):
        msg = "this coupon does not hold at the moment"
        raise Conflict(msg, code="coupons.not_valid")
    if not coupon.has_uses_left:
        msg = "this coupon is used up"
        raise Conflict(msg, code="coupons.used_up")


def _uses(work: UnitOfWork, coupon: Coupon, customer_id: CustomerId) -> list[CouponUse]:
    return [one for one in work.coupon_uses.by(customer_id=customer_id) if one.coupon_id == coupon.coupon_id]


def claim_for(
    work: UnitOfWork,
    payer: tuple[PayerKind, str | None],
    at: Instant,
    currency: str,
    offer_id: OfferId,
    code: str | None = None,
    entered_until: Instant | None = None,
) -> tuple[Discount, ...]:
    """Claim a use for an offer: that of a code an ad hoc driver typed, or the first that a customer keeps and that holds.

    A typed code that does not hold is refused, so that nobody pays more than was thought; a kept one is passed over, as is
    one that was entered after `entered_until`.
    """
    if code is not None:
        coupon = work.coupons.lock(_found(work, code).coupon_id)
        _refuse_what_does_not_hold(coupon, at)
        if not coupon.fits(currency):
            msg = "this coupon is for another currency"
            raise Conflict(msg, code="coupons.not_valid")
        use = CouponUse(
            work.draw.id(f"coupon-use/{offer_id}"),
            coupon.coupon_id,
            None,
            offer_id,
            UseState.CLAIMED,
            work.now,
            work.now,
            None,
            None,
        )
        work.coupon_uses.add_new(use)
        return (_claim(work, coupon, use),)
    kind, payer_id = payer
    if kind is not PayerKind.CUSTOMER or payer_id is None:
        return ()
    kept = [one for one in work.coupon_uses.by(customer_id=payer_id) if one.state is UseState.KEPT]
    for use in sorted(kept, key=lambda one: (one.created_at, one.use_id)):
        if entered_until is not None and use.created_at > entered_until:
            continue
        coupon = work.coupons.lock(use.coupon_id)
        if coupon.holds_at(at) and coupon.has_uses_left and coupon.fits(currency):
            now = replace(use, state=UseState.CLAIMED, offer_id=offer_id, claimed_at=work.now)
            work.coupon_uses.put(now)
            return (_claim(work, coupon, now),)
    return ()


def _claim(work: UnitOfWork, coupon: Coupon, use: CouponUse) -> Discount:
    work.coupons.put(replace(coupon, uses=coupon.uses + 1))
    work.events.append(Event("coupon", coupon.coupon_id, "CouponClaimed", {"use_id": use.use_id}))
    return discount_of(coupon.code, coupon.terms)


def granted_to(work: UnitOfWork, offer_id: OfferId) -> tuple[Discount, ...]:
    """What coupons grant to the session of an offer."""
    coupons = (work.coupons.get(one.coupon_id) for one in _behind(work, offer_id) if _is_held(one))
    return tuple(discount_of(one.code, one.terms) for one in coupons)


def _behind(work: UnitOfWork, offer_id: OfferId) -> list[CouponUse]:
    return work.coupon_uses.by(offer_id=offer_id)


def _is_held(use: CouponUse) -> bool:
    return use.state in {UseState.CLAIMED, UseState.USED}


def settle_uses(work: UnitOfWork, offer_id: OfferId, session_id: SessionId, *, took_something: bool) -> None:
    """The session of an offer is billed: its coupon is used, or free again where it took nothing off."""
    for use in _behind(work, offer_id):
        if use.state is UseState.CLAIMED and took_something:
            work.coupon_uses.put(replace(use, state=UseState.USED, session_id=session_id, ended_at=work.now))
            work.events.append(Event("coupon", use.coupon_id, "CouponUsed", {"use_id": use.use_id}))
        elif use.state is UseState.CLAIMED:
            _release(work, use)


def release_uses(work: UnitOfWork, offer_id: OfferId | None) -> None:
    """The session of an offer does not happen, or is not billed: what it claimed is free again, once."""
    for use in _behind(work, offer_id) if offer_id is not None else ():
        if use.state is UseState.CLAIMED:
            _release(work, use)


def forget_kept(work: UnitOfWork, customer_id: CustomerId) -> None:
    """A customer is forgotten: what was kept for a next session ends."""
    for use in work.coupon_uses.by(customer_id=customer_id):
        if use.state is UseState.KEPT:
            work.coupon_uses.put(replace(use, state=UseState.RELEASED, ended_at=work.now))


def _release(work: UnitOfWork, use: CouponUse) -> None:
    coupon = work.coupons.lock(use.coupon_id)
    work.coupons.put(replace(coupon, uses=coupon.uses - 1))
    work.coupon_uses.put(replace(use, state=UseState.RELEASED, ended_at=work.now))
    work.events.append(Event("coupon", coupon.coupon_id, "CouponReleased", {"use_id": use.use_id}))
    if use.customer_id is not None and coupon.holds_at(work.now):
        # It was entered once and took nothing off: the next session may have it.
        again = replace(
            use,
            use_id=work.draw.id(f"coupon-use/{use.use_id}/again"),
            offer_id=None,
            state=UseState.KEPT,
            claimed_at=None,
        )
        work.coupon_uses.add_new(replace(again, ended_at=None, version=1))
