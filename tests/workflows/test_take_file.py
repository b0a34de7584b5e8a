"""A dispute of which no notification came stands in a file: its money leaves the books, comes back, or is a loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.payments.dispute import DisputeState
from tallywatt.payments.settlement import LineKind, LineState, ToldLine
from tallywatt.workflows.take_file import take_file
from tallywatt.workflows.take_settlement import TakeSettlement
from tests.workflows.test_take_dispute import SECOND, stands, tell, told
from tests.workflows.test_take_settlement import listed, open_differences, paid

if TYPE_CHECKING:
    from tallywatt.payments.dispute import Dispute
    from tallywatt.payments.payment import Payment
    from tests.workflows.house_of import HouseOf


def moved(house: HouseOf, payment: Payment, minor: int, seconds: int, ref: str = "dp_1") -> ToldLine:
    """A bank has taken something back, or given it back, so many seconds from now."""
    at = Instant(house.now + seconds * SECOND)
    name = f"{ref}/{seconds}"
    return ToldLine(name, LineKind.DISPUTE, minor, 0, "GBP", at, minor, "GBP", ref, None, payment.provider_ref)


def read(house: HouseOf, *lines: ToldLine) -> Dispute:
    """A file is taken in; the one dispute that is known after it."""
    account = house.rows.provider_accounts.by()[0]
    house.do(take_file, TakeSettlement(account.account_id, lines))
    [found] = house.rows.disputes.by()
    house.adds_up()
    return found


def test_a_dispute_of_which_nothing_was_told_is_opened_by_its_line(house: HouseOf) -> None:
    """Read twice it is one, and a person hears of it; what the bank gives back is known by a line as well."""
    payment = paid(house)
    taken = moved(house, payment, -300, 1)
    for _ in range(2):
        found = read(house, listed(house, payment), taken)
        assert (found.state, found.withdrawn_minor, found.payment_id) == (DisputeState.OPEN, 300, payment.payment_id)
    assert stands(house) == {"clearing": -25, "fees": 25, "disputed": 300}
    assert [one.kind for one in house.rows.inbox.by()] == ["payment_disputed"]

    assert read(house, moved(house, payment, 300, 9)).state is DisputeState.WON
    assert read(house, taken).state is DisputeState.WON
    assert stands(house) == {"clearing": 275, "fees": 25}
    assert read(house, moved(house, payment, -300, 20, "dp_2")).state is DisputeState.LOST
    assert stands(house) == {"clearing": -25, "fees": 25, "losses": 300}
    assert open_differences(house) == []
    assert {one.state for one in house.rows.settlement_lines.by()} == {LineState.MATCHED}


@pytest.mark.parametrize("state", [DisputeState.ANSWERED, DisputeState.LOST])
@pytest.mark.parametrize("by_file", [False, True])
def test_the_step_that_took_the_money_may_be_the_last_that_is_known(
    house: HouseOf, state: DisputeState, *, by_file: bool
) -> None:
    """That its time is over, or that it was answered, says nothing of the sum: an older word does, and the state stays."""
    payment = paid(house)
    tell(house, replace(told(house, payment, state, 60), withdrawn_minor=None))
    assert stands(house) == {"clearing": 300}

    if by_file:
        read(house, listed(house, payment), moved(house, payment, -300, 1))
    else:
        tell(house, told(house, payment))
    [found] = house.rows.disputes.by()
    assert (found.state, found.withdrawn_minor) == (state, 300)
    assert stands(house)["losses" if state is DisputeState.LOST else "disputed"] == 300
    house.adds_up()


def test_a_line_about_nothing_of_ours_is_put_before_a_person(house: HouseOf) -> None:
    """As every other line is."""
    payment = paid(house)
    account = house.rows.provider_accounts.by()[0]
    strange = replace(moved(house, payment, -300, 1), provider_ref="another")
    house.do(take_file, TakeSettlement(account.account_id, (strange,)))
    assert house.rows.disputes.by() == []
    assert [one.subject_ref for one in open_differences(house)] == [strange.line_ref]
