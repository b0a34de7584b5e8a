"""Pure: the price as it is shown before a start, derived from the tariff that will rate it, and frozen as an offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.kernel import clock
from tallywatt.rating.before import EPOCH_DAY, NOTHING, Before
from tallywatt.rating.period import Assumed, ChargingPeriod, Use
from tallywatt.rating.plan import MS_PER_DAY, Plan, Priced, pick, plan_of
from tallywatt.rating.records import Dimension, Offer, TaxBasis
from tallywatt.rating.tariff import PriceLimit, cap_data, discount_data, limit_data, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import EvseId, OfferId
    from tallywatt.rating.choose import Choice
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Cap, Discount, Tariff


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One price component as it is shown: in the order kWh, time, idle time, session (EU 2023/1804)."""

    dimension: Dimension
    element_index: int
    unit_price: Decimal
    """Per kWh, per hour, or once."""
    tax_rate: Decimal | None
    conditions: dict[str, Any]
    """The restrictions in OCPI's words, and `step_size`; `explain.conditions` says them in words."""
    otherwise: bool
    """Whether it is what applies where none of the prices above it does."""
    applies_now: bool
    """Whether a session that starts at this instant begins with this price."""


@dataclass(frozen=True, slots=True)
class ShownPrice:
    """A tariff as a driver sees it at an instant."""

    name: str
    currency: str
    tax_basis: TaxBasis
    at: Instant
    lines: tuple[ShownLine, ...]
    reservation: tuple[ShownLine, ...] = ()
    """What keeping the place costs; its conditions tell the price of a reservation that expires."""
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    caps: tuple[Cap, ...] = ()
    discounts: tuple[Discount, ...] = ()
    """Those of the tariff that hold today, and those that a coupon grants."""

    @property
    def now(self) -> tuple[ShownLine, ...]:
        """The prices with which a session would begin."""
        return tuple(line for line in self.lines if line.applies_now)

    @property
    def is_free(self) -> bool:
        """Whether no price of it is other than zero."""
        return not any(line.unit_price for line in (*self.lines, *self.reservation)) and self.min_price is None


def price_shown(tariff: Tariff, at: Instant, zone_name: str, before: Before = NOTHING) -> ShownPrice:
    """All prices of a tariff, and which of them apply now; never written a second time anywhere.

    `before`: what the payer had this month, and what a coupon grants, where that is known.
    """
    plan = plan_of(tariff)
    beginning = _beginning(at, zone_name)._replace(month_from=before.month_milliwatt_hours)
    today = beginning.day + EPOCH_DAY
    lines = []
    # Idle time is never the first thing of a session; its price now is the one for stopping to charge at this instant.
    for candidates in (plan.energy, plan.time, plan.parking, plan.flat):
        first = pick(candidates, beginning, False)
        told = [one for one in candidates if one is first or not _is_of_a_slot(one)]
        lines += [_shown(priced, priced is not told[0], priced is first) for priced in told]
    return ShownPrice(
        tariff.name,
        tariff.currency.code,
        tariff.tax_basis,
        at,
        tuple(lines),
        _reservation(plan, beginning),
        tariff.min_price,
        tariff.max_price,
        tariff.caps,
        tuple(one for one in (*tariff.discounts, *before.granted) if one.holds_on(today)),
    )


def _is_of_a_slot(priced: Priced) -> bool:
    """Whether it is the price of one slot of a market. Of those a driver is shown the one of now."""
    return "market_price" in priced.reason.get("index", {})


def _reservation(plan: Plan, beginning: ChargingPeriod) -> tuple[ShownLine, ...]:
    """Of a reservation that is kept, then of one that expires: time before fee."""
    lines: list[ShownLine] = []
    for expired in (False, True):
        for dimension in (Dimension.TIME, Dimension.FLAT):
            candidates = plan.reserved.get((dimension, expired), ())
            first = pick(candidates, beginning, False)
            lines += [_shown(priced, False, priced is first) for priced in candidates]
    return tuple(lines)


def _beginning(at: Instant, zone_name: str) -> ChargingPeriod:
    """The period with which a session would begin: no time has passed, no energy has flowed, power is not known."""
    offset = clock.moment(at, clock.zone(zone_name)).utcoffset()
    assert offset is not None, "a zone has an offset at any time"
    day, time_of_day = divmod(at + int(offset.total_seconds()) * 1000, MS_PER_DAY)
    return ChargingPeriod(at, at, 0, 0, Use.CHARGING, Assumed.NOTHING, time_of_day, day, 0, None, None)


def _shown(priced: Priced, has_others_above: bool, applies_now: bool) -> ShownLine:
    return ShownLine(
        dimension=priced.dimension,
        element_index=priced.element_index,
        unit_price=priced.price,
        tax_rate=priced.tax_rate,
        conditions=dict(priced.reason),
        otherwise=has_others_above and priced.always,
        applies_now=applies_now,
    )


def shown_data(shown: ShownPrice) -> dict[str, Any]:
    """The shown price as data: what an offer stores and an API returns. Limits and reservation are there where they are."""
    data: dict[str, Any] = {
        "name": shown.name,
        "currency": shown.currency,
        "tax_included": shown.tax_basis is TaxBasis.GROSS,
        "at": shown.at,
        "lines": [_line_data(line) for line in shown.lines],
    }
    if shown.reservation:
        data["reservation"] = [_line_data(line) for line in shown.reservation]
    if shown.caps:
        data["caps"] = [cap_data(one) for one in shown.caps]
    if shown.discounts:
        data["discounts"] = [discount_data(one) for one in shown.discounts]
    limits = {"min_price": shown.min_price, "max_price": shown.max_price}
    return data | {name: limit_data(limit) for name, limit in limits.items() if limit is not None}


def _line_data(line: ShownLine) -> dict[str, Any]:
    return {
        "dimension": line.dimension.value,
        "element": line.element_index,
        "price": plain(line.unit_price),
        "tax_rate": None if line.tax_rate is None else plain(line.tax_rate),
        "conditions": line.conditions,
        "otherwise": line.otherwise,
        "applies_now": line.applies_now,
    }


def make_offer(
    offer_id: OfferId,
    tariff: Tariff,
    policy: Policy,
    chosen: Choice | None,
    *,
    evse_id: EvseId | None,
    zone: str,
    offered_at: Instant,
    before: Before = NOTHING,
) -> Offer:
    """Freeze what a session will be priced by, why it is this tariff, and what was shown for it."""
    shown = price_shown(tariff, offered_at, zone, before)
    return Offer(
        offer_id=offer_id,
        evse_id=evse_id,
        tariff_version_id=tariff.version_id,
        policy_version_id=policy.version_id,
        assignment_id=chosen.assignment.assignment_id if chosen else None,
        choice_reason=chosen.reason if chosen else "",
        zone=zone,
        currency=tariff.currency.code,
        tax_basis=tariff.tax_basis,
        tax_rules={
            f"{line.element_index}/{line.dimension}": None if line.tax_rate is None else plain(line.tax_rate)
            for line in (*shown.lines, *shown.reservation)
        },
        shown=shown_data(shown),
        offered_at=offered_at,
    )
