"""A driver at an EVSE says yes to the price that is shown: the offer and the payment for it are one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.limits import read_limits
from tallywatt.metering.session import PayerKind
from tallywatt.payments.payment import PaymentState
from tallywatt.rating.explain import headline
from tallywatt.stations.station import StationState
from tallywatt.workflows.keep_limit import keep_limits
from tallywatt.workflows.offer_price import new_offer
from tallywatt.workflows.pay_ad_hoc import MoveHold, PayAdHoc, move_hold, pay_ad_hoc
from tallywatt.workflows.pay_at_reader import PayAtReader, pay_at_reader, reader_for
from tallywatt.workflows.show_web_code import use_web_code

if TYPE_CHECKING:
    from tallywatt.customers.operator import Operator
    from tallywatt.metering.limits import Limits
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class OfferAndPay:
    """Where the driver stands. `{secret}` in the addresses becomes the secret of the driver's page."""

    evse_code: str
    success_url: str
    cancel_url: str
    language: str | None = None
    hold_secret: str | None = None
    """Of a payment that this browser has made before: its hold is used again if it is free."""
    web_window: int | None = None
    """Of the code that the driver has scanned, where the station shows one."""
    coupon: str | None = None
    """The code of one, as it was typed."""
    at_reader: bool = False
    """Whether the driver holds a card to a reader there, instead of paying on a page."""
    reader_id: str | None = None
    """Which one, where several serve this EVSE."""
    limits: dict[str, int] = field(default_factory=dict)
    """The most that the driver wants of the session, as `read_limits` has it."""


def offer_and_pay(work: UnitOfWork, command: OfferAndPay) -> Payment:
    """Freeze the price of this moment and open a page for the hold. Hold first, then start."""
    evse = work.evses.one_by(code=command.evse_code)
    station = work.stations.get(evse.station_id) if evse is not None else None
    if evse is None or station is None or station.state is not StationState.ADOPTED:
        msg = f"there is no EVSE {command.evse_code}"
        raise NotFound(msg, code="evses.not_found")
    limits = read_limits(command.limits)
    use_web_code(work, evse.evse_id, command.web_window)
    offer = new_offer(work, station, evse, work.now, (PayerKind.AD_HOC, None), command.coupon or None)
    if offer is None:
        msg = f"no tariff holds at {evse.code} at the moment"
        raise Conflict(msg, code="offers.no_tariff", remedy="assign a tariff: tallywatt tariff assign")
    operator = work.operators.get()
    if offer.currency != operator.currency:
        msg = f"the tariff at {evse.code} is in {offer.currency}, the hold would be in {operator.currency}"
        raise Conflict(msg, code="offers.other_currency")
    # At a reader the browser may be a kiosk's, and the hold that it remembers somebody else's.
    free = None if command.at_reader else _free_hold(work, command.hold_secret, operator)
    if free is not None:
        _limit(work, free, limits)
    if free is not None and free.evse_id == evse.evse_id:
        return free
    if free is not None:
        return move_hold(work, MoveHold(free.payment_id, evse.evse_id, offer.offer_id))
    location = work.locations.find(station.location_id) if station.location_id else None
    place = location.name if location is not None else operator.name
    hold = Money(operator.hold_minor, currency(operator.currency))
    shown = (place, evse.code, headline(offer.shown, offer.currency, command.language or "en"))
    title = " · ".join(part for part in shown if part)
    if command.at_reader:
        reader = reader_for(work, station, evse, command.reader_id)
        payment = pay_at_reader(work, PayAtReader(evse.evse_id, hold, title, offer.offer_id, reader))
        _limit(work, payment, limits)
        return payment
    payment = pay_ad_hoc(
        work,
        PayAdHoc(
            evse_id=evse.evse_id,
            hold=hold,
            title=title,
            success_url=command.success_url,
            cancel_url=command.cancel_url,
            offer_id=offer.offer_id,
            language=command.language,
        ),
    )
    _limit(work, payment, limits)
    return payment


def _limit(work: UnitOfWork, payment: Payment, limits: Limits) -> None:
    """What the driver has chosen this time holds, also where that is no limit any more."""
    if not limits.is_none or work.wanted_limits.find(payment.payment_id) is not None:
        keep_limits(work, payment.payment_id, limits)


def _free_hold(work: UnitOfWork, secret: str | None, operator: Operator) -> Payment | None:
    """A hold of this driver's that stands and that no session uses: a second one for the next connector helps nobody."""
    found = work.payments.one_by(driver_secret=secret) if secret else None
    if found is None or found.state is not PaymentState.AUTHORISED:
        return None
    used = found.session_id is not None or found.due_minor is not None
    fits = found.currency == operator.currency and found.authorised_minor >= operator.hold_minor
    return found if fits and not used else None
