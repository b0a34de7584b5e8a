"""Direct debits: each item is asked for once, paid when the bank says so, and open again when it was refused or went back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.banking.pain import debit_file
from tallywatt.adapters.storage.connections import SqliteConnection
from tallywatt.adapters.storage.views import Views
from tallywatt.entrypoints.pages.letters import low_balance, pre_notified
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.money import money
from tallywatt.payments.bank import BankLineState, ToldBankLine
from tallywatt.payments.debit import CollectionState, MandateState, Scheme, Sequence, ToldStatus
from tallywatt.payments.own_books import TransferFor
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.end_debits import CancelBatch, TakeStatuses, cancel_batch, take_statuses
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.keep_mandate import (
    ResumeMandate,
    RevokeMandate,
    SetCreditor,
    SignMandate,
    resume_mandate,
    revoke_mandate,
    set_creditor,
    sign_mandate,
)
from tallywatt.workflows.keep_own_account import AllowInvoice, OpenBalance, allow_invoice, open_balance
from tallywatt.workflows.prepare_debits import GiveBatch, PrepareDebits, give_batch, prepare_debits
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.take_statement import DecideBankLine, TakeStatement, decide_bank_line, take_statement
from tallywatt.workflows.tell_customer import TELL_LOW, debit_told, gather_debit, gather_low
from tests.workflows.house_of import KWH, PER_KWH, HouseOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tallywatt.payments.debit import DebitBatch, DebitCollection, Mandate

CREDITOR = SetCreditor("DE98ZZZ09999999999", "Dundee Charging", "DE89 3704 0044 0532 0130 00")
IBAN = "NL91ABNA0417164300"
OTHER_IBAN = "AT611904300234573201"
DAY_MS = 24 * 3600 * 1000


def furnish(house: HouseOf) -> HouseOf:
    """A house that sells in euros, on invoice, and collects; C1 has signed."""
    house.furnish({**PER_KWH, "currency": "EUR"})
    house.do(add_provider_account, AddProviderAccount("terms", "invoice", ("EUR",), "", ()))
    house.do(set_creditor, CREDITOR)
    on_invoice(house, "C1")
    house.do(sign_mandate, SignMandate("C1", IBAN, "2026-02-01", reference="M-1"))
    return house


def on_invoice(house: HouseOf, customer: str) -> None:
    house.do(allow_invoice, AllowInvoice(customer, money("100.00", "EUR"), 14))


def charge(house: HouseOf, energy: int = 10 * KWH, token: str = "CARD1") -> None:
    """A session on invoice: 0.30 a kWh."""
    house.wire().charge(energy, token=token)
    house.wire().report("Available")
    house.collect()


def second_customer(house: HouseOf, iban: str = OTHER_IBAN) -> None:
    house.do(add_customer, AddCustomer("C2", name="Fahrer Müller & Söhne"))
    house.do(add_token, AddToken("CARD2", "C2"))
    on_invoice(house, "C2")
    house.do(sign_mandate, SignMandate("C2", iban, "2026-02-01", reference="M-2", used_before=True))


@pytest.fixture
def debtors(house_url: str) -> Iterator[HouseOf]:
    """The house on each engine."""
    with HouseOf(house_url) as built:
        yield furnish(built)


@pytest.fixture
def quick_debtors(sqlite_house_url: str) -> Iterator[HouseOf]:
    """The house on the embedded engine alone."""
    with HouseOf(sqlite_house_url) as built:
        yield furnish(built)


def prepare(house: HouseOf, **more: Any) -> DebitBatch:
    return house.do(prepare_debits, PrepareDebits(**more))


def collections(house: HouseOf) -> list[DebitCollection]:
    return house.rows.debit_collections.by()


def mandate(house: HouseOf, reference: str = "M-1") -> Mandate:
    found = house.rows.mandates.one_by(reference=reference)
    assert found is not None
    return found


def open_sums(house: HouseOf) -> list[int]:
    return sorted(one.open_minor for one in house.rows.customer_holds.by(provider="invoice"))


def line(house: HouseOf, minor: int, name: str = "l1", **more: str | None) -> ToldBankLine:
    return ToldBankLine(name, "DE..3000", "S1", name, Instant(house.now + 15 * DAY_MS), minor, "EUR", **more)


def take(house: HouseOf, *lines: ToldBankLine) -> int:
    return house.do(take_statement, TakeStatement(lines, "ab12")).matched


def file_of(house: HouseOf, batch: DebitBatch) -> bytes:
    told = Views.debit_file_rows(house.reader, house.operator, batch.batch_id, house.vault)
    assert told is not None
    return debit_file(*told)


def test_what_is_due_is_asked_for_once_and_paid_when_it_came(debtors: HouseOf) -> None:
    """Asked twice there is one file, the same to the byte; the item is open until the bank's line, which is taken once."""
    house = debtors
    charge(house)
    batch = prepare(house)
    assert (batch.collect_on, batch.count, batch.total_minor) == ("2026-03-16", 1, 300)
    assert prepare(house) == batch
    assert file_of(house, batch) == file_of(house, house.do(give_batch, GiveBatch(batch.batch_id)))
    assert prepare(house, key="another").count == 0, "nothing is asked for twice"
    assert open_sums(house) == [300]
    house.adds_up()

    [one] = collections(house)
    came = line(house, 300, end_to_end=one.end_to_end)
    assert take(house, came) == 1
    assert take(house, came) == 0

    assert open_sums(house) == [0]
    assert collections(house)[0].state is CollectionState.COLLECTED
    assert house.rows.bank_lines.get("l1").state is BankLineState.DEBIT
    house.adds_up()


def test_one_line_brings_all_of_a_group_by_the_name_of_the_file(debtors: HouseOf) -> None:
    """Banks book a file in one sum for each group; first and recurrent debits are groups of their own."""
    house = debtors
    second_customer(house)
    charge(house)
    charge(house, 20 * KWH, "CARD2")
    batch = prepare(house)
    assert {one.amount_minor: one.sequence for one in collections(house)} == {
        300: Sequence.FIRST,
        600: Sequence.RECURRENT,
    }

    assert take(house, line(house, 301, batch_ref=f"{batch.message_id}-CORE-FRST")) == 0, "another sum is not it"
    assert take(house, line(house, 300, "l2", batch_ref=f"{batch.message_id}-CORE-FRST")) == 1
    assert open_sums(house) == [0, 600]
    assert take(house, line(house, 600, "l3", remittance=f"SEPA {batch.message_id} RCUR")) == 1
    assert open_sums(house) == [0, 0]
    house.adds_up()


def test_what_a_bank_refuses_is_open_again_and_the_next_one_is_first_again(debtors: HouseOf) -> None:
    """AM04: not enough money. It may be tried once more, and not a third time; the report twice changes nothing."""
    house = debtors
    charge(house)
    for count, key in enumerate(("one", "two"), start=1):
        batch = prepare(house, key=key)
        [one] = [each for each in collections(house) if each.batch_id == batch.batch_id]
        assert one.sequence is Sequence.FIRST
        told = ToldStatus(batch.message_id, f"{batch.message_id}-CORE-FRST", one.end_to_end, True, "AM04")
        answers = [house.do(take_statuses, TakeStatuses((told,), f"sha{count}")).rejected for _ in range(2)]
        assert answers == [1, 0]
        assert open_sums(house) == [300]
        house.adds_up()
    assert prepare(house, key="three").count == 0
    assert mandate(house).state is MandateState.ACTIVE


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("AC04", MandateState.ENDED),
        ("MD01", MandateState.ENDED),
        ("MD07", MandateState.ENDED),
        ("MD06", MandateState.PAUSED),
        (None, MandateState.PAUSED),
        ("AM04", MandateState.ACTIVE),
    ],
)
def test_what_goes_back_is_open_again_and_its_reason_reaches_the_mandate(
    quick_debtors: HouseOf, code: str | None, state: MandateState
) -> None:
    """The bank keeps a fee for it; a closed account and a mandate that is none are not collected from again."""
    house = quick_debtors
    charge(house)
    prepare(house)
    [one] = collections(house)
    take(house, line(house, 300, end_to_end=one.end_to_end))
    back = line(house, -650, "l2", end_to_end=one.end_to_end, return_code=code)

    assert take(house, back, replace(back, line_id="l3")) == 1, "the same debit goes back once"

    after = collections(house)[0]
    assert (after.state, after.reason, after.fee_minor) == (CollectionState.RETURNED, code, 350)
    assert open_sums(house) == [300]
    assert mandate(house).state is state
    house.rows.bank_lines.get("l3")
    assert prepare(house, key="again").count == (1 if state is MandateState.ACTIVE else 0)
    house.adds_up()


def test_a_return_that_is_told_before_its_debit_waits_for_it(quick_debtors: HouseOf) -> None:
    """Whoever gives the files out of order has the return first."""
    house = quick_debtors
    charge(house)
    prepare(house)
    [one] = collections(house)
    assert take(house, line(house, -300, "back", end_to_end=one.end_to_end, return_code="MD06")) == 0
    assert take(house, line(house, 300, end_to_end=one.end_to_end)) == 1
    assert collections(house)[0].state is CollectionState.RETURNED
    assert open_sums(house) == [300]
    house.do(resume_mandate, ResumeMandate(mandate(house).mandate_id))
    assert mandate(house).state is MandateState.ACTIVE
    house.adds_up()


def test_a_return_that_names_the_mandate_alone_is_known_by_its_sum(quick_debtors: HouseOf) -> None:
    """Not every bank repeats our name of the debit."""
    house = quick_debtors
    charge(house)
    prepare(house)
    [one] = collections(house)
    take(house, line(house, 300, end_to_end=one.end_to_end))
    assert take(house, line(house, -300, "back", mandate_ref="M-1", return_code="AC04")) == 1
    assert mandate(house).end_reason == "AC04"
    house.adds_up()


def test_a_batch_that_is_cancelled_lets_its_items_go(debtors: HouseOf) -> None:
    """Its file was never given to the bank: everything may be asked for again. What has come cannot be cancelled."""
    house = debtors
    charge(house)
    batch = prepare(house)
    for _ in range(2):
        assert house.do(cancel_batch, CancelBatch(batch.batch_id)).cancelled_at is not None
    with pytest.raises(Conflict):
        house.do(give_batch, GiveBatch(batch.batch_id))
    house.adds_up()

    again = prepare(house)
    assert (again.total_minor, again.batch_key) == (300, f"{batch.batch_key}/2")
    take(house, line(house, 300, batch_ref=again.message_id))
    with pytest.raises(Conflict):
        house.do(cancel_batch, CancelBatch(again.batch_id))
    with pytest.raises(NotFound):
        house.do(cancel_batch, CancelBatch("none"))


def test_a_batch_that_a_crash_left_half_is_gone_on_with(
    quick_debtors: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no file before all mandates were looked at, and nobody is in it twice when it has."""
    house = quick_debtors
    second_customer(house)
    charge(house)
    charge(house, 20 * KWH, "CARD2")
    monkeypatch.setattr("tallywatt.workflows.prepare_debits.AT_ONCE", 1)
    half = prepare(house)
    assert (half.count, half.closed_at) == (1, None)
    with pytest.raises(Conflict):
        house.do(give_batch, GiveBatch(half.batch_id))
    house.adds_up()

    whole = half
    while whole.closed_at is None:
        whole = prepare(house)
    assert (whole.batch_id, whole.count, whole.total_minor) == (half.batch_id, 2, 900)
    house.adds_up()


def test_a_payer_with_very_many_items_is_asked_once_over_several_transactions(
    debtors: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction takes in some of them: stations wait no longer because a fleet owes ten thousand sessions."""
    house = debtors
    second_customer(house)
    for _ in range(4):
        charge(house)
    charge(house, 20 * KWH, "CARD2")
    monkeypatch.setattr("tallywatt.workflows.prepare_debits.MOST_ITEMS", 2)
    batch = prepare(house)
    assert batch.looked_to
    assert [(one.amount_minor, one.pending_id) for one in collections(house)] in ([(600, "")], [(600, ""), (600, "")])
    assert house.rows.stored_jobs.by(kind="tell_debit") == [], "nobody is told of a sum that is not complete"
    house.adds_up()
    house.kill()
    while batch.looked_to:
        batch = prepare(house)
        house.adds_up()

    assert (batch.count, batch.total_minor) == (2, 1800)
    assert sorted(one.amount_minor for one in collections(house)) == [600, 1200]
    by_sum = {one.amount_minor: one.end_to_end for one in collections(house)}
    assert take(house, line(house, 1200, end_to_end=by_sum[1200])) == 1
    assert open_sums(house) == [0, 0, 0, 0, 600]
    house.adds_up()


def test_a_batch_that_is_half_put_together_is_cancelled(
    quick_debtors: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever changes their mind in the middle, or after a crash: nothing waits in the books, and all of it is free again."""
    house = quick_debtors
    for _ in range(3):
        charge(house)
    monkeypatch.setattr("tallywatt.workflows.prepare_debits.MOST_ITEMS", 2)
    half = prepare(house)
    [begun] = collections(house)
    assert take(house, line(house, 600, end_to_end=begun.end_to_end)) == 0, "no bank can have had it"
    house.do(cancel_batch, CancelBatch(half.batch_id))
    house.adds_up()

    whole = prepare(house)
    while whole.looked_to:
        whole = prepare(house)
    assert (whole.count, whole.total_minor, whole.batch_id != half.batch_id) == (1, 900, True)
    house.adds_up()


def test_however_many_items_a_debit_asks_for_its_statements_are_as_many(
    quick_debtors: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are read and written many at once: with a statement for each, a fleet's debit would hold up all stations."""
    house = quick_debtors
    counts: list[int] = []

    def counting(name: str) -> None:
        plainly = getattr(SqliteConnection, name)

        def counted(self: SqliteConnection, *given: Any) -> Any:
            counts.append(1)
            return plainly(self, *given)

        monkeypatch.setattr(SqliteConnection, name, counted)

    def statements(work: Callable[[], object]) -> int:
        counts.clear()
        work()
        return len(counts)

    for name in ("execute", "change", "change_many"):
        counting(name)
    asked, came = [], []
    for place, items in enumerate((1, 1, 9)):
        for _ in range(items):
            charge(house)
        asked.append(statements(lambda place=place: prepare(house, key=f"k{place}")))  # type: ignore[misc]  # bound at once
        [one] = [one for one in collections(house) if one.state is CollectionState.ASKED]
        told = line(house, 300 * items, f"l{place}", end_to_end=one.end_to_end)
        came.append(statements(lambda told=told: take(house, told)))  # type: ignore[misc]  # bound at once

    assert open_sums(house) == [0] * 11
    assert asked[2] <= asked[1]
    assert came[2] <= came[1]


def test_a_day_is_a_bank_day_of_which_payers_are_told_in_time(quick_debtors: HouseOf) -> None:
    """Monday the second of March; fourteen days later is the first day, and Good Friday is none."""
    house = quick_debtors
    charge(house)
    for day, code in (
        ("2026-03-13", "debits.too_early"),
        ("2026-04-03", "debits.no_bank_day"),
        ("soon", "debits.bad_date"),
        ("2028-03-01", "debits.bad_date"),
    ):
        with pytest.raises(BadInput) as refused:
            prepare(house, collect_on=day)
        assert refused.value.code == code
    assert prepare(house, collect_on="2026-03-17", key="k").collect_on == "2026-03-17"
    with pytest.raises(Conflict):
        prepare(house, collect_on="2026-03-18", key="k")


def test_a_mandate_that_was_not_used_for_three_years_is_void(quick_debtors: HouseOf) -> None:
    """The rulebook ends it; nothing is asked for with it."""
    house = quick_debtors
    house.now = parse_instant("2029-02-01T09:00:00Z")
    charge(house)
    assert prepare(house).count == 0
    assert (mandate(house).state, mandate(house).end_reason) == (MandateState.ENDED, "unused")
    with pytest.raises(BadInput):
        house.do(sign_mandate, SignMandate("C1", IBAN, "2026-02-01"))


def test_a_new_mandate_stands_in_for_the_one_before(quick_debtors: HouseOf) -> None:
    """A customer has one account to collect from; what the old account refused is asked of the new one."""
    house = quick_debtors
    charge(house)
    batch = prepare(house)
    house.do(take_statuses, TakeStatuses((ToldStatus(batch.message_id, None, None, True, "AC04"),), "x"))
    assert prepare(house, key="k").count == 0
    new = house.do(sign_mandate, SignMandate("C1", OTHER_IBAN, "2026-03-01", scheme=Scheme.B2B))
    house.do(sign_mandate, SignMandate("C1", IBAN, "2026-03-02", reference="M-9"))
    assert house.rows.mandates.get(new.mandate_id).end_reason == "replaced"
    assert prepare(house, key="l").total_minor == 300
    house.do(revoke_mandate, RevokeMandate(mandate(house, "M-9").mandate_id))
    with pytest.raises(Conflict):
        house.do(resume_mandate, ResumeMandate(mandate(house, "M-9").mandate_id))
    with pytest.raises(Conflict):
        house.do(sign_mandate, SignMandate("C1", IBAN, "2026-03-02", reference="M-9"))


def test_an_account_is_never_in_the_clear_and_goes_with_its_customer(quick_debtors: HouseOf) -> None:
    """It is sealed; somebody who is being collected from is forgotten when the bank has answered."""
    house = quick_debtors
    charge(house)
    house.print_papers()
    batch = prepare(house)
    assert IBAN.encode() in file_of(house, batch)
    assert mandate(house).shown == "NL..4300"
    with pytest.raises(Conflict) as refused:
        house.do(erase_customer, EraseCustomer("C1"))
    assert refused.value.code == "customers.debit_under_way"
    [one] = collections(house)
    take(house, line(house, 300, end_to_end=one.end_to_end))
    house.do(erase_customer, EraseCustomer("C1"))

    [erased] = house.rows.mandates.by()
    assert (erased.state, erased.shown, erased.reference) == (
        MandateState.ENDED,
        "",
        f"erased-{erased.mandate_id[-12:]}",
    )
    with pytest.raises(Conflict):
        file_of(house, batch)
    house.adds_up()


def test_a_person_says_which_debits_a_line_is(quick_debtors: HouseOf) -> None:
    """Some banks tell nothing but a sum."""
    house = quick_debtors
    charge(house)
    batch = prepare(house)
    [one] = collections(house)
    assert take(house, line(house, 300), line(house, -300, "back")) == 0
    for name in ("DD00000000-NOTHINGNOT", one.end_to_end):
        with pytest.raises(Conflict):
            house.do(decide_bank_line, DecideBankLine("back", debit=name))
    for _ in range(2):
        house.do(decide_bank_line, DecideBankLine("l1", debit=batch.message_id), actor="person:p1")
    house.do(decide_bank_line, DecideBankLine("back", debit=one.end_to_end), actor="person:p1")
    assert open_sums(house) == [300]
    house.adds_up()


@pytest.mark.parametrize(
    "wrong",
    [
        replace(CREDITOR, creditor_id="DE99ZZZ09999999999"),
        replace(CREDITOR, iban="DE88370400440532013000"),
        replace(CREDITOR, name=" "),
        replace(CREDITOR, notice_days=0),
        replace(CREDITOR, bic="NO"),
    ],
)
def test_who_collects_is_checked_before_it_is_kept(quick_debtors: HouseOf, wrong: SetCreditor) -> None:
    """A wrong digit would come back from the bank with every file."""
    with pytest.raises(BadInput):
        quick_debtors.do(set_creditor, wrong)
    assert quick_debtors.do(set_creditor, CREDITOR).notice_days == 14
    assert quick_debtors.do(set_creditor, replace(CREDITOR, notice_days=5)).notice_days == 5


@pytest.mark.parametrize(
    "wrong",
    [
        SignMandate("C1", "NL91ABNA0417164301", "2026-02-01"),
        SignMandate("C1", "GB82WEST12345698765432", "2026-02-01"),
        SignMandate("C1", IBAN, "2026-03-03"),
        SignMandate("C1", IBAN, "yesterday"),
        SignMandate("C1", IBAN, "2026-02-01", name="x" * 71),
        SignMandate("C1", IBAN, "2026-02-01", reference="a mandate"),
    ],
)
def test_a_mandate_is_checked_before_it_is_kept(quick_debtors: HouseOf, wrong: SignMandate) -> None:
    """Each of them would be refused by a bank, weeks later and for a fee. An account in Britain needs its bank's code."""
    with pytest.raises(BadInput) as refused:
        quick_debtors.do(sign_mandate, wrong)
    assert wrong.iban not in str(refused.value), "an account number is not repeated"


def test_a_payer_is_told_before_the_day_once(quick_debtors: HouseOf) -> None:
    """How much, when, from where and under which mandate: the scheme wants it; in the payer's language."""
    house = quick_debtors
    house.do(add_customer, AddCustomer("C3", name="Erika", email="erika@example.org", language="de"))
    house.do(add_token, AddToken("CARD3", "C3"))
    on_invoice(house, "C3")
    house.do(sign_mandate, SignMandate("C3", OTHER_IBAN, "2026-02-01", reference="M-3"))
    charge(house, token="CARD3")
    charge(house)
    prepare(house)
    told = [one for one in collections(house) if one.mandate_id == mandate(house, "M-3").mandate_id]
    [debit] = told
    [silent] = [one for one in collections(house) if one != debit]
    assert house.do(gather_debit, silent.collection_id) is None, "nobody knows where to write to"

    letter = house.do(gather_debit, debit.collection_id)
    assert letter is not None
    written = pre_notified(letter)
    assert written.to == "erika@example.org"
    for word in ("3,00", "16.03.2026", "AT..3201", "M-3", "DE98ZZZ09999999999", "Lastschrift"):
        assert word in written.subject + written.text
    house.do(debit_told, debit.collection_id)
    assert house.do(gather_debit, debit.collection_id) is None


def test_a_low_balance_is_told_by_letter(quick_debtors: HouseOf) -> None:
    """Once on its way down, and not any more when it was filled before the letter was written."""
    house = quick_debtors
    house.do(add_customer, AddCustomer("C4", name="Max", email="max@example.org"))
    house.do(add_token, AddToken("CARD4", "C4"))
    account = AddProviderAccount("balance", "prepaid", ("EUR",), "", (), low_minor=500, least_minor=100)
    house.do(add_provider_account, account)
    house.do(open_balance, OpenBalance("C4", "EUR"))
    pay_in = ReceiveTransfer("t1", money("6.00", "EUR"), "2026-03-02", "C4", target=TransferFor.BALANCE)
    house.do(receive_transfer, pay_in)
    charge(house, token="CARD4")
    [job] = house.rows.stored_jobs.by(kind=TELL_LOW)

    letter = house.do(gather_low, job.subject_id)
    assert letter is not None
    assert "3.00" in low_balance(letter).subject
    house.do(receive_transfer, replace(pay_in, key="t2"))
    assert house.do(gather_low, job.subject_id) is None
