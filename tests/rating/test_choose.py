"""Choosing a tariff: the narrowest assignment holds, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import TariffVersionId
from tallywatt.rating.audience import Who
from tallywatt.rating.choose import PRECEDENCE, Criterion, Place, choice_data, choose_tariff
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


TAXIS = Who(customer="C1", groups=frozenset({"taxis"}), payment="account")


def for_(audience: str, scope: Scope = Scope.OPERATOR, scope_id: str = "", **more: int) -> TariffAssignment:
    """An assignment for an audience, named after it."""
    made = an_assignment(scope, scope_id, **more)
    return replace(made, audience=audience, assignment_id=f"{audience}/{made.assignment_id}")


@pytest.mark.parametrize(
    ("audiences", "chosen"),
    [
        (["everyone", "payment:account"], "payment:account"),
        (["payment:account", "member:plus"], "member:plus"),
        (["member:plus", "group:taxis"], "group:taxis"),
        (["group:taxis", "fleet:acme"], "fleet:acme"),
        (["fleet:acme", "customer:C1"], "customer:C1"),
        (["everyone", "group:couriers", "payment:ad_hoc", "customer:C2"], "everyone"),
        (["everyone", "group:couriers,taxis"], "group:couriers,taxis"),
        (["group:taxis", "group:taxis & payment:ad_hoc"], "group:taxis"),
    ],
)
def test_the_narrowest_audience_to_which_a_driver_belongs_goes_first(audiences: list[str], chosen: str) -> None:
    """A personal price is not lost to a membership; a price for others is never anybody's."""
    who = Who("C1", frozenset({"acme"}), frozenset({"taxis"}), frozenset({"plus"}), "account")
    found = choose_tariff([for_(one) for one in audiences], HERE, NOW, who)
    assert found is not None
    assert found.assignment.audience == chosen


def test_what_was_promised_to_a_driver_goes_before_what_stands_on_the_post() -> None:
    """By the order that is written down; another order is another promise, and says so in its reason."""
    personal, on_the_post = for_("customer:C1"), an_assignment(Scope.EVSE, "E1")
    found = choose_tariff([personal, on_the_post], HERE, NOW, TAXIS)
    other = choose_tariff([personal, on_the_post], HERE, NOW, TAXIS, (Criterion.PLACE, *PRECEDENCE))
    stranger = choose_tariff([personal, on_the_post], HERE, NOW)
    assert found is not None
    assert other is not None
    assert stranger is not None
    assert (found.assignment, found.reason) == (personal, "customer; operator; before everyone at evse")
    assert (other.assignment, other.reason) == (on_the_post, "evse; before customer at operator")
    assert (stranger.assignment, stranger.reason) == (on_the_post, "evse")


@pytest.mark.parametrize(
    ("current", "watts", "speed"),
    [
        ("ac", 3_700, "ac_slow"), ("ac", 7_400, "ac_medium"), ("ac", 22_000, "ac_medium"), ("ac", 43_000, "ac_fast"),
        ("dc", 25_000, "dc_slow"), ("dc", 50_000, "dc_fast"), ("dc", 149_999, "dc_fast"), ("dc", 150_000, "dc_ultra_fast"),
    ],
)  # fmt: skip
def test_a_speed_class_has_its_own_price(current: str, watts: int, speed: str) -> None:
    """The same post may have a slow socket and a fast cable."""
    fast, rest = for_(f"speed:{speed}"), for_("everyone")
    at_it = choose_tariff([fast, rest], Place("E1", "S1", "L1", current, watts), NOW)
    unknown = choose_tariff([fast, rest], HERE, NOW)
    assert at_it is not None
    assert unknown is not None
    assert (at_it.assignment, at_it.reason) == (fast, "operator at this speed; before operator at any speed")
    assert unknown.assignment == rest


def test_each_that_was_not_chosen_says_why() -> None:
    """An operator who wonders about a price asks for the others."""
    best = for_("group:taxis", since=500, written=9)
    others = {
        "everyone": for_("everyone", Scope.EVSE, "E1"),
        "wide": for_("group:taxis", since=100),
        "written": for_("group:taxis", since=500, written=3),
        "not yet": for_("group:taxis", since=5000),
        "over": for_("group:taxis", since=0, until=10),
        "elsewhere": for_("group:taxis", Scope.EVSE, "E9"),
        "others": for_("fleet:acme"),
        "slow": for_("group:taxis & speed:ac_slow", since=1),
        "broken": for_("nonsense"),
    }
    found = choose_tariff([*others.values(), best], Place("E1", "S1", "L1", "dc", 50_000), NOW, TAXIS)
    assert found is not None
    assert found.assignment == best
    why = {one.assignment.assignment_id: one.why.value for one in found.passed}
    assert [why[one.assignment_id] for one in others.values()] == [
        "audience", "began", "written", "not_yet", "over", "elsewhere", "not_for_them", "other_speed", "not_for_them",
    ]  # fmt: skip
    told = choice_data(found)
    assert (told["reason"], len(told["passed"])) == (found.reason, len(others))


def test_two_that_were_written_at_once_are_told_apart_by_their_ids() -> None:
    """Whoever asks twice must hear the same."""
    twins = [replace(for_("everyone"), assignment_id=name) for name in ("a", "b")]
    for order in (twins, twins[::-1]):
        found = choose_tariff(order, HERE, NOW)
        assert found is not None
        assert found.assignment.assignment_id == "b"
        assert found.passed[0].why is Criterion.WRITTEN
