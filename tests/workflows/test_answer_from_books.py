"""A balance and a limit behave like a card that can hold: never more than is there, once, whatever fails in between."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.views import Views
from tallywatt.invoicing.words import printed
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.money import money
from tallywatt.metering.facts import TokenShown
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.payments.own_books import HoldState, TransferFor
from tallywatt.payments.payment import PaymentState
from tallywatt.workflows.add_customer import AddToken, add_token
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.answer_from_books import answer_from_books, free_minor
from tallywatt.workflows.ask_on_page import TopUp, top_up
from tallywatt.workflows.change_operator import ChangeOperator, change_operator
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.keep_own_account import (
    AllowInvoice,
    EndInvoice,
    OpenBalance,
    allow_invoice,
    end_invoice,
    open_balance,
)
from tallywatt.workflows.pay_out_balance import PayOutBalance, pay_out_balance
from tallywatt.workflows.print_invoice import GatherPaper, gather_paper
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.show_token import show_token
from tallywatt.workflows.watch_hold import WatchHold, watch_hold
from tests.workflows.house_of import KWH, HouseOf

if TYPE_CHECKING:
    from tallywatt.payments.payment import Payment


def customer_of(house: HouseOf) -> Any:
    found = house.rows.customers.one_by(reference="C1")
    assert found is not None
    return found.customer_id


def prepaid(house: HouseOf, amount: str = "20.00", **more: Any) -> Any:
    """The customer has a balance of so much, paid in by card."""
    house.do(add_provider_account, AddProviderAccount("balance", "prepaid", ("GBP",), "", (), **more))
    house.do(open_balance, OpenBalance("C1", "GBP"))
    pay_in(house, amount)
    return customer_of(house)


def pay_in(house: HouseOf, amount: str) -> Payment:
    asked = TopUp(customer_of(house), money(amount, "GBP"), "Top up", "http://x/{secret}", "http://x/{secret}")
    payment = house.do(top_up, asked)
    house.collect()
    return house.rows.payments.get(payment.payment_id)


def on_invoice(house: HouseOf, limit: str = "50.00", days: int = 14) -> Any:
    house.do(add_provider_account, AddProviderAccount("terms", "invoice", ("GBP",), "", ()))
    house.do(allow_invoice, AllowInvoice("C1", money(limit, "GBP"), days))
    return customer_of(house)


def free(house: HouseOf, customer: str, provider: str = "prepaid") -> int | None:
    return free_minor(house.rows, provider, customer, "GBP")


def payment_of(house: HouseOf, transaction: str) -> Payment:
    found = house.rows.payments.by(session_id=house.session(transaction).session_id)
    assert len(found) == 1
    return found[0]


def test_what_is_paid_in_by_card_is_the_customers_and_a_session_takes_its_part(house: HouseOf) -> None:
    """The operator owes the balance; a session holds at its start, takes what it cost at its end, and lets the rest go."""
    customer = prepaid(house)
    wire = house.wire()
    transaction = wire.start()
    assert payment_of(house, transaction).state is PaymentState.AUTHORISED
    assert free(house, customer) == 0

    house.later(60)
    wire.stop(transaction, 10 * KWH)
    wire.report("Available")
    house.collect()

    done = payment_of(house, transaction)
    assert (done.state, done.captured_minor, done.card_brand) == (PaymentState.CAPTURED, 300, "prepaid")
    assert free(house, customer) == 1700
    house.adds_up()


def test_case_31_two_sessions_at_once_never_hold_more_than_is_there(house: HouseOf) -> None:
    """Two starts reach the writer at the same moment on connections of their own; the balance is enough for one."""
    customer = prepaid(house, "20.00", least_minor=2000)
    house.do(add_token, AddToken("CARD2", "C1"))
    wire = house.wire()
    facts = (wire.started(house.now), wire.started(house.now, token="CARD2", evse=2))
    writers = [house.another_writer() for _ in facts]
    ready = threading.Barrier(len(facts))
    answers: list[Any] = []

    def start(writer: Any, fact: Any) -> None:
        from tests.workflows.house_of import TAKEN_BY  # noqa: PLC0415  # the table of workflows by fact

        writer.submit(house.operator, TAKEN_BY[type(fact)], fact, answers.append, actor="test")
        ready.wait(timeout=20)
        writer.step()

    threads = [threading.Thread(target=start, args=pair) for pair in zip(writers, facts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    for writer in writers:
        writer.stop()

    assert sorted(one.authorization for one in answers) == ["Accepted", "NoCredit"]
    assert free(house, customer) == 0
    held = [one for one in house.rows.customer_holds.by() if one.state is HoldState.HELD]
    assert [one.held_minor for one in held] == [2000]
    flags = sorted(Flag.NOT_COVERED in one.flags for one in house.rows.sessions.by())
    assert flags == [False, True]
    house.adds_up()


def test_a_card_shown_without_enough_balance_is_told_no_credit(quick_house: HouseOf) -> None:
    customer = prepaid(quick_house, "1.00", least_minor=500)
    fact = TokenShown(quick_house.wire().heard("Authorize", {"idTag": "CARD1"}), "CARD1", None)
    assert quick_house.do(show_token, fact).authorization == "NoCredit"
    pay_in(quick_house, "10.00")
    assert quick_house.do(show_token, fact).authorization == "Accepted"
    assert free(quick_house, customer) == 1100


def test_what_flows_without_cover_is_owed_by_the_customer_and_the_station_is_asked_to_stop(
    quick_house: HouseOf,
) -> None:
    """A station that was offline starts by itself. Who charged is known, so nothing is owed by nobody."""
    prepaid(quick_house, "1.00", least_minor=500)
    wire = quick_house.wire()
    answer = wire.tell_start(wire.started(quick_house.now))
    assert answer.authorization == "NoCredit"
    assert [one.action.value for one in quick_house.rows.station_commands.by()] == ["stop"]
    quick_house.later(30)
    wire.stop(answer.transaction_id, 10 * KWH)
    wire.report("Available")
    quick_house.collect()
    session = quick_house.session(answer.transaction_id)
    assert (session.payer, session.state) == (PayerKind.CUSTOMER, SessionState.BILLED)
    payment = payment_of(quick_house, answer.transaction_id)
    assert (payment.state, payment.reason) == (PaymentState.DECLINED, "insufficient_funds")
    quick_house.adds_up()


def test_a_balance_that_does_not_suffice_falls_to_the_stored_card(quick_house: HouseOf) -> None:
    prepaid(quick_house, "1.00", least_minor=500)
    quick_house.keep_a_card()
    wire = quick_house.wire()
    transaction = wire.charge(10 * KWH)
    quick_house.collect()
    payment = payment_of(quick_house, transaction)
    assert (payment.state, payment.card_brand) == (PaymentState.CAPTURED, "visa")
    quick_house.adds_up()


def test_the_answer_after_a_crash_is_the_same_answer(house: HouseOf) -> None:
    """The process dies after the books were written and before the payment heard of it: asked again, nothing moves twice."""
    customer = prepaid(house)
    wire = house.wire()
    transaction = wire.start()
    house.later(60)
    wire.stop(transaction, 10 * KWH)
    wire.report("Available")
    (capture,) = [one for one in house.rows.operations.by() if one.is_unresolved]

    first = house.do(answer_from_books, capture.operation_id)
    house.kill()
    assert house.do(answer_from_books, capture.operation_id) == first
    house.collect()

    assert payment_of(house, transaction).captured_minor == 300
    assert free(house, customer) == 1700
    house.adds_up()


def test_a_session_that_costs_nothing_lets_its_hold_go(quick_house: HouseOf) -> None:
    customer = prepaid(quick_house)
    wire = quick_house.wire()
    transaction = wire.charge(0)
    quick_house.collect()
    assert payment_of(quick_house, transaction).state is PaymentState.VOIDED
    assert free(quick_house, customer) == 2000
    quick_house.adds_up()


def test_a_hold_grows_by_what_is_there_and_then_the_session_is_stopped(quick_house: HouseOf) -> None:
    customer = prepaid(quick_house, "20.00")
    hold = quick_house.rows.operators.get().hold_minor
    pay_in(quick_house, f"{hold / 100:.2f}")
    wire = quick_house.wire()
    transaction = wire.start()
    payment = payment_of(quick_house, transaction)
    assert payment.authorised_minor == hold
    quick_house.later(30)
    nearly = int(hold / 30 * KWH) - 3 * KWH
    quick_house.later(24 * 60)
    wire.sample(transaction, (quick_house.now, nearly))
    quick_house.do(watch_hold, WatchHold(payment.payment_id))
    quick_house.collect()
    grown = payment_of(quick_house, transaction)
    stops = [one for one in quick_house.rows.station_commands.by() if one.action.value == "stop"]
    assert grown.authorised_minor == hold + 2000 or stops
    assert free(quick_house, customer) in (0, 2000)
    quick_house.adds_up()


def test_money_goes_back_to_the_balance_and_from_the_balance_to_the_card(house: HouseOf) -> None:
    """A refund of a session is the customer's again; a refund of a top-up never gives back what is used or held."""
    customer = prepaid(house)
    wire = house.wire()
    transaction = wire.charge(10 * KWH)
    house.collect()
    house.do(give_back, GiveBack(payment_of(house, transaction).payment_id, money("1.00", "GBP"), "complaint", "r1"))
    house.collect()
    assert free(house, customer) == 1800
    (paid_in,) = house.rows.payments.by(purpose="top_up")
    with pytest.raises(Conflict) as refused:
        house.do(give_back, GiveBack(paid_in.payment_id, money("18.01", "GBP"), "leaves", "r2"))
    assert refused.value.code == "balance.used"
    house.do(give_back, GiveBack(paid_in.payment_id, money("18.00", "GBP"), "leaves", "r3"))
    assert free(house, customer) == 0
    house.collect()
    assert free(house, customer) == 0
    house.adds_up()


def test_on_invoice_a_session_becomes_an_open_item_that_a_transfer_pays(house: HouseOf) -> None:
    customer = on_invoice(house)
    wire = house.wire()
    transaction = wire.charge(10 * KWH)
    house.collect()
    (item,) = house.rows.customer_holds.by(customer_id=customer)
    assert (item.open_minor, item.due_on, item.state) == (300, "2026-03-16", HoldState.TAKEN)
    assert free(house, customer, "invoice") == 4700
    invoice = house.rows.invoices.get(house.session(transaction).invoice_id or "")
    told = ReceiveTransfer("line-1", money("3.50", "GBP"), "2026-03-20", invoice=invoice.number, reference="thanks")
    first = house.do(receive_transfer, told)
    assert house.do(receive_transfer, told) == first
    assert (first.left_minor, free(house, customer, "invoice")) == (50, 5000)
    wire.charge(10 * KWH, meter=10 * KWH)
    house.collect()
    assert sorted(one.open_minor for one in house.rows.customer_holds.by()) == [0, 250]
    house.adds_up()


def stands(house: HouseOf, transaction: str) -> list[tuple[int, int, int]]:
    """Captured, owed and bought on invoice: on the console's first page, by the audit; and the first two of the invoice."""
    money_now = Views.overview(house.reader, house.operator)["money"]["GBP"]
    audited = house.adds_up()
    session = Views.session(house.reader, house.operator, house.session(transaction).session_id)
    assert session is not None
    names = ("captured_minor", "owed_minor", "on_account_minor")
    whole = [tuple(figures[name] for name in names) for figures in (money_now, audited)]
    return [*whole, (session["captured_minor"], session["owed_minor"], session["payments"][0]["open_minor"])]


def test_what_is_bought_on_invoice_is_owed_until_the_money_is_there(house: HouseOf) -> None:
    """No figure and no paper may say that it was captured, let alone by card."""
    on_invoice(house)
    house.do(change_operator, ChangeOperator(pay_to="Dundee Charging, GB29 NWBK 6016 1331 9268 19"))
    wire = house.wire()
    first, transaction = wire.charge(10 * KWH), wire.charge(10 * KWH, meter=10 * KWH)
    house.collect()
    number = house.rows.invoices.get(house.session(first).invoice_id or "").number
    assert stands(house, transaction) == [(0, 600, 600), (0, 600, 600), (0, 300, 300)]
    house.do(receive_transfer, ReceiveTransfer("line-0", money("3.00", "GBP"), "2026-03-20", invoice=number))
    assert stands(house, first) == [(300, 300, 300), (300, 300, 300), (300, 0, 0)]

    invoice = house.rows.invoices.get(house.session(transaction).invoice_id or "")
    paper = printed(house.do(gather_paper, GatherPaper(invoice.invoice_id, "http://127.0.0.1")))
    assert (paper["payment"]["rows"], paper["payment"]["rest"]) == ([], ["To pay by 16 March 2026", "£3.00"])
    assert paper["notes"][0].endswith(f"GB29 NWBK 6016 1331 9268 19, reference {invoice.number}")
    assert Views.owed_invoices(house.reader, house.operator)[0]["owed_minor"] == 300

    house.do(receive_transfer, ReceiveTransfer("line-1", money("2.00", "GBP"), "2026-03-20", invoice=invoice.number))
    assert stands(house, transaction) == [(500, 100, 100), (500, 100, 100), (200, 100, 100)]
    house.do(receive_transfer, ReceiveTransfer("line-2", money("1.00", "GBP"), "2026-03-20", invoice=invoice.number))
    assert stands(house, transaction) == [(600, 0, 0), (600, 0, 0), (300, 0, 0)]
    assert Views.owed_invoices(house.reader, house.operator) == []


def test_a_balance_is_no_card_on_paper(quick_house: HouseOf) -> None:
    prepaid(quick_house)
    transaction = quick_house.wire().charge(10 * KWH)
    quick_house.collect()
    invoice_id = quick_house.session(transaction).invoice_id
    assert invoice_id is not None
    paper = printed(quick_house.do(gather_paper, GatherPaper(invoice_id, "http://127.0.0.1")))
    assert [row[0].split(",")[0] for row in paper["payment"]["rows"]] == ["Prepaid balance"]
    assert paper["payment"]["rest"][0] == "Paid in full"


def test_the_limit_counts_what_is_open_and_what_runs(quick_house: HouseOf) -> None:
    customer = on_invoice(quick_house, "60.00")
    wire = quick_house.wire()
    wire.start()
    hold = quick_house.rows.operators.get().hold_minor
    assert free(quick_house, customer, "invoice") == 6000 - hold
    quick_house.do(end_invoice, EndInvoice("C1", "GBP"))
    answer = wire.tell_start(wire.started(quick_house.now, evse=2))
    assert answer.authorization == "NoCredit"
    quick_house.adds_up()


def test_a_transfer_can_be_for_the_balance(quick_house: HouseOf) -> None:
    customer = prepaid(quick_house)
    told = ReceiveTransfer("hand-1", money("5.00", "GBP"), "2026-03-20", customer="C1", target=TransferFor.BALANCE)
    quick_house.do(receive_transfer, told)
    assert free(quick_house, customer) == 2500
    quick_house.adds_up()


def test_what_is_left_goes_back_to_the_card_and_the_rest_by_bank(quick_house: HouseOf) -> None:
    """Whoever leaves gets all of it: a transfer to the balance cannot go back to a card."""
    customer = prepaid(quick_house)
    told = ReceiveTransfer("hand-1", money("5.00", "GBP"), "2026-03-20", customer="C1", target=TransferFor.BALANCE)
    quick_house.do(receive_transfer, told)
    first = quick_house.do(pay_out_balance, PayOutBalance("C1", "GBP"))
    assert (first.to_cards_minor, first.by_bank_minor, first.left_minor) == (2000, 0, 500)
    quick_house.collect()
    second = quick_house.do(pay_out_balance, PayOutBalance("C1", "GBP", by_bank="SEPA 7"))
    assert (second.to_cards_minor, second.by_bank_minor, second.left_minor) == (0, 500, 0)
    assert free(quick_house, customer) == 0
    quick_house.adds_up()
