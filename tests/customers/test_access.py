"""The one place that decides who may: by operator, by scope, and by whose thing it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tallywatt.customers.access import ALL_SCOPES, Caller, Scope, authorise
from tallywatt.kernel.errors import NotAllowed, NotFound

SOMEBODY = Caller("dundee", "person", "P1", ALL_SCOPES)
A_DRIVER = Caller("dundee", "person", "P2", (Scope.OWN.value,), customers=("C1",))


@pytest.mark.parametrize("scope", [Scope(one) for one in ALL_SCOPES])
def test_another_operator_is_not_found_whatever_one_may(scope: Scope) -> None:
    """Not even that it is there is told."""
    authorise(SOMEBODY, scope, "dundee")
    with pytest.raises(NotFound):
        authorise(SOMEBODY, scope, "perth")


def test_what_is_not_among_the_scopes_is_refused() -> None:
    """Finance commands no station."""
    finance = replace(SOMEBODY, scopes=(Scope.READ.value, Scope.COLLECT.value))
    authorise(finance, Scope.COLLECT, "dundee")
    with pytest.raises(NotAllowed):
        authorise(finance, Scope.OPERATE, "dundee")


def test_a_wide_scope_holds_the_narrow_ones_and_not_the_other_way_round() -> None:
    """Keys made before the narrow scopes were told apart open what they opened."""
    wide = replace(SOMEBODY, scopes=(Scope.OPERATE.value, Scope.COLLECT.value))
    for scope in (Scope.ASSIST, Scope.INBOX, Scope.REFUND):
        authorise(wide, scope, "dundee")
        with pytest.raises(NotAllowed):
            authorise(replace(SOMEBODY, scopes=(scope.value,)), Scope.OPERATE, "dundee")


def test_a_driver_gets_own_things_and_another_driver_s_are_not_found() -> None:
    """An id that was guessed or forwarded tells nothing."""
    authorise(A_DRIVER, Scope.OWN, "dundee")
    authorise(A_DRIVER, Scope.OWN, "dundee", customer_id="C1")
    with pytest.raises(NotFound):
        authorise(A_DRIVER, Scope.OWN, "dundee", customer_id="C2")


def test_who_is_bound_to_customers_never_gets_what_is_the_operator_s() -> None:
    """Whatever scopes were written down for them by mistake."""
    careless = replace(A_DRIVER, scopes=(*ALL_SCOPES, Scope.OWN.value))
    for scope in map(Scope, ALL_SCOPES):
        with pytest.raises(NotAllowed):
            authorise(careless, scope, "dundee")


def test_own_opens_nothing_for_who_is_bound_to_nobody() -> None:
    """A key with this scope would be one for everybody's receipts."""
    with pytest.raises(NotAllowed):
        authorise(replace(SOMEBODY, scopes=(Scope.OWN.value,)), Scope.OWN, "dundee")
