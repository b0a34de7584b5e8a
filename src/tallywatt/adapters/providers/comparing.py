"""After a return from a backup: everything that a provider account knows of the time that is missing here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.errors import Broken
from tallywatt.payments.provider import NotSent, Trace, Unknown, View

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.provider import Enquiry, PaymentProvider


def traces_of(
    provider: PaymentProvider, since: Instant, unfinished: Iterable[Enquiry], told: Iterable[Trace] | None = None
) -> list[Trace]:
    """What is known there of payments that were on their way here, and then of all that were made or given back since.

    A provider that cannot be asked says nothing, and nothing may be concluded from that: Broken, to be tried again. `told`:
    what its files say of all that time, where it lists nothing.
    """
    found: list[Trace] = []
    if told is not None:
        told = tuple(told)
        known = {one.payment_id for one in told}
        # A hold of which the files say nothing is as it was; a page may have been closed, or be paid at this moment.
        unfinished = [one for one in unfinished if one.payment_id not in known and one.provider_ref is None]
    for enquiry in unfinished:
        seen = provider.enquire(enquiry)
        if isinstance(seen, View):
            found.append(Trace(enquiry.payment_id, seen))
        elif seen is not None and not (isinstance(seen, Unknown) and enquiry.reader_ref is not None):
            # A terminal without connection may be so for days. It is asked on, and for no second card.
            raise _silent(seen)
    if told is not None:
        return [*found, *told]
    listed = provider.list_since(since)
    if isinstance(listed, NotSent | Unknown):
        raise _silent(listed)
    return [*found, *listed]


def _silent(said: NotSent | Unknown) -> Broken:
    msg = f"the provider could not be asked: {said.cause}"
    return Broken(
        msg, code="restore.provider_silent", remedy="nothing was changed for this account; run it again later"
    )
