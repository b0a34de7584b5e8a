"""Whom an erasure takes up, and whom it asks to wait: what is still to be decided or paid must not be lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import Conflict
from tallywatt.metering.session import SessionState
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tests.workflows.house_of import kwh

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


@pytest.mark.parametrize("decision", [Decision.RELEASE, Decision.WRITE_OFF])
def test_a_session_that_waits_for_a_person_is_decided_before_its_customer_is_forgotten(
    house: HouseOf, decision: Decision
) -> None:
    """Released afterwards it would be billed to nobody: the card is gone, and no letter finds its reader."""
    house.keep_a_card()
    transaction = house.wire().charge(kwh(400))
    assert house.session(transaction).state is SessionState.HELD

    with pytest.raises(Conflict) as refused:
        house.do(erase_customer, EraseCustomer("C1"))
    assert refused.value.code == "customers.session_held"

    [item] = house.inbox("implausible")
    house.do(resolve_item, ResolveItem(item.item_id, decision))
    house.collect()
    house.do(erase_customer, EraseCustomer("C1"))
    assert house.rows.customers.one_by(reference="C1") is None
    house.adds_up()
