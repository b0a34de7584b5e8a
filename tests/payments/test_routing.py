"""Which account a new payment goes to, and when one is left alone for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import ProviderAccountId
from tallywatt.payments.account import ProviderAccount
from tallywatt.payments.health import (
    FAILURES,
    FIRST_PAUSE_MS,
    LONGEST_PAUSE_MS,
    Circuit,
    ProviderHealth,
    after_sending,
    healthy,
)
from tallywatt.payments.provider import Declined, Failed, NotSent, Succeeded, Unknown, View, ViewStatus
from tallywatt.payments.routing import Wish, cost_of, route

NOW = Instant(1_795_248_000_000)
GOOD = Succeeded(View(ViewStatus.CAPTURED))
BAD = NotSent("connection refused")


def an_account(name: str, **more: object) -> ProviderAccount:
    plain = ProviderAccount(
        account_id=ProviderAccountId(name),
        name=name,
        provider="stripe",
        live=False,
        base_url=None,
        currencies=("EUR", "GBP"),
        secret_reference="env:KEY",
        webhook_secret_references=(),
        is_default=False,
        created_at=NOW,
        closed_at=None,
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields by name


def open_until(name: str, at: int) -> dict[str, ProviderHealth]:
    health = ProviderHealth(ProviderAccountId(name), Circuit.OPEN, FAILURES, 1, Instant(at), NOW)
    return {name: health}


def names(*accounts: ProviderAccount) -> list[str]:
    return [one.name for one in accounts]


def test_only_accounts_that_can_take_it_are_asked() -> None:
    accounts = [
        an_account("yen", currencies=("JPY",)),
        an_account("closed", closed_at=NOW),
        an_account("nobody", provider="nobody"),
        an_account("good"),
    ]
    assert names(*route(accounts, {}, Wish("EUR", 4000, on_page=True), NOW)) == ["good"]
    assert names(*route(accounts, {}, Wish("EUR", 4000, "card", on_page=True), NOW)) == ["good"]
    assert route(accounts, {}, Wish("EUR", 4000, "seashells", on_page=True), NOW) == ()
    assert route(accounts, {}, Wish("EUR", 1, on_page=True), NOW) == (), "less than it takes"


def test_the_operators_order_comes_before_the_cost_and_the_cost_before_the_default() -> None:
    cheap = an_account("cheap", fee_minor=10, fee_basis_points=50)
    dear = an_account("dear", fee_minor=30, fee_basis_points=150, is_default=True)
    untold = an_account("untold", is_default=True)
    first = an_account("first", rank=-1, fee_minor=500)
    wish = Wish("EUR", 4000)
    assert names(*route([untold, dear, cheap, first], {}, wish, NOW)) == ["first", "cheap", "dear", "untold"]
    assert names(*route([an_account("b"), an_account("a"), an_account("c", is_default=True)], {}, wish, NOW)) == [
        "c",
        "a",
        "b",
    ]


@pytest.mark.parametrize(
    ("minor", "fee", "share", "cost"), [(4000, 25, 140, 81), (1, 0, 1, 1), (4000, None, None, None), (0, 25, 140, 25)]
)
def test_a_cost_is_rounded_up(minor: int, fee: int | None, share: int | None, cost: int | None) -> None:
    assert cost_of(an_account("a", fee_minor=fee, fee_basis_points=share), minor) == cost


def test_case_50_an_account_in_trouble_comes_last_until_it_is_time_to_try_it() -> None:
    a, b = an_account("a", is_default=True), an_account("b")
    wish = Wish("EUR", 4000)
    assert names(*route([a, b], open_until("a", NOW + 1), wish, NOW)) == ["b", "a"]
    assert names(*route([a, b], open_until("a", NOW), wish, NOW)) == ["a", "b"]


def test_when_all_are_in_trouble_the_one_that_is_tried_soonest_is_asked() -> None:
    """A driver is asked to wait rather than sent away."""
    a, b = an_account("a", is_default=True), an_account("b")
    health = {**open_until("a", NOW + 9000), **open_until("b", NOW + 2000)}
    assert names(*route([a, b], health, Wish("EUR", 4000), NOW)) == ["b", "a"]


def test_case_50_a_circuit_opens_is_probed_by_one_and_closes() -> None:
    health = healthy(ProviderAccountId("a"), NOW)
    for _ in range(FAILURES):
        assert health.state is Circuit.CLOSED
        health = after_sending(health, BAD, NOW)
    assert (health.state, health.retry_at) == (Circuit.OPEN, NOW + FIRST_PAUSE_MS)
    later = Instant(NOW + FIRST_PAUSE_MS)
    assert not health.may_take(Instant(later - 1))
    assert health.may_take(later)
    probing = health.tried(later)
    assert probing.state is Circuit.PROBING
    assert not probing.may_take(later), "one payment tries it at a time"
    again = after_sending(probing, BAD, later)
    assert (again.state, again.retry_at) == (Circuit.OPEN, later + 2 * FIRST_PAUSE_MS)
    well = after_sending(again.tried(Instant(later + LONGEST_PAUSE_MS)), GOOD, later)
    assert (well.state, well.failures, well.pauses, well.retry_at) == (Circuit.CLOSED, 0, 0, None)


def test_what_was_on_its_way_at_an_open_account_does_not_push_the_next_try_away() -> None:
    (health,) = open_until("a", NOW + 1000).values()
    assert after_sending(health, BAD, NOW).retry_at == health.retry_at


@pytest.mark.parametrize(
    ("outcome", "fails"),
    [
        (GOOD, False),
        (Declined("declined", "other_method", "no"), False),
        (Failed("refused", "no"), False),
        (BAD, True),
        (Unknown("timeout"), True),
    ],
)
def test_a_decline_shows_a_provider_at_work(outcome: object, fails: bool) -> None:
    after = after_sending(healthy(ProviderAccountId("a"), NOW), outcome, NOW)  # type: ignore[arg-type]  # an outcome
    assert (after.failures == 1) is fails


@given(st.lists(st.sampled_from([GOOD, BAD]), max_size=60))
def test_a_circuit_is_never_open_without_a_time_to_try(outcomes: list[Succeeded | NotSent]) -> None:
    """An account that is left alone for ever is an account lost; one success makes it well."""
    health, now = healthy(ProviderAccountId("a"), NOW), NOW
    for outcome in outcomes:
        now = Instant(now + 1000)
        if health.may_take(now):
            health = health.tried(now)
        health = after_sending(health, outcome, now)
        if health.state is not Circuit.CLOSED:
            assert health.retry_at is not None
            assert health.retry_at - now <= LONGEST_PAUSE_MS
    assert after_sending(health, GOOD, now).may_take(now)
