"""A driver without an account holds a card to a reader: the reader asks for the hold, then the station starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import PaymentId
from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.limits import least_charge
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import BEFORE_MONEY, Payment
from tallywatt.payments.reader import MOST_UNPAID, PAUSE_MS, PLUG_IN_MS, PRESENT_MS, is_unpaid, told_apart
from tallywatt.workflows.intend_operation import intend_operation
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.pay_ad_hoc import RELEASE_HOLD, ad_hoc_payment
from tallywatt.workflows.void_hold import VoidHold, void_hold

if TYPE_CHECKING:
    from tallywatt.kernel.events import Scalar
    from tallywatt.kernel.identity import EvseId, OfferId
    from tallywatt.kernel.money import Money
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.reader import Reader
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import UnitOfWork

END_PRESENTATION: Final = "end_presentation"
"""Job: let the reader of the payment of that id ask no longer, if nobody has held a card to it."""
LONGEST_TITLE: Final = 120


@dataclass(frozen=True, slots=True)
class PayAtReader:
    """What a driver at an EVSE has agreed to, and the reader beside it."""

    evse_id: EvseId
    hold: Money
    title: str
    """What the driver reads about it: the site, the EVSE, the price."""
    offer_id: OfferId | None
    reader: Reader


def readers_at(work: UnitOfWork, station: Station, evse: Evse) -> list[Reader]:
    """The readers at which this EVSE can be paid for: those that are there for it alone come first."""
    around = work.readers.by(location_id=station.location_id, removed_at=None)
    return sorted((one for one in around if one.serves(evse.evse_id)), key=lambda one: not one.evse_ids)


def reader_for(work: UnitOfWork, station: Station, evse: Evse, reader_id: str | None) -> Reader:
    """The reader that the driver has chosen, or the only one there is. Conflict where none serves this EVSE."""
    there = readers_at(work, station, evse)
    if reader_id is None and len(there) > 1:
        open_accounts = {one.account_id for one in work.provider_accounts.by(closed_at=None)}
        there = [one for one in there if one.account_id in open_accounts]
    if reader_id is not None:
        chosen = next((one for one in there if one.reader_id == reader_id), None)
        if chosen is None:
            msg = f"no such reader serves {evse.code}"
            raise NotFound(msg, code="readers.not_found")
        return chosen
    if not there:
        msg = f"no card reader serves {evse.code}"
        raise Conflict(msg, code="readers.none_here", remedy="pay on the page of the provider")
    if len(there) > 1:
        labels = told_apart([(one.label, one.reader_ref) for one in there])
        msg = f"{len(there)} card readers serve {evse.code}: {', '.join(labels)}"
        raise BadInput(msg, code="readers.choose", remedy="choose the one beside you, and say which: reader = its id")
    return there[0]


def pay_at_reader(work: UnitOfWork, command: PayAtReader) -> Payment:
    """A payment whose reader is about to ask for the card. One at a time: Conflict while somebody else pays there."""
    reader = work.readers.lock(command.reader.reader_id)
    account = _account_of(work, reader, command.hold)
    _require_wanted(work, reader)
    payment = ad_hoc_payment(
        work, command.evse_id, command.hold, account, offer_id=command.offer_id, reader_id=reader.reader_id
    )
    if not work.payments.add(payment):  # the tables keep it so: one payment waits at a reader
        msg = f"somebody is paying at {reader.label} just now"
        raise Conflict(msg, code="readers.busy", remedy="wait until the reader is free, at most two minutes")
    until = Instant(work.machine_now + PRESENT_MS)
    kind = OperationKind.PREPARE if capabilities_of(account.provider).prepares else OperationKind.PRESENT
    asked: dict[str, str | int | None] = {
        "title": command.title[:LONGEST_TITLE],
        "reader_ref": reader.reader_ref,
        "present_until": until,
    }
    intend_operation(work, payment, kind, payment.amount_minor, asked)
    work.jobs.add(Job(END_PRESENTATION, payment.payment_id, {}, until))
    work.jobs.add(Job(RELEASE_HOLD, payment.payment_id, {}, Instant(until + PLUG_IN_MS)))
    data: dict[str, Scalar] = {"evse_id": command.evse_id, "minor": payment.amount_minor, "currency": payment.currency}
    work.events.append(Event("payment", payment.payment_id, "PaymentIntended", data))
    return payment


def _account_of(work: UnitOfWork, reader: Reader, hold: Money) -> ProviderAccount:
    account = work.provider_accounts.get(reader.account_id)
    able = capabilities_of(account.provider).card_present and account.closed_at is None
    if reader.removed_at is not None or not able or hold.currency.code not in account.currencies:
        msg = f"the card reader {reader.label} takes no {hold.currency.code} at the moment"
        raise Conflict(msg, code="readers.out_of_use", remedy="pay on the page of the provider")
    if hold.minor < least_charge(account.provider, hold.currency.code):
        msg = f"a hold of {hold} is less than the provider takes"
        raise BadInput(msg, code="payment.hold_too_small")
    return account


def _require_wanted(work: UnitOfWork, reader: Reader) -> None:
    """Conflict while a reader rests: whoever asks from afar, again and again, waits for a stranger's card."""
    last = work.queries.last_at_reader(reader.reader_id, Instant(work.now - PAUSE_MS), MOST_UNPAID)
    if len(last) == MOST_UNPAID and all(is_unpaid(one.state, one.authorised_minor, one.reason) for one in last):
        msg = f"the card reader {reader.label} rests: it has asked {MOST_UNPAID} times, and nobody has paid"
        remedy = "pay on the page of the provider, or try again in a quarter of an hour"
        raise Conflict(msg, code="readers.rests", remedy=remedy)


def end_presentation(work: UnitOfWork, payment_id: PaymentId) -> Payment:
    """The driver's time at the reader is over. A hold that stands stays; done twice it changes nothing."""
    payment = work.payments.get(payment_id)
    return void_hold(work, VoidHold(payment_id, "never_presented")) if payment.state in BEFORE_MONEY else payment


@dataclass(frozen=True, slots=True)
class GiveUpAtReader:
    """The secret of the page of a driver who does not want to pay at the reader any more."""

    secret: str


def give_up_at_reader(work: UnitOfWork, command: GiveUpAtReader) -> Payment:
    """The reader asks no longer. A card that was held to it meanwhile is let go; what is used already stays.

    So does a hold with which the station was asked to start: it may start yet, and the energy would be unpaid. Nobody
    plugging in lets that hold go.
    """
    found = work.payments.one_by(driver_secret=command.secret)
    if found is None or found.reader_id is None:
        msg = "there is no payment at a reader under this address"
        raise NotFound(msg, code="payments.not_found")
    payment = work.payments.lock(found.payment_id)
    if any(one.is_open for one in work.station_commands.by(payment_id=payment.payment_id)):
        return payment
    return void_hold(work, VoidHold(payment.payment_id, "cancelled"))
