"""Whom an erasure takes up, and whom it asks to wait: what is still to be decided or paid must not be lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.money import money
from tallywatt.metering.session import SessionState
from tallywatt.payments.own_books import TransferFor
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Declined
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.keep_own_account import OpenBalance, open_balance
from tallywatt.workflows.pay_out_balance import PayOutBalance, pay_out_balance
from tallywatt.workflows.print_invoice import GatherPaper, gather_paper
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.try_again import TryAgain, try_again
from tests.workflows.house_of import kwh, yes

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
    house.print_papers()
    house.do(erase_customer, EraseCustomer("C1"))
    assert house.rows.customers.one_by(reference="C1") is None
    house.adds_up()


def test_an_invoice_is_on_paper_before_the_name_on_it_is_forgotten(house: HouseOf) -> None:
    """The law wants the paper for years, with whom it was for; printed a moment later it would be for nobody."""
    house.keep_a_card()
    house.wire().charge(kwh(4))
    house.collect()

    with pytest.raises(Conflict) as refused:
        house.do(erase_customer, EraseCustomer("C1"))
    assert refused.value.code == "customers.invoice_not_printed"

    house.print_papers()
    customer = house.rows.customers.one_by(reference="C1")
    assert customer is not None
    house.do(erase_customer, EraseCustomer("C1"))

    [invoice] = house.rows.invoices.by()
    paper = house.do(gather_paper, GatherPaper(invoice.invoice_id, "http://here"))
    assert paper.buyer is not None
    assert paper.buyer.name == f"erased-{customer.customer_id}", "a correction that comes later says what it can"


def test_a_payment_of_somebody_who_was_forgotten_is_not_tried_again(house: HouseOf) -> None:
    """What stands where the card's reference stood leads nowhere, and is nothing to send to a provider."""
    house.keep_a_card()
    house.wire().charge(kwh(4))
    house.collect(
        lambda operation: (
            Declined("insufficient_funds", "another_card", "no") if operation.kind == "charge" else yes(operation)
        )
    )
    house.print_papers()
    [payment] = house.rows.payments.by()
    assert payment.state is PaymentState.DECLINED
    house.do(erase_customer, EraseCustomer("C1"))

    with pytest.raises(Conflict) as refused:
        house.do(try_again, TryAgain(payment.payment_id))

    assert refused.value.code == "payment.method_removed"
    assert not [one for one in house.rows.operations.by() if one.is_unresolved]


def test_a_balance_goes_back_before_its_owner_is_forgotten(house: HouseOf) -> None:
    """It is the customer's money; afterwards nobody could say whose."""
    house.do(add_provider_account, AddProviderAccount("balance", "prepaid", ("GBP",), "", ()))
    house.do(open_balance, OpenBalance("C1", "GBP"))
    came = ReceiveTransfer("T1", money("20.00", "GBP"), "2026-11-22", customer="C1", target=TransferFor.BALANCE)
    house.do(receive_transfer, came)

    with pytest.raises(Conflict) as refused:
        house.do(erase_customer, EraseCustomer("C1"))
    assert refused.value.code == "customers.balance_left"

    house.do(pay_out_balance, PayOutBalance("C1", "GBP", by_bank="transfer of 22 November"))
    house.do(erase_customer, EraseCustomer("C1"))
    assert house.rows.customers.one_by(reference="C1") is None
    house.adds_up()
