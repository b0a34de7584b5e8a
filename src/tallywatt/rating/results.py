"""Pure: a rated session as rows, and rows rated again: the same input gives the same result for ever."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from tallywatt.kernel.clock import Instant
from tallywatt.rating.amounts import FixedAmounts, fix_amounts
from tallywatt.rating.before import NOTHING, Before
from tallywatt.rating.canonical import read_session, read_text_before, session_text
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.rate import ENGINE_VERSION, RatedSession, rate
from tallywatt.rating.read import read_tariff_text
from tallywatt.rating.records import PolicyVersion, RatedLine, RatedResult, RatedTax, TariffVersion

if TYPE_CHECKING:
    from tallywatt.kernel.identity import OfferId, RatedId
    from tallywatt.metering.metered import MeteredSession
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff


class RatedRows(NamedTuple):
    """All that is stored of one price."""

    result: RatedResult
    lines: tuple[RatedLine, ...]
    taxes: tuple[RatedTax, ...]


def rated_rows(
    rated_id: RatedId,
    session: MeteredSession,
    rated: RatedSession,
    amounts: FixedAmounts,
    *,
    created_at: Instant,
    zone_data_version: str,
    offer_id: OfferId | None = None,
    supersedes: RatedId | None = None,
) -> RatedRows:
    """The rows of a price: exact quantities and prices, and the integers that everybody reads."""
    result = RatedResult(
        rated_id=rated_id,
        session_id=rated.session_id,
        supersedes=supersedes,
        offer_id=offer_id,
        tariff_version_id=rated.tariff_version_id,
        policy_version_id=rated.policy_version_id,
        canonical_input=session_text(session, rated.before),
        engine_version=ENGINE_VERSION,
        zone_data_version=zone_data_version,
        created_at=created_at,
        currency=rated.currency.code,
        tax_basis=rated.tax_basis,
        milliwatt_hours=rated.milliwatt_hours,
        priced_milliwatt_hours=rated.priced_milliwatt_hours,
        net_minor=amounts.net_minor,
        tax_minor=amounts.tax_minor,
        gross_minor=amounts.gross_minor,
        warnings=tuple(warning.value for warning in rated.warnings),
    )
    taxes = tuple(RatedTax(rated_id, number, *tax) for number, tax in enumerate(amounts.taxes, 1))
    return RatedRows(result, _lines(rated_id, rated, amounts), taxes)


def _lines(rated_id: RatedId, rated: RatedSession, amounts: FixedAmounts) -> tuple[RatedLine, ...]:
    rows = []
    for number, (line, fixed) in enumerate(zip(rated.lines, amounts.lines, strict=True), 1):
        priced = line.priced
        common = gcd(line.numerator, rated.denominator)
        rows.append(
            RatedLine(
                rated_id=rated_id,
                line_number=number,
                dimension=priced.dimension,
                element_index=priced.element_index,
                period_start=Instant(line.start),
                period_end=Instant(line.end),
                unit=priced.unit,
                measured=line.measured,
                quantity=line.quantity,
                unit_price=priced.price,
                tax_rate=priced.tax_rate,
                exact_amount=f"{line.numerator // common}/{rated.denominator // common}",
                net_minor=fixed.net_minor,
                tax_minor=fixed.tax_minor,
                gross_minor=fixed.gross_minor,
                reason_code=line.reason.value,
                reason=priced.reason,
                assumptions=tuple(one.value for one in line.assumptions),
            )
        )
    return tuple(rows)


def price(
    session: MeteredSession, tariff: Tariff, policy: Policy, before: Before = NOTHING
) -> tuple[RatedSession, FixedAmounts]:
    """The exact price and the fixed one, in one call."""
    rated = rate(session, tariff, policy, before)
    return rated, fix_amounts(rated, policy)


def price_again(result: RatedResult, tariff: TariffVersion, policy: PolicyVersion) -> tuple[RatedSession, FixedAmounts]:
    """The price of a stored input under a stored tariff and policy: its own ones for a check, others to re-rate."""
    return price(
        read_session(result.canonical_input),
        read_tariff_text(tariff.canonical),
        read_policy_text(policy.canonical),
        read_text_before(result.canonical_input),
    )
