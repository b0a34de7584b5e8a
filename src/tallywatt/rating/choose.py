"""Pure: which tariff holds for a driver at an EVSE at an instant, by an order that is written down, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, assert_never

from tallywatt.rating.audience import ANYBODY, Audience, Kind, Who, speed_of, stored_audience
from tallywatt.rating.records import EVERYONE, Scope, TariffAssignment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant


class Criterion(StrEnum):
    """By what one assignment goes before another."""

    AUDIENCE = "audience"
    """Customer before fleet before group before member before payment before everyone."""
    PLACE = "place"
    """EVSE before station before location before operator."""
    SPEED = "speed"
    """One for some speeds before one for all."""
    BEGAN = "began"
    """The one that began last."""
    WRITTEN = "written"
    """The one that was written down last."""


PRECEDENCE: Final = tuple(Criterion)
"""What was promised to a person holds everywhere; then what was written on the post; then the newest."""


class Out(StrEnum):
    """Why an assignment does not hold at all."""

    NOT_YET = "not_yet"
    OVER = "over"
    ELSEWHERE = "elsewhere"
    NOT_FOR_THEM = "not_for_them"
    OTHER_SPEED = "other_speed"


class Place(NamedTuple):
    """Where a session is to start; None for what is not known."""

    evse_id: str | None
    station_id: str | None
    location_id: str | None
    current: str | None = None
    max_watts: int | None = None


class Passed(NamedTuple):
    """An assignment that was not chosen, and why: the criterion by which it lost, or why it does not hold."""

    assignment: TariffAssignment
    why: Criterion | Out


class Choice(NamedTuple):
    """The assignment that holds, and why: its audience and scope, and which others it beat."""

    assignment: TariffAssignment
    reason: str
    passed: tuple[Passed, ...] = ()


def choose_tariff(
    assignments: Iterable[TariffAssignment],
    place: Place,
    at: Instant,
    who: Who = ANYBODY,
    precedence: tuple[Criterion, ...] = PRECEDENCE,
) -> Choice | None:
    """The assignment that goes before all others that hold; None: nothing holds."""
    every = list(assignments)
    out = {one.assignment_id: why for one in every if (why := _out(one, place, at, who)) is not None}
    holding = [one for one in every if one.assignment_id not in out]
    if not holding:
        return None
    best = max(holding, key=lambda one: (*(_rank(one, by) for by in precedence), one.assignment_id))
    passed = tuple(
        Passed(one, out.get(one.assignment_id) or _lost_by(one, best, precedence)) for one in every if one is not best
    )
    return Choice(best, _reason(best, holding), passed)


def _out(assignment: TariffAssignment, place: Place, at: Instant, who: Who) -> Out | None:
    audience = stored_audience(assignment.audience)
    if at < assignment.valid_from:
        return Out.NOT_YET
    if assignment.valid_until is not None and at >= assignment.valid_until:
        return Out.OVER
    here = {Scope.EVSE: place.evse_id, Scope.STATION: place.station_id, Scope.LOCATION: place.location_id}
    if assignment.scope is not Scope.OPERATOR and assignment.scope_id != here[assignment.scope]:
        return Out.ELSEWHERE
    if audience is None or not audience.holds_for(who):
        return Out.NOT_FOR_THEM
    return None if audience.holds_at(speed_of(place.current, place.max_watts)) else Out.OTHER_SPEED


_WIDTH: Final = {kind: -place for place, kind in enumerate(Kind)}
_NARROW: Final = (Scope.EVSE, Scope.STATION, Scope.LOCATION, Scope.OPERATOR)


def _rank(assignment: TariffAssignment, by: Criterion) -> int:
    match by:
        case Criterion.AUDIENCE:
            kind = _audience(assignment).narrowest
            return -len(_WIDTH) if kind is None else _WIDTH[kind]
        case Criterion.PLACE:
            return -_NARROW.index(assignment.scope)
        case Criterion.SPEED:
            return int(_audience(assignment).asks_for_speed)
        case Criterion.BEGAN:
            return assignment.valid_from
        case Criterion.WRITTEN:
            return assignment.created_at
        case _:
            assert_never(by)


def _audience(assignment: TariffAssignment) -> Audience:
    found = stored_audience(assignment.audience)
    assert found is not None, "what cannot be read holds for nobody, and was left out before"
    return found


def _lost_by(assignment: TariffAssignment, best: TariffAssignment, precedence: tuple[Criterion, ...]) -> Criterion:
    """The first criterion by which they differ; two that do not differ were written at once."""
    for by in precedence:
        if _rank(assignment, by) != _rank(best, by):
            return by
    return Criterion.WRITTEN


def _label(assignment: TariffAssignment) -> str:
    return _audience(assignment).narrowest or EVERYONE


def _reason(best: TariffAssignment, holding: list[TariffAssignment]) -> str:
    """In a few words: `customer; operator; before everyone at evse`."""
    mine = (_label(best), best.scope, _audience(best).asks_for_speed)
    beaten, newer = set(), False
    for one in holding:
        its = (_label(one), one.scope, _audience(one).asks_for_speed)
        newer = newer or (one is not best and its == mine)
        if its != mine:
            words = one.scope.value if its[0] == mine[0] else f"{its[0]} at {one.scope.value}"
            beaten.add(f"{words} at any speed" if its[:2] == mine[:2] else words)
    parts = [] if mine[0] == EVERYONE else [str(mine[0])]
    parts.append(f"{best.scope.value} at this speed" if mine[2] else best.scope.value)
    if newer:
        parts.append("the latest of its scope")
    if beaten:
        parts.append(f"before {', '.join(sorted(beaten))}")
    return "; ".join(parts)


def choice_data(choice: Choice) -> dict[str, Any]:
    """A choice as data: what holds, why, and why nothing else does."""
    return {
        "assignment_id": choice.assignment.assignment_id,
        "tariff_version_id": choice.assignment.tariff_version_id,
        "reason": choice.reason,
        "passed": [
            {
                "assignment_id": one.assignment.assignment_id,
                "tariff_version_id": one.assignment.tariff_version_id,
                "why": one.why.value,
            }
            for one in choice.passed
        ],
    }
