"""Pure: which tariff holds at an EVSE at an instant, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tallywatt.rating.records import EVERYONE, Scope, TariffAssignment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant

_PRECEDENCE: Final = (Scope.EVSE, Scope.STATION, Scope.LOCATION, Scope.OPERATOR)


class Place(NamedTuple):
    """Where a session is to start; None for what is not known."""

    evse_id: str | None
    station_id: str | None
    location_id: str | None


class Choice(NamedTuple):
    """The assignment that holds, and why: its scope, and which others it beat."""

    assignment: TariffAssignment
    reason: str


def choose_tariff(assignments: Iterable[TariffAssignment], place: Place, at: Instant) -> Choice | None:
    """The narrowest assignment that holds: EVSE before station before location before operator.

    Of several in one scope the one that began last holds; of those the one written down last. None: nothing holds.
    """
    holding = [one for one in assignments if one.audience == EVERYONE and _holds(one, place, at)]
    if not holding:
        return None
    best = max(holding, key=_rank)
    return Choice(best, _reason(best, holding))


def _holds(assignment: TariffAssignment, place: Place, at: Instant) -> bool:
    if not assignment.valid_from <= at or (assignment.valid_until is not None and at >= assignment.valid_until):
        return False
    if assignment.scope is Scope.OPERATOR:
        return True
    here = {Scope.EVSE: place.evse_id, Scope.STATION: place.station_id, Scope.LOCATION: place.location_id}
    return assignment.scope_id == here[assignment.scope]


def _rank(assignment: TariffAssignment) -> tuple[int, int, int, str]:
    narrowness = -_PRECEDENCE.index(assignment.scope)
    return narrowness, assignment.valid_from, assignment.created_at, assignment.assignment_id


def _reason(best: TariffAssignment, holding: list[TariffAssignment]) -> str:
    beaten = sorted({one.scope.value for one in holding if one.scope is not best.scope})
    newer = any(one is not best and one.scope is best.scope for one in holding)
    parts = [best.scope.value]
    if newer:
        parts.append("the latest of its scope")
    if beaten:
        parts.append(f"before {', '.join(beaten)}")
    return "; ".join(parts)
