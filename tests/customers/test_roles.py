"""The table of roles: what each may, as an operator would expect it."""

from __future__ import annotations

import pytest

from tallywatt.customers.access import ALL_SCOPES, Caller, Scope
from tallywatt.customers.roles import ROLES, Role

MAY: dict[Role, str] = {
    Role.OWNER: "read operate assist inbox sell collect refund approve sessions audit admin",
    Role.OPERATIONS: "read operate assist inbox sell sessions audit",
    Role.SUPPORT: "read assist inbox refund",
    Role.FINANCE: "read inbox collect refund approve audit",
    Role.READ_ONLY: "read",
    Role.FLEET_MANAGER: "own",
    Role.DRIVER: "own",
}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_this_and_no_more(role: Role) -> None:
    """Written down twice, so that a scope given by mistake is seen."""
    caller = Caller("dundee", "person", "P", ROLES[role].scopes)
    assert {scope.value for scope in Scope if caller.has(scope)} == set(MAY[role].split())


@pytest.mark.parametrize("role", list(Role))
def test_only_who_is_bound_to_customers_has_own_and_nothing_else(role: Role) -> None:
    """A driver's role that could read would read everybody's sessions."""
    duties = ROLES[role]
    assert duties.is_bound == (duties.scopes == (Scope.OWN.value,))
    assert duties.summary.endswith(".")


def test_an_owner_may_whatever_an_operator_s_people_may() -> None:
    """Also what is added later."""
    assert ROLES[Role.OWNER].scopes == ALL_SCOPES
