"""Choosing a tariff: the narrowest assignment holds, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import TariffVersionId
from tallywatt.rating.choose import Place, choose_tariff
from tallywatt.rating.records import EVERYONE, Scope, TariffAssignment

HERE = Place("E1", "S1", "L1")
NOW = Instant(1000)


def an_assignment(
    scope: Scope, scope_id: str = "", since: int = 0, until: int | None = None, written: int = 0
) -> TariffAssignment:
    """An assignment that is named after its scope and beginning."""
    return TariffAssignment(
        assignment_id=f"{scope}-{since}-{written}",
        tariff_version_id=TariffVersionId(f"tariff-{scope}-{since}"),
        scope=scope,
        scope_id=scope_id,
        audience=EVERYONE,
        valid_from=Instant(since),
        valid_until=None if until is None else Instant(until),
        created_at=Instant(written),
    )


ALL = [
    an_assignment(Scope.OPERATOR),
    an_assignment(Scope.LOCATION, "L1"),
    an_assignment(Scope.STATION, "S1"),
    an_assignment(Scope.EVSE, "E1"),
]


@pytest.mark.parametrize(
    ("place", "scope", "reason"),
    [
        (HERE, Scope.EVSE, "evse; before location, operator, station"),
        (Place("E2", "S1", "L1"), Scope.STATION, "station; before location, operator"),
        (Place(None, "S2", "L1"), Scope.LOCATION, "location; before operator"),
        (Place(None, None, None), Scope.OPERATOR, "operator"),
    ],
)
def test_the_narrowest_scope_holds(place: Place, scope: Scope, reason: str) -> None:
    """A special price at one plug must not need a change of all others."""
    choice = choose_tariff(ALL, place, NOW)
    assert choice is not None
    assert choice.assignment.scope is scope
    assert choice.reason == reason


def test_an_assignment_holds_from_its_first_instant_until_before_its_last() -> None:
    """Two that follow each other never hold both, nor neither."""
    old, new = an_assignment(Scope.OPERATOR, since=0, until=1000), an_assignment(Scope.OPERATOR, since=1000)
    before, at = choose_tariff([old, new], HERE, Instant(999)), choose_tariff([old, new], HERE, Instant(1000))
    assert before is not None
    assert before.assignment == old
    assert at is not None
    assert at.assignment == new
    assert at.reason == "operator"


def test_of_one_scope_the_one_that_began_last_holds_then_the_one_written_last() -> None:
    """A new price is put down without ending the old one first."""
    first, later = an_assignment(Scope.OPERATOR, since=0), an_assignment(Scope.OPERATOR, since=500)
    corrected = an_assignment(Scope.OPERATOR, since=500, written=7)
    choice = choose_tariff([corrected, first, later], HERE, NOW)
    assert choice is not None
    assert choice.assignment == corrected
    assert choice.reason == "operator; the latest of its scope"


def test_nothing_assigned_is_an_answer() -> None:
    """The caller must decide what a session without a price is; it is never a price of zero by accident."""
    assert choose_tariff([], HERE, NOW) is None
    assert choose_tariff([an_assignment(Scope.EVSE, "E9")], HERE, NOW) is None
    assert choose_tariff([an_assignment(Scope.OPERATOR, since=2000)], HERE, NOW) is None


def test_an_assignment_for_members_is_not_for_everyone() -> None:
    """Until audiences are known, a price for some must not become the price for all."""
    assert choose_tariff([replace(an_assignment(Scope.OPERATOR), audience="fleet")], HERE, NOW) is None
