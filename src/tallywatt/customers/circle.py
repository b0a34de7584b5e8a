"""Pure: circles of customers (fleets, groups, memberships), and from when to when a customer belongs to one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CustomerId

REMEDY: Final = "write it like fleet:north, group:taxis or member:gold"
_NAME = re.compile(r"[\w.@*/+-]{1,64}")


class CircleKind(StrEnum):
    """What binds its customers together. An audience of a tariff asks for it by the same word."""

    FLEET = "fleet"
    """Vehicles of one keeper."""
    GROUP = "group"
    """People of one kind: residents, staff, taxis."""
    MEMBER = "member"
    """A membership, mostly one that is paid for."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A fleet, a group or a membership. Its name is what audiences of tariffs call it, and never changes."""

    circle_id: str
    kind: CircleKind
    name: str
    title: str
    """What people call it."""
    created_at: Instant
    version: int = 1

    @property
    def address(self) -> str:
        """As an audience writes it: `group:taxis`."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Belonging:
    """A customer is of a circle from an instant on, until another one that is no more of it; in business time."""

    belonging_id: str
    circle_id: str
    customer_id: CustomerId
    valid_from: Instant
    valid_until: Instant | None
    created_at: Instant
    version: int = 1

    def holds_at(self, at: Instant) -> bool:
        """Whether the customer is of the circle at that instant."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    def meets(self, since: Instant, until: Instant | None) -> bool:
        """Whether it has an instant in common with a span."""
        ends_before = self.valid_until is not None and self.valid_until <= since
        return not ends_before and (until is None or self.valid_from < until)


def read_address(text: str) -> tuple[CircleKind, str]:
    """Kind and name of a text like `group:taxis`."""
    word, _, name = text.strip().partition(":")
    if word not in set(CircleKind) or not _NAME.fullmatch(name):
        msg = f"{text.strip()!r} names no fleet, group or membership"
        raise BadInput(msg, code="circles.bad_name", remedy=REMEDY)
    return CircleKind(word), name
