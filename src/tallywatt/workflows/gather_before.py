"""What a customer had before a session that is priced now: gathered from stored results, where the tariff asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import CustomerId
from tallywatt.metering.session import PayerKind
from tallywatt.rating.before import NOTHING, Before, Billed, gather

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.rating.tariff import Tariff
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_MS: Final = 62 * 24 * 3_600_000
"""A session that began so long before may still stand on a day of the month that counts."""


def before_session(
    work: UnitOfWork,
    tariff: Tariff,
    payer: tuple[PayerKind, str | None],
    started_at: Instant,
    zone: str,
    session_id: SessionId | None = None,
) -> Before:
    """What counts before it; `session_id` names the one that is billed, which does not count before itself.

    Then the customer is held until the transaction ends: of two sessions that are billed at once, one sees the other.
    For an offer nothing is held: it shows what is known, and promises the tariff.
    """
    kind, payer_id = payer
    if kind is not PayerKind.CUSTOMER or payer_id is None or not tariff.asks_before:
        return NOTHING
    if session_id is not None:
        work.customers.lock(CustomerId(payer_id))
    found = []
    for one in work.queries.billed_since(payer_id, Instant(started_at - LONGEST_MS)):
        if one.session_id == session_id or one.rated_id is None:
            continue
        result = work.rated_results.get(one.rated_id)
        if work.tariff_versions.get(result.tariff_version_id).reference == tariff.reference:
            lines = tuple(work.rated_lines.by(rated_id=one.rated_id))
            found.append(Billed(one.started_at, one.zone, result.milliwatt_hours, lines))
    return gather(found, started_at, zone)
