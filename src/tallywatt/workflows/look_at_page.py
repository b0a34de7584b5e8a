"""A driver was sent to the provider's page: now and then it is looked how that went, in case the webhook never comes.

Without that a lost webhook leaves somebody at the station with money held and no start, until the hold is let go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Enquiry
from tallywatt.workflows.begin_restoration import not_compared
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.present_card import asked_reader

if TYPE_CHECKING:
    from tallywatt.kernel.identity import PaymentId
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork

LOOK_AT_PAGE: Final = "look_at_page"
"""Job: see how the page of the payment of that id went, again and again until the driver has paid or it is over."""
PAUSES: Final = ((2 * 60, 15), (10 * 60, 60))
"""Within so many seconds, every so many; somebody is standing there. Webhooks are faster: this is for the lost ones."""
LONG_PAUSE_SECONDS: Final = 5 * 60
READER_SECONDS: Final = 2
"""At a reader: whoever stands there looks at the station, not at a page, and nothing else tells of an abandoned card."""


@dataclass(frozen=True, slots=True)
class PageLook:
    """A page that may have been paid: where to ask, and what to look for."""

    account: ProviderAccount
    enquiry: Enquiry
    is_held: bool
    """The house came back from a backup, and does not know yet what its providers know."""


def look_soon(work: UnitOfWork, payment: Payment) -> None:
    """The driver is on the page now."""
    pause = READER_SECONDS if payment.reader_id is not None else PAUSES[0][1]
    first = Instant(work.machine_now + pause * 1000)
    work.jobs.add(Job(LOOK_AT_PAGE, payment.payment_id, {"account_id": payment.account_id}, first))


def pause_after(seconds: float, *, at_reader: bool = False) -> int:
    """How long to wait before the next look at a page that was opened so long ago, or at a reader that asks."""
    if at_reader and seconds < PAUSES[1][0]:
        return READER_SECONDS
    return next((pause for within, pause in PAUSES if seconds < within), LONG_PAUSE_SECONDS)


def page_to_look_at(work: UnitOfWork, payment_id: PaymentId) -> PageLook | None:
    """Where to ask about a payment's page; None when it is known how it went. Writes nothing."""
    payment = work.payments.get(payment_id)
    if payment.state is not PaymentState.REQUIRES_ACTION:
        return None
    reader_ref, presented_by = asked_reader(work, payment)
    enquiry = Enquiry(
        payment.payment_id,
        payment.created_at,
        payment.provider_ref,
        payment.page_ref,
        reader_ref=reader_ref,
        presented_by=presented_by,
    )
    account = work.provider_accounts.get(payment.account_id)
    return PageLook(account, enquiry, is_held=not_compared(work) is not None)
