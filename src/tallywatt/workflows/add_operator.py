"""A new operator moves in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tallywatt.customers.operator import Operator, Party
from tallywatt.kernel.clock import Instant, zone
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.money import currency
from tallywatt.workflows.ports import UnitOfWork
from tallywatt.workflows.record_action import record_action

EARLIEST_CREDIBLE = Instant(1_704_067_200_000)
"""2024-01-01: a station that tells an earlier time has lost its clock, unless the operator says otherwise."""
OWN_PARTY = "own"
"""Reference of the party that is the operator itself."""


@dataclass(frozen=True, slots=True)
class AddOperator:
    """What is needed to sell energy in one's own name. The id is that of the unit of work."""

    slug: str
    name: str
    country: str = "GB"
    party_code: str = "TWA"
    zone: str = "Europe/London"
    currency: str = "GBP"
    address: str = ""
    tax_id: str | None = None
    clock_floor: Instant = EARLIEST_CREDIBLE
    hold_minor: int = 4500
    start_deadline_seconds: int = 120
    lost_stop_after_seconds: int = 15 * 60


def add_operator(work: UnitOfWork, command: AddOperator) -> Operator:
    """Write down the operator and itself as a party, or Conflict when the slug is taken."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,38}", command.slug):
        msg = f"{command.slug!r} is not a slug"
        raise BadInput(msg, code="operators.bad_slug", remedy="use up to 39 lower-case letters, digits and hyphens")
    if not re.fullmatch(r"[A-Z]{2}", command.country) or not re.fullmatch(r"[A-Z0-9]{3}", command.party_code):
        msg = "country is ISO 3166-1 alpha-2, party code three capital letters or digits"
        raise BadInput(msg, code="operators.bad_codes")
    zone(command.zone)
    currency(command.currency)
    row = Operator(
        slug=command.slug,
        name=command.name,
        country=command.country,
        party_code=command.party_code,
        zone=command.zone,
        currency=command.currency,
        address=command.address,
        tax_id=command.tax_id,
        policy_version_id=None,
        clock_floor=command.clock_floor,
        hold_minor=command.hold_minor,
        start_deadline_seconds=command.start_deadline_seconds,
        lost_stop_after_seconds=command.lost_stop_after_seconds,
        created_at=work.now,
    )
    if not work.operators.add(row):
        msg = f"there is an operator {command.slug!r} already"
        raise Conflict(msg, code="operators.slug_taken")
    work.parties.add(Party(work.draw.id("own party"), "operator", command.name, OWN_PARTY))
    work.events.append(Event("operator", work.operator, "OperatorAdded", {"slug": command.slug}))
    record_action(work, "operator.add", "operator", work.operator, after={"slug": command.slug})
    return row
