"""Statements of the operator's bank: each line once, a payout that arrives is booked, what is not clear waits for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.evidence import audit
from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.money import money
from tallywatt.payments.bank import BankLineState, ToldBankLine
from tallywatt.payments.own_books import TransferFor
from tallywatt.payments.settlement import LineKind, ToldLine
from tallywatt.workflows.pay_out_balance import PayOutBalance, pay_out_balance
from tallywatt.workflows.read_settlements import EndReading, end_reading
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement
from tallywatt.workflows.take_statement import DecideBankLine, TakeStatement, decide_bank_line, take_statement
from tests.workflows.corrected import carried_out, proposed, tariff_of
from tests.workflows.house_of import KWH
from tests.workflows.test_answer_from_books import on_invoice, prepaid
from tests.workflows.test_take_settlement import paid

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

DAY = 24 * 3600 * 1000


def payout(house: HouseOf, name: str = "po_1", minor: int = 1000, days: int = 0) -> str:
    """The provider says that it has paid out; the id of its account."""
    account = house.rows.provider_accounts.by()[0]
    at = Instant(house.now + days * DAY)
    told = ToldLine(
        name, LineKind.PAYOUT, -minor, 0, "GBP", at, -minor, "GBP", f"tr-{name}", payout_ref=f"batch-{name}"
    )
    house.do(take_settlement, TakeSettlement(account.account_id, (told,)))
    return str(account.account_id)


def at_bank(house: HouseOf, name: str = "l1", minor: int = 1000, days: int = 1, **more: str) -> ToldBankLine:
    """A line of the bank, so many days from now."""
    return ToldBankLine(
        name, "GB..3000", "S1", name, Instant(house.now + days * DAY), minor, "GBP", **{"remittance": "payout", **more}
    )


def take(house: HouseOf, *lines: ToldBankLine) -> dict[str, int]:
    """The statement is given."""
    taken = house.do(take_statement, TakeStatement(lines, "ab12"))
    return {"new": taken.new, "known": taken.known, "matched": taken.matched}


def stands(house: HouseOf) -> dict[str, int]:
    """What is on its way, and what has arrived."""
    sums: dict[str, int] = {}
    for row in Views.page(house.reader, "ledger_accounts", house.operator, 1000)["items"]:
        kind = row["code"].partition("/")[0]
        if kind in ("bank", "transit"):
            sums[kind] = sums.get(kind, 0) + row["balance_minor"]
    return {kind: minor for kind, minor in sums.items() if minor}


def test_a_payout_that_arrives_is_booked_once(house: HouseOf) -> None:
    """The statement twice, and the line in the next statement: it came in once."""
    paid(house)
    payout(house)
    assert stands(house) == {"transit": 1000}

    assert take(house, at_bank(house)) == {"new": 1, "known": 0, "matched": 1}
    assert take(house, at_bank(house), replace(at_bank(house), statement_ref="S2"))["known"] == 2

    assert stands(house) == {"bank": 1000}
    assert house.rows.bank_lines.by()[0].settlement_ref == "po_1"
    assert [one.code for one in audit(house.reader, house.vault, house.operator).findings] == []


def test_a_line_that_comes_before_its_payout_waits_for_it(house: HouseOf) -> None:
    """The bank may be faster than the provider's list."""
    paid(house)
    take(house, at_bank(house))
    assert stands(house) == {}
    account = payout(house)
    house.do(end_reading, EndReading(account, house.now, house.now))
    assert stands(house) == {"bank": 1000}


def test_what_is_not_clear_waits_for_a_person_who_is_recorded(house: HouseOf) -> None:
    """Two payouts of one sum, and nothing that names one: nobody guesses."""
    paid(house)
    account = payout(house)
    payout(house, "po_2")
    assert take(house, at_bank(house))["matched"] == 0
    assert house.rows.bank_lines.get("l1").candidates == 2
    wrong = DecideBankLine("l1", account, "po_3")
    with pytest.raises(BadInput):
        house.do(decide_bank_line, wrong)

    for _ in range(2):
        house.do(decide_bank_line, DecideBankLine("l1", account, "po_2", "says the bank"), actor="person:p1")

    assert stands(house) == {"bank": 1000, "transit": 1000}
    with pytest.raises(Conflict):
        house.do(decide_bank_line, DecideBankLine("l1", None, None))
    take(house, at_bank(house, "l2", 700))
    for other in ("po_1", "po_2"):
        with pytest.raises(Conflict):
            house.do(decide_bank_line, DecideBankLine("l2", account, other))
    house.do(decide_bank_line, DecideBankLine("l2", None, None, "rent"))
    assert house.rows.bank_lines.get("l2").state is BankLineState.DISMISSED


def test_of_several_payouts_the_one_that_the_bank_names_is_it(house: HouseOf) -> None:
    """The provider writes its own number on the transfer."""
    paid(house)
    payout(house)
    payout(house, "po_2")
    take(house, at_bank(house, remittance="PAYOUT BATCH-PO_2 THANK YOU"))
    assert house.rows.bank_lines.get("l1").settlement_ref == "po_2"


def test_other_sums_other_days_and_what_came_back_are_no_payout(house: HouseOf) -> None:
    """A customer's transfer of the same sum months later must not close a payout."""
    paid(house)
    payout(house)
    lines = (at_bank(house, "a", 999), at_bank(house, "b", days=40), at_bank(house, "c", return_code="AM04"))
    assert take(house, *lines)["matched"] == 0
    assert stands(house) == {"transit": 1000}


def owing(house: HouseOf) -> tuple[str, str]:
    """A customer who has bought for 3.00 on invoice; who, and the number of the invoice."""
    customer = on_invoice(house)
    transaction = house.wire().charge(10 * KWH)
    house.collect()
    return customer, house.rows.invoices.get(house.session(transaction).invoice_id or "").number


def open_of(house: HouseOf) -> list[int]:
    """What is to be paid of each item."""
    return sorted(one.open_minor for one in house.rows.customer_holds.by(provider="invoice"))


def test_a_line_that_names_an_open_invoice_pays_it_once(house: HouseOf) -> None:
    """A part first, more than the rest then; the file twice, and each in words of its own."""
    _, number = owing(house)
    part = at_bank(house, "part", 100, remittance=f"thanks, {number.lower().replace('-', ' ')} !")
    rest = at_bank(house, "rest", 250, reference=structured(number), remittance="")

    assert take(house, part) == {"new": 1, "known": 0, "matched": 1}
    assert open_of(house) == [200]
    assert take(house, part, rest) == {"new": 1, "known": 1, "matched": 1}

    assert open_of(house) == [0]
    assert [one.left_minor for one in house.rows.received_transfers.by(transfer_key="rest")] == [50]
    assert stands(house) == {"bank": 350}
    assert take(house, at_bank(house, "again", 300, remittance=number))["matched"] == 0
    house.adds_up()


def test_a_replaced_invoice_leads_to_the_one_that_stands_for_it(house: HouseOf) -> None:
    """Replaced twice, behind an older item: with the new number or the old one it is that item that is paid."""
    owing(house)
    transaction = house.wire().charge(10 * KWH, meter=10 * KWH)
    house.collect()
    numbers = [number_of(house, transaction)]
    for tax in (5, 10):
        carried_out(house, proposed(house, tariff_of(0.30, tax)))
        numbers.append(number_of(house, transaction))
    assert len(set(numbers)) == 3

    lines = [at_bank(house, number, 50, remittance=f"invoice {number}") for number in numbers]
    assert take(house, *lines)["matched"] == 3
    take(house, at_bank(house, "by hand", 50))
    house.do(decide_bank_line, DecideBankLine("by hand", invoice=numbers[0]))

    [item] = house.rows.customer_holds.by(
        payment_id=house.rows.payments.by(session_id=house.session(transaction).session_id)[0].payment_id
    )
    assert (item.open_minor, item.invoice_id) == (100, house.session(transaction).invoice_id)
    assert open_of(house) == [100, 300]
    house.adds_up()


def number_of(house: HouseOf, transaction: str) -> str:
    """Of the invoice that the session has now."""
    return house.rows.invoices.get(house.session(transaction).invoice_id or "").number


def test_a_line_that_could_be_a_payout_or_a_transfer_waits(quick_house: HouseOf) -> None:
    """A payout of the same sum is due, and the payer names an invoice: a person looks."""
    paid(quick_house)
    payout(quick_house, minor=300)
    _, number = owing(quick_house)
    assert take(quick_house, at_bank(quick_house, minor=300, remittance=number))["matched"] == 0
    assert quick_house.rows.bank_lines.get("l1").candidates == 2


def test_a_person_says_whose_transfer_a_line_is(house: HouseOf) -> None:
    """By the customer, or by the invoice; told again it is the same, told otherwise it is refused."""
    _, number = owing(house)
    take(house, at_bank(house, "l1", 120), at_bank(house, "l2", 180))
    for _ in range(2):
        house.do(decide_bank_line, DecideBankLine("l1", note="rang up", customer="C1"), actor="person:p1")
    house.do(decide_bank_line, DecideBankLine("l2", invoice=number))

    assert open_of(house) == [0]
    assert house.rows.bank_lines.get("l1").state is BankLineState.TRANSFER
    with pytest.raises(Conflict):
        house.do(decide_bank_line, DecideBankLine("l1"))
    house.adds_up()


@pytest.mark.parametrize("return_comes", ["after", "before"])
def test_a_transfer_that_its_bank_takes_back_opens_the_item_again(house: HouseOf, return_comes: str) -> None:
    """What was paid with nothing is owed still, also when the files come in the wrong order, and each twice."""
    _, number = owing(house)
    came = at_bank(house, "came", 300, end_to_end="E2E-1", remittance=number)
    back = at_bank(house, "back", -300, days=2, end_to_end="E2E-1", remittance="", return_code="AC04")

    for line in (came, back, came, back) if return_comes == "after" else (back, came, back):
        take(house, line)

    assert open_of(house) == [300]
    assert stands(house) == {}
    assert house.rows.bank_lines.get("back").state is BankLineState.TRANSFER
    assert take(house, at_bank(house, "new", 300, remittance=number))["matched"] == 1
    assert open_of(house) == [0]
    house.adds_up()


def test_a_balance_that_was_used_is_not_taken_back(house: HouseOf) -> None:
    """A person decides: the return of what is there, and of no more than that."""
    prepaid(house, "1.00")
    lines = (at_bank(house, "came", 500), at_bank(house, "back", -500, days=2, return_code="AC04"))
    take(house, *lines)
    to_balance = DecideBankLine("came", customer="C1", target=TransferFor.BALANCE)
    house.do(decide_bank_line, to_balance)
    house.do(pay_out_balance, PayOutBalance("C1", "GBP", by_bank="SEPA 7"))
    with pytest.raises(Conflict) as refused:
        house.do(decide_bank_line, DecideBankLine("back", customer="C1"))
    assert refused.value.code == "bank.balance_used"
    again = ReceiveTransfer("again", money("5.00", "GBP"), "2026-03-20", "C1", target=TransferFor.BALANCE)
    house.do(receive_transfer, again)
    house.do(decide_bank_line, DecideBankLine("back", customer="C1"))
    take(house, at_bank(house, "third", -900))
    with pytest.raises(Conflict):
        house.do(decide_bank_line, DecideBankLine("third", customer="C1"))
    house.adds_up()


def structured(number: str) -> str:
    """A creditor reference of ISO 11649, as banks print it: in groups of four."""
    plain = number.replace("-", "")
    digits = "".join(str(int(one, 36)) for one in f"{plain}RF00")
    text = f"RF{98 - int(digits) % 97:02d}{plain}"
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))
