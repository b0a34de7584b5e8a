"""A tariff that follows a market is frozen when it is offered: with the prices that are known at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.rating.freeze import follows_market, freeze

if TYPE_CHECKING:
    from decimal import Decimal

    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.freeze import Wanted
    from tallywatt.rating.tariff import Tariff
    from tallywatt.workflows.ports import UnitOfWork


def frozen(work: UnitOfWork, tariff: Tariff, at: Instant) -> Tariff:
    """The tariff as it can be offered. One that follows a market becomes a version of its own, written down like any other."""
    if not follows_market(tariff):
        return tariff

    def prices_of(wanted: Wanted, since: Instant, until: Instant) -> list[tuple[Instant, Decimal]]:
        rows = work.queries.market_prices_between(*wanted, since, until)
        return [(row.starts_at, row.per_mwh.scaleb(-3)) for row in rows]

    offered = freeze(tariff, at, prices_of)
    work.tariff_versions.add(replace(offered.row(work.now), frozen_of=tariff.version_id))
    return offered
