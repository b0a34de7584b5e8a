"""Pure: whether a tariff may be charged at a charging point on a day: dated, cited rules as data (`laws.json`).

A rule's text is data; what can be demanded of a tariff is the closed list below. It is no legal advice, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tallywatt.kernel.errors import Conflict
from tallywatt.rating.findings import Finding, Gravity, told, worst_first
from tallywatt.rating.records import Dimension, TaxBasis
from tallywatt.rating.tariff import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tallywatt.rating.tariff import Component, Tariff


class Site(NamedTuple):
    """What rules ask of a charging point. Points that are alike are one site."""

    country: str
    """ISO 3166-1 alpha-2, of its location."""
    max_watts: int | None
    """None: not known; then rules for any power hold, and those for some power do not."""
    name: str
    """What to call it: an EVSE's code, or how many there are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: where and when it holds, what it demands, and where that is written."""

    code: str
    title: str
    says: str
    countries: frozenset[str]
    begins: date
    ends: date | None
    from_watts: int | None
    below_watts: int | None
    demands: tuple[str, ...]
    source: str
    text_read: bool
    """Whether its own text was read by whoever wrote it down here; if not, what it finds is a warning."""

    def holds(self, site: Site, on: date) -> bool:
        """Whether it holds at a site on a day."""
        if (
            site.country.upper() not in self.countries
            or on < self.begins
            or (self.ends is not None and on >= self.ends)
        ):
            return False
        if self.from_watts is None and self.below_watts is None:
            return True
        return site.max_watts is not None and (self.from_watts or 0) <= site.max_watts < (self.below_watts or 1 << 62)


def read_rules(text: bytes | str) -> tuple[Rule, ...]:
    """Rules from their data."""
    return tuple(
        Rule(
            one["code"],
            one["title"],
            one["says"],
            frozenset(one["countries"]),
            date.fromisoformat(one["from"]),
            date.fromisoformat(one["until"]) if one["until"] else None,
            one["from_watts"],
            one["below_watts"],
            tuple(one["demands"]),
            one["source"],
            one["text_read"],
        )
        for one in msgspec.json.decode(text)["rules"]
    )


@cache
def rules() -> tuple[Rule, ...]:
    """The rules that are known here."""
    return read_rules(files(__package__).joinpath("laws.json").read_bytes())


def law(tariff: Tariff, sites: Iterable[Site], on: date, known: tuple[Rule, ...] | None = None) -> tuple[Finding, ...]:
    """What rules say against charging by this tariff at these sites on a day; the same for several sites is said once."""
    found: dict[tuple[str, str, str], Finding] = {}
    for site in sites:
        for rule in rules() if known is None else known:
            for finding in _broken(rule, tariff) if rule.holds(site, on) else ():
                key = (rule.code, finding.code, finding.path)
                places = (*found[key].places, site.name) if key in found else (site.name,)
                found[key] = Finding(
                    finding.code, finding.path, finding.parameters, rule.code, places, softened=not rule.text_read
                )
    return worst_first(found.values())


def holding(sites: Iterable[Site], on: date) -> tuple[Rule, ...]:
    """The rules that hold at any of the sites: what was looked at."""
    known = tuple(sites)
    return tuple(rule for rule in rules() if any(rule.holds(site, on) for site in known))


def refuse_unlawful(tariff: Tariff, sites: Iterable[Site], on: date) -> None:
    """The gate: a tariff that a rule forbids is not assigned. Rules whose text was not read only warn."""
    for finding in law(tariff, sites, on):
        if finding.gravity is Gravity.ERROR:
            message, remedy = told(finding)
            msg = f"a rule on prices forbids this tariff there: {message} ({', '.join(finding.places)})"
            raise Conflict(msg, code="tariffs.unlawful", remedy=remedy)


def _broken(rule: Rule, tariff: Tariff) -> Iterator[Finding]:
    for demand in rule.demands:
        name, _, wanted = demand.partition(":")
        for code, path, parameters in _DEMANDS[name](tariff, wanted):
            power = f"{plain(Decimal(rule.from_watts or 0).scaleb(-3))} kW"
            yield Finding(code, path, {"rule": rule.title, "power": power, **parameters})


Said = tuple[str, str, dict[str, Any]]


def _priced(tariff: Tariff) -> Iterator[tuple[str, Component]]:
    """The components that cost something, with their paths; reservations are no charging."""
    for element in tariff.elements:
        if element.restrictions.reservation is None:
            for place, one in enumerate(element.components):
                if one.price:
                    yield f"elements[{element.index}].price_components[{place}]", one


def _energy_and_idle_only(tariff: Tariff, _: str) -> Iterator[Said]:
    for path, one in _priced(tariff):
        if one.dimension in {Dimension.TIME, Dimension.FLAT}:
            yield "law.energy_and_idle_only", path, {"dimension": one.dimension.value}


def _exact_per_minute(tariff: Tariff, _: str) -> Iterator[Said]:
    """Sixty has the factor three, which no decimal fraction has: a price is exact if it has it, too."""
    for path, one in _priced(tariff):
        if one.dimension in {Dimension.TIME, Dimension.PARKING_TIME}:
            digits = Decimal(plain(one.price)).as_tuple()
            if int("".join(map(str, digits.digits))) % 3:
                near = (one.price / Decimal("0.6")).quantize(Decimal(1)) * Decimal("0.6")
                yield "law.exact_per_minute", f"{path}.price", {"price": plain(one.price), "near": plain(near)}


def _energy_priced(tariff: Tariff, _: str) -> Iterator[Said]:
    priced = [one.dimension for _, one in _priced(tariff)]
    if priced and Dimension.ENERGY not in priced:
        yield "law.energy_priced", "elements", {}


def _taxes_included(tariff: Tariff, _: str) -> Iterator[Said]:
    if tariff.tax_basis is not TaxBasis.GROSS and any(True for _ in _priced(tariff)):
        yield "law.taxes_included", "tax_included", {}


def _currency(tariff: Tariff, wanted: str) -> Iterator[Said]:
    if tariff.currency.code != wanted:
        yield "law.currency", "currency", {"wanted": wanted, "currency": tariff.currency.code}


def _fixed_at_start(tariff: Tariff, _: str) -> Iterator[Said]:
    """Only what changes by the clock; tiers of energy are known before the start."""
    prices: dict[Dimension, set[Decimal]] = {}
    for element in tariff.elements:
        for one in element.components:
            prices.setdefault(one.dimension, set()).add(one.price)
    for element in tariff.elements:
        limits = element.restrictions
        by_clock = limits.start_time, limits.end_time, limits.start_date, limits.end_date, limits.days or None
        if any(one is not None for one in by_clock):
            for place, one in enumerate(element.components):
                if one.dimension in {Dimension.ENERGY, Dimension.TIME} and len(prices[one.dimension]) > 1:
                    path = f"elements[{element.index}].price_components[{place}]"
                    yield "law.fixed_at_start", path, {"dimension": one.dimension.value}


def _order(_tariff: Tariff, _wanted: str) -> Iterator[Said]:
    """Kept by whatever tariff, for what is shown stands in that order (`offer.price_shown`)."""
    return iter(())


_DEMANDS: Final[dict[str, Callable[[Tariff, str], Iterator[Said]]]] = {
    "energy_and_idle_only": _energy_and_idle_only,
    "exact_per_minute": _exact_per_minute,
    "energy_priced": _energy_priced,
    "taxes_included": _taxes_included,
    "currency": _currency,
    "fixed_at_start": _fixed_at_start,
    "order": _order,
}
