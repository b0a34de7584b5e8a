"""Pure: for whom, and at which speed, an assignment of a tariff holds: a short text that is stored, and what it asks.

`everyone`, or conditions that must all hold, each with names of which one must fit:
`group:taxis,couriers & speed:dc_fast`. Memberships, groups and fleets are known by their names, customers by their reference.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from tallywatt.kernel.errors import BadInput
from tallywatt.rating.records import EVERYONE


class Kind(StrEnum):
    """What a condition asks about, from the narrowest to the widest."""

    CUSTOMER = "customer"
    """One customer: a personal price."""
    FLEET = "fleet"
    GROUP = "group"
    MEMBER = "member"
    """A membership that is paid for."""
    PAYMENT = "payment"
    """How the driver pays: `ad_hoc` or `account`."""
    SPEED = "speed"
    """About the charging point, not about the driver; it never makes an audience narrower than another."""


class Speed(StrEnum):
    """Speed classes of charging points, as EU 2023/1804 divides them by current and power."""

    AC_SLOW = "ac_slow"
    AC_MEDIUM = "ac_medium"
    AC_FAST = "ac_fast"
    DC_SLOW = "dc_slow"
    DC_FAST = "dc_fast"
    DC_ULTRA_FAST = "dc_ultra_fast"


PAYMENTS: Final = ("ad_hoc", "account")
_NAME = re.compile(r"[\w.@*/+-]{1,64}")
MOST_NAMES: Final = 20
REMEDY: Final = "write it like customer:C-1,C-2 & speed:dc_fast, payment:ad_hoc, or everyone"


class Who(NamedTuple):
    """What is known of who charges."""

    customer: str | None = None
    """The customer's reference."""
    fleets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    memberships: frozenset[str] = frozenset()
    payment: str | None = None


ANYBODY: Final = Who()


class Audience(NamedTuple):
    """The conditions of an assignment; none: everyone."""

    conditions: tuple[tuple[Kind, tuple[str, ...]], ...] = ()

    @property
    def text(self) -> str:
        """As it is stored: one text for one meaning."""
        return " & ".join(f"{kind}:{','.join(names)}" for kind, names in self.conditions) or EVERYONE

    @property
    def narrowest(self) -> Kind | None:
        """The narrowest thing that it asks of the driver; None: nothing."""
        asked = [kind for kind, _ in self.conditions if kind is not Kind.SPEED]
        return min(asked, key=list(Kind).index, default=None)

    @property
    def asks_for_speed(self) -> bool:
        """Whether it holds at some speeds alone."""
        return any(kind is Kind.SPEED for kind, _ in self.conditions)

    def holds_for(self, who: Who) -> bool:
        """Whether the driver belongs to it; speed is asked of the place."""
        have = {
            Kind.CUSTOMER: frozenset({who.customer}),
            Kind.FLEET: who.fleets,
            Kind.GROUP: who.groups,
            Kind.MEMBER: who.memberships,
            Kind.PAYMENT: frozenset({who.payment}),
        }
        return all(kind is Kind.SPEED or not have[kind].isdisjoint(names) for kind, names in self.conditions)

    def holds_at(self, speed: Speed | None) -> bool:
        """Whether the charging point has one of its speeds; one of unknown speed has none."""
        return all(kind is not Kind.SPEED or speed in names for kind, names in self.conditions)


def speed_of(current: str | None, max_watts: int | None) -> Speed | None:
    """The speed class of a charging point; None where its power is not known."""
    if current is None or max_watts is None:
        return None
    if current == "ac":
        return Speed.AC_SLOW if max_watts < 7_400 else Speed.AC_MEDIUM if max_watts <= 22_000 else Speed.AC_FAST
    return Speed.DC_SLOW if max_watts < 50_000 else Speed.DC_FAST if max_watts < 150_000 else Speed.DC_ULTRA_FAST


def read_audience(text: str) -> Audience:
    """The audience of a text, or what is wrong with it."""
    if text.strip() in {"", EVERYONE}:
        return Audience()
    found: dict[Kind, tuple[str, ...]] = {}
    for condition in text.split("&"):
        word, colon, rest = condition.strip().partition(":")
        names = tuple(sorted({name.strip() for name in rest.split(",")}))
        if word not in set(Kind) or not colon:
            msg = f"{condition.strip()!r} is no condition of an audience"
            raise BadInput(msg, code="tariffs.bad_audience", remedy=REMEDY)
        kind = Kind(word)
        if kind in found:
            msg = f"{word} is asked for twice"
            raise BadInput(msg, code="tariffs.bad_audience", remedy=REMEDY)
        if len(names) > MOST_NAMES or not all(_NAME.fullmatch(name) for name in names):
            msg = f"{rest.strip()!r} are no names"
            raise BadInput(msg, code="tariffs.bad_audience", remedy=REMEDY)
        known = {Kind.PAYMENT: PAYMENTS, Kind.SPEED: tuple(Speed)}.get(kind)
        if known is not None and not set(names) <= set(known):
            msg = f"{word} is one of {', '.join(known)}"
            raise BadInput(msg, code="tariffs.bad_audience", remedy=REMEDY)
        found[kind] = names
    return Audience(tuple(sorted(found.items(), key=lambda one: list(Kind).index(one[0]))))


@lru_cache(maxsize=1024)
def stored_audience(text: str) -> Audience | None:
    """The audience of a stored text; None where it cannot be read: then it is for nobody, never for everyone."""
    try:
        return read_audience(text)
    except BadInput:
        return None
