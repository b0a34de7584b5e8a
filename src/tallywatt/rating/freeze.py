"""Pure: a tariff that follows a market, frozen at its offer: the prices that were known then, and no others, ever after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.kernel.clock import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from decimal import Decimal

    from tallywatt.rating.index import Index
    from tallywatt.rating.tariff import Component, Tariff

AHEAD: Final = 72 * 3_600_000
"""So far ahead prices are frozen: a day-ahead market tells at most a day and a half."""


class Wanted(NamedTuple):
    """The prices of a market that a tariff needs."""

    market: str
    minutes: int
    currency: str


def indexes(tariff: Tariff) -> Iterator[tuple[str, Index]]:
    """Every index of a tariff, with its path."""
    for element in tariff.elements:
        for place, component in enumerate(element.components):
            if component.index is not None:
                yield f"elements[{element.index}].price_components[{place}].index", component.index


def follows_market(tariff: Tariff) -> bool:
    """Whether prices of a market are still to be put into it."""
    return any(index.slots is None for _, index in indexes(tariff))


def freeze(
    tariff: Tariff,
    at: Instant,
    prices_of: Callable[[Wanted, Instant, Instant], Sequence[tuple[Instant, Decimal]]],
) -> Tariff:
    """The tariff with the prices that are known at the offer: from the slot in which it is made, as far ahead as they go.

    It is a version of its own. Nothing that is told later can change it, so a session costs the same in five years.
    """

    def frozen(component: Component) -> Component:
        index = component.index
        if index is None or index.slots is not None:
            return component
        since = Instant(at - at % index.milliseconds)
        wanted = Wanted(index.market, index.minutes, tariff.currency.code)
        slots = tuple(sorted(prices_of(wanted, since, Instant(at + AHEAD))))
        return replace(component, index=replace(index, slots=slots))

    elements = tuple(replace(element, components=tuple(map(frozen, element.components))) for element in tariff.elements)
    return replace(tariff, elements=elements)
