"""A dispute is let go within the limit of a refund, told to the provider once, and open again when that refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.providers.accountant import Accountant
from tallywatt.adapters.providers.caller import TryLater
from tallywatt.customers.approval import Approval, ApprovalState, Holder
from tallywatt.customers.roles import Role
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.payments.dispute import DefenceDocument, DefenceReason, Dispute, DisputeAnswer, DisputeState, ToldDispute
from tallywatt.workflows.accept_dispute import ACCEPT_DISPUTE, AskAccept, account_to_answer, ask_accept
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.begin_restoration import BeginRestoration, begin_restoration
from tallywatt.workflows.decide_approval import decide_approval
from tallywatt.workflows.note_defence import NoteDefence, note_defence
from tallywatt.workflows.second_eyes import Decide
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tests.workflows.house_of import KWH, HouseOf
from tests.workflows.test_ask_pay_out import person

if TYPE_CHECKING:
    from tallywatt.kernel.identity import ProviderAccountId

SUM = 300


class Bank:
    """A provider that takes answers, and may refuse them."""

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.refuses = ""

    def defence_reasons(self, _: str) -> tuple[DefenceReason, ...]:
        return (DefenceReason("ProofOfSale", ("DefenseMaterial",)),)

    def defend(self, dispute_ref: str, reason: str, documents: tuple[DefenceDocument, ...]) -> None:
        msg = f"who lets {dispute_ref} go hands nothing in: {reason}, {len(documents)} documents"
        raise AssertionError(msg)

    def accept_dispute(self, dispute_ref: str) -> None:
        if self.refuses:
            raise BadInput(self.refuses, code="dispute.refused_there")
        self.accepted.append(dispute_ref)


def disputed(house: HouseOf, provider: str = "adyen") -> Dispute:
    """A paid session whose payer's bank takes the money back."""
    house.keep_a_card()
    house.wire().charge(10 * KWH)
    house.collect()
    [payment] = house.rows.payments.by(state="captured")
    # Its dispute is told by another account; whose hold it was makes no difference to that.
    merchant = "Dundee" if provider == "adyen" else None
    account = AddProviderAccount("other", provider, ("GBP",), "env:KEY", (), merchant=merchant)
    account_id = house.do(add_provider_account, account).account_id
    house.do(
        lambda work, _: work.payments.put(replace(work.payments.lock(payment.payment_id), account_id=account_id)),
        None,
    )
    found = tell(house, account_id, payment.payment_id)
    assert found is not None
    return found


def tell(
    house: HouseOf,
    account_id: ProviderAccountId,
    payment_id: str,
    state: DisputeState = DisputeState.OPEN,
    later: int = 0,
) -> Dispute | None:
    told = ToldDispute("dp_1", state, SUM, "GBP", SUM, "fraudulent", Instant(house.now + later), None, payment_id)
    return house.do(take_dispute, TakeDispute(account_id, told))


def letting_go(
    house: HouseOf, dispute: Dispute, actor: str = "person:somebody", holder: Holder = Holder.FINANCE
) -> Any:
    return house.do(ask_accept, AskAccept(dispute.dispute_id, "the cable was stiff", holder), actor=actor)


def worker(house: HouseOf, bank: Bank, dispute: Dispute) -> None:
    """Carries out the job."""
    provider: Any = bank
    Accountant(lambda _: provider).accept_dispute(house.do, dispute.dispute_id)


def test_it_is_let_go_once_and_the_provider_told_once(quick_house: HouseOf) -> None:
    """Asked for twice, told by two workers: the money is given up once, and the record says by whom."""
    house, bank = quick_house, Bank()
    dispute = disputed(house)
    for _ in range(2):
        letting_go(house, dispute)
        worker(house, bank, dispute)

    [after] = house.rows.disputes.by()
    assert (after.answer, after.answered_by, after.answer_note) == ("accept", "person:somebody", "the cable was stiff")
    assert after.answer_told_at is not None
    assert bank.accepted == ["dp_1"]
    assert [one.subject_id for one in house.rows.stored_jobs.by(kind=ACCEPT_DISPUTE)] == [dispute.dispute_id]
    assert [one.action for one in house.rows.actions.by(subject_id=dispute.dispute_id)] == ["dispute.accept"]
    with pytest.raises(Conflict, match="answered"):
        house.do(account_to_answer, dispute.dispute_id)


def test_beyond_the_limit_of_a_refund_another_person_decides(quick_house: HouseOf) -> None:
    """One unit below the sum and nothing is let go; who asked does not approve it; what was refunded counts as well."""
    house, bank = quick_house, Bank()
    dispute = disputed(house)
    anna, otto = person(house, "anna", Role.FINANCE), person(house, "otto", Role.FINANCE)
    house.do(set_money_limit, SetMoneyLimit(Holder.FINANCE, "GBP", SUM - 1, None))
    asked = [letting_go(house, dispute, anna) for _ in range(2)]

    assert isinstance(asked[0], Approval)
    assert asked[0].approval_id == asked[1].approval_id
    worker(house, bank, dispute)
    assert (house.rows.disputes.by()[0].answer, bank.accepted) == (None, [])
    order = Decide(asked[0].approval_id, approve=True)
    with pytest.raises(Conflict):
        house.do(decide_approval, order, actor=anna)
    for _ in range(2):
        assert house.do(decide_approval, order, actor=otto).state is ApprovalState.APPROVED
    [after] = house.rows.disputes.by()
    assert (after.answer, after.answered_by) == ("accept", otto)


def test_what_the_bank_has_decided_meanwhile_is_let_go_by_nobody(quick_house: HouseOf) -> None:
    """The approval comes a day late: the dispute is lost already, and whoever approves hears of it."""
    house = quick_house
    dispute = disputed(house)
    house.do(set_money_limit, SetMoneyLimit(Holder.FINANCE, "GBP", 0, None))
    asked = letting_go(house, dispute)
    tell(house, dispute.account_id, dispute.payment_id, DisputeState.LOST, 2000)

    with pytest.raises(Conflict, match="lost"):
        house.do(decide_approval, Decide(asked.approval_id, approve=True), actor=person(house, "otto", Role.FINANCE))


def test_a_refusal_of_the_provider_opens_it_again(quick_house: HouseOf) -> None:
    """Nobody takes for answered what the provider has not taken."""
    house, bank = quick_house, Bank()
    bank.refuses = "This dispute cannot be accepted any more"
    dispute = disputed(house)
    letting_go(house, dispute)
    worker(house, bank, dispute)

    [after] = house.rows.disputes.by()
    assert (after.awaits, after.answer_error) == (True, bank.refuses)


def test_a_restored_house_tells_nothing_before_it_was_compared(quick_house: HouseOf) -> None:
    """What was let go after the backup is not known yet."""
    house, bank = quick_house, Bank()
    dispute = disputed(house)
    letting_go(house, dispute)
    house.do(begin_restoration, BeginRestoration("sha", house.now))

    with pytest.raises(TryLater):
        worker(house, bank, dispute)
    assert bank.accepted == []


def test_an_answer_to_a_question_is_none_to_the_dispute_after_it(quick_house: HouseOf) -> None:
    """A bank asks, is answered, and takes the money all the same: the operator has to answer again."""
    house = quick_house
    dispute = disputed(house)
    after = house.do(note_defence, NoteDefence(dispute.dispute_id, "ProofOfSale", ("DefenseMaterial",)))
    assert (after.state, after.answer) == (DisputeState.ANSWERED, DisputeAnswer.CONTEST)

    tell(house, dispute.account_id, dispute.payment_id, DisputeState.OPEN, 2000)

    assert house.rows.disputes.by()[0].awaits


def test_where_a_provider_takes_no_answers_nothing_is_let_go(quick_house: HouseOf) -> None:
    """It would never be told."""
    dispute = disputed(quick_house, "mollie")
    with pytest.raises(BadInput, match="its own pages"):
        letting_go(quick_house, dispute)
