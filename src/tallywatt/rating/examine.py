"""Pure: a tariff looked at before it holds: what looks wrong in it, and what rules say against it where it may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.rating.findings import Finding, Gravity, worst_first
from tallywatt.rating.law import Site, law
from tallywatt.rating.lint import as_meant, lint, unknown_markets
from tallywatt.rating.read import read_tariff_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from tallywatt.rating.freeze import Wanted


def examine(
    data: Mapping[str, Any],
    sites: Iterable[Site],
    on: date,
    *,
    before: str | None = None,
    stored: bool = False,
    markets: Collection[Wanted] | None = None,
) -> tuple[Finding, ...]:
    """All findings, the worst first. `before` is the canonical text of the version before it; `markets` have prices here.

    Whether a tariff may hold is asked of the day `on`, at every site.
    """
    earlier = read_tariff_text(before) if before is not None else None
    found = lint(data, today=on, before=earlier, stored=stored)
    if any(one.code == "lint.refused" for one in found):
        return found
    tariff = as_meant(data)
    unknown = () if markets is None else unknown_markets(tariff, markets)
    return worst_first((*found, *unknown, *law(tariff, sites, on)))


def sites_of(rows: Iterable[Mapping[str, Any]], country: str) -> tuple[Site, ...]:
    """The sites of a view's rows; where there is no charging point yet, one of the operator's own country."""
    found = tuple(Site(row["country"], row["max_watts"], _name(row["code"], row["points"])) for row in rows)
    return found or (Site(country, None, country),)


def _name(code: str, points: int) -> str:
    return code if points == 1 else f"{code} (+{points - 1})"


def is_bad(findings: Iterable[Finding], worst: Gravity = Gravity.ERROR) -> bool:
    """Whether anything is as bad as that, or worse."""
    order = list(Gravity)
    return any(order.index(one.gravity) <= order.index(worst) for one in findings)
