"""A payer's bank takes a payment back: its money waits, comes back or is lost, whatever order the news comes in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.money import money
from tallywatt.payments.dispute import DisputeState, ToldDispute
from tallywatt.payments.settlement import LineKind, ToldLine
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tests.workflows.test_take_settlement import listed, open_differences, paid, take

if TYPE_CHECKING:
    from tallywatt.payments.dispute import Dispute
    from tallywatt.payments.payment import Payment
    from tests.workflows.house_of import HouseOf

SECOND = 1000


def told(house: HouseOf, payment: Payment, state: DisputeState = DisputeState.OPEN, seconds: int = 0) -> ToldDispute:
    """What the provider says about a dispute of the whole payment, so many seconds after now."""
    gone = 0 if state in (DisputeState.WARNING, DisputeState.WON, DisputeState.CLOSED) else payment.captured_minor
    at = Instant(house.now + seconds * SECOND)
    return ToldDispute(
        "dp_1", state, payment.captured_minor, "GBP", gone, "fraudulent", at, at, None, payment.provider_ref
    )


def tell(house: HouseOf, told: ToldDispute) -> Dispute | None:
    """The provider says it."""
    account = house.rows.provider_accounts.by()[0]
    return house.do(take_dispute, TakeDispute(account.account_id, told))


def stands(house: HouseOf) -> dict[str, int]:
    """Where the account's money stands, by kind."""
    sums: dict[str, int] = {}
    for row in Views.page(house.reader, "ledger_accounts", house.operator, 1000)["items"]:
        kind = row["code"].partition("/")[0]
        if kind in ("clearing", "disputed", "losses", "suspense", "fees"):
            sums[kind] = sums.get(kind, 0) + row["balance_minor"]
    return {kind: minor for kind, minor in sums.items() if minor}


def test_the_money_of_a_dispute_waits_until_it_is_decided(house: HouseOf) -> None:
    """Told twice it is one dispute; its day to answer is kept, and a person hears of it."""
    payment = paid(house)
    for _ in range(2):
        tell(house, told(house, payment))

    [one] = house.rows.disputes.by()
    assert (one.payment_id, one.withdrawn_minor, one.due_at) == (payment.payment_id, 300, house.now)
    assert stands(house) == {"disputed": 300}
    assert [item.kind for item in house.inbox()] == ["payment_disputed"]
    house.adds_up()
    assert Views.ledger_balanced(house.reader, house.operator)


@pytest.mark.parametrize(
    ("state", "where"), [(DisputeState.WON, {"clearing": 300}), (DisputeState.LOST, {"losses": 300})]
)
def test_a_decision_brings_the_money_back_or_makes_it_a_loss(
    house: HouseOf, state: DisputeState, where: dict[str, int]
) -> None:
    """Case 45, lost: the ledger says so. Older words that come after it change nothing."""
    payment = paid(house)
    tell(house, told(house, payment))
    tell(house, told(house, payment, state, seconds=60))
    assert stands(house) == where

    tell(house, told(house, payment, DisputeState.ANSWERED, seconds=30))
    tell(house, told(house, payment))

    assert stands(house) == where
    [one] = house.rows.disputes.by()
    assert (one.state, one.decided_at is None) == (state, False)
    house.adds_up()
    assert Views.ledger_balanced(house.reader, house.operator)


def test_a_decision_may_be_the_first_that_is_heard(house: HouseOf) -> None:
    """Out of order: the webhook of the opening was lost."""
    payment = paid(house)
    tell(house, told(house, payment, DisputeState.LOST))
    tell(house, told(house, payment, DisputeState.OPEN))

    assert stands(house) == {"losses": 300}
    house.adds_up()


def test_a_disputed_payment_is_not_given_back(house: HouseOf) -> None:
    """The bank would give it back a second time. A won dispute frees it again."""
    payment = paid(house)
    tell(house, told(house, payment))
    order = GiveBack(payment.payment_id, money("1.00", "GBP"), "goodwill", "k1")

    with pytest.raises(Conflict) as refused:
        house.do(give_back, order)
    assert refused.value.code == "payment.disputed"

    tell(house, told(house, payment, DisputeState.WON, seconds=60))
    assert house.do(give_back, order).amount_minor == 100


def test_case_45_a_dispute_after_a_refund_is_booked_beside_it(house: HouseOf) -> None:
    """Case 45: the driver was given something back and asks the bank for the rest."""
    payment = paid(house)
    house.do(give_back, GiveBack(payment.payment_id, money("1.00", "GBP"), "goodwill", "k1"))
    house.collect()
    tell(house, replace(told(house, payment), amount_minor=200, withdrawn_minor=200))

    assert stands(house) == {"disputed": 200}
    house.adds_up()
    assert Views.ledger_balanced(house.reader, house.operator)


def test_the_line_of_a_dispute_waits_in_suspense_until_the_dispute_is_known(house: HouseOf) -> None:
    """The settlement knew it before its webhook came; read again, it books its fee alone."""
    payment = paid(house)
    line = ToldLine(
        "txn_d", LineKind.DISPUTE, -300, 15, "GBP", house.now, -300, "GBP", "dp_1", None, payment.provider_ref
    )
    take(house, listed(house, payment), line)
    assert stands(house) == {"clearing": -40, "fees": 40, "suspense": 300}
    assert len(open_differences(house)) == 1

    tell(house, told(house, payment))
    take(house, line)

    assert stands(house) == {"clearing": -40, "fees": 40, "disputed": 300}
    assert open_differences(house) == []
    house.adds_up()


def test_a_dispute_about_nothing_of_ours_is_put_before_a_person(house: HouseOf) -> None:
    """Nothing that a provider says is thrown away."""
    payment = paid(house)

    assert tell(house, replace(told(house, payment), provider_ref="pi_nobody")) is None

    assert [item.kind for item in house.inbox()] == ["dispute_unmatched"]
