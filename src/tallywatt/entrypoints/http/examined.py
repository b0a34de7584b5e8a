"""A tariff looked at before it is put or assigned: one way for the API and the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.entrypoints.http.telling import found
from tallywatt.kernel.clock import local_date
from tallywatt.rating.examine import examine, sites_of

if TYPE_CHECKING:
    from tallywatt.rating.findings import Finding
    from tallywatt.rating.law import Site
    from tallywatt.wiring import House


async def findings_of(
    house: House, operator_id: str, data: dict[str, Any], *, stored: bool = False
) -> tuple[Finding, ...]:
    """What is found in a tariff, with the rules that hold today where the operator has charging points."""
    operator = found(await house.ask(house.views.operator_by_id, operator_id), "operator", "operators.not_found")
    sites = sites_of(await house.ask(house.views.sites, operator_id), operator["country"])
    reference, before = data.get("id"), None
    if not stored and isinstance(reference, str):
        before = await house.ask(house.views.newest_tariff, operator_id, reference)
    today = local_date(house.business_now(), operator["zone"])
    markets = await house.ask(house.views.markets, operator_id)
    earlier = None if before is None else before["canonical"]
    return examine(data, sites, today, before=earlier, stored=stored, markets=markets)


async def sites_for_gate(house: House, operator_id: str, scope: str, target: str) -> tuple[Site, ...] | None:
    """What the gate of law asks of an assignment; None where the installation only shows findings."""
    if house.settings.law_gate != "block":
        return None
    operator = found(await house.ask(house.views.operator_by_id, operator_id), "operator", "operators.not_found")
    return sites_of(await house.ask(house.views.sites, operator_id, scope, target), operator["country"])
