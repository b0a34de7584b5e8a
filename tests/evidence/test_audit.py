"""The audit finds nothing in honest books, and names what somebody has done to others."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.connections import sqlite_path
from tallywatt.adapters.storage.evidence import audit
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.session import SessionState
from tallywatt.payments.bank import ToldBankLine
from tallywatt.payments.dispute import DisputeState, ToldDispute
from tallywatt.payments.settlement import Action, LineKind, ToldLine
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tallywatt.workflows.resolve_difference import ResolveDifference, resolve_difference
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement
from tallywatt.workflows.take_statement import TakeStatement, take_statement
from tests.workflows.house_of import MINUTE, HouseOf, kwh
from tests.workflows.test_answer_from_books import on_invoice, prepaid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.evidence.findings import AuditReport


DEAD_CLOCK = Instant(5 * MINUTE)
"""1970: a station that has lost its clock."""


def audited(house: HouseOf) -> AuditReport:
    """The audit of a house, on a connection of its own."""
    return audit(house.reader, house.vault, house.operator)


def codes(house: HouseOf) -> set[str]:
    """The codes of all that the audit finds."""
    return {finding.code for finding in audited(house).findings}


def busy(house: HouseOf) -> HouseOf:
    """Three sessions paid by card, one ad hoc, one held for its payer, one of OCPP 2.0.1, one that goes on."""
    house.keep_a_card()
    wire = house.wire()
    for place in range(3):
        wire.charge(kwh(10 + place), meter=kwh(20 * place))
    ad_hoc(house)
    wire.charge(kwh(3), meter=kwh(100), token="NOBODY")
    newer = house.station("CP2")
    started = newer.event_started(house.now, "T-1", kwh(5))
    newer.tell_start(started)
    house.do_all(
        newer.event_updated(house.later(30), "T-1", 1, kwh(7)),
        newer.event_ended(house.later(30), "T-1", 2, kwh(9)),
    )
    house.collect()
    settle(house)
    wire.sample(wire.start(meter=kwh(200)), (house.later(10), kwh(201)))
    return house


def settle(house: HouseOf) -> None:
    """The provider lists two charges (one with another sum, which a person books), a stranger's, and a payout."""
    account = house.rows.provider_accounts.by()[0].account_id
    first, second, *_ = house.rows.payments.by(kind="stored")
    lines = [
        ToldLine(
            f"txn_{place}",
            LineKind.CHARGE,
            sum_,
            20,
            "GBP",
            house.now,
            sum_,
            "GBP",
            "ch",
            payment_id,
            payout_ref="po_1",
        )
        for place, (sum_, payment_id) in enumerate(
            ((first.captured_minor, first.payment_id), (second.captured_minor - 5, second.payment_id), (700, "nobody"))
        )
    ]
    paid = sum(one.amount_minor - one.fee_minor for one in lines)
    lines.append(
        ToldLine("txn_po", LineKind.PAYOUT, -paid, 0, "GBP", house.now, -paid, "GBP", "po_1", payout_ref="po_1")
    )
    house.do(take_settlement, TakeSettlement(account, tuple(lines)))
    [differs] = house.rows.settlement_differences.by(kind="charged")
    house.do(resolve_difference, ResolveDifference(differs.difference_id, Action.BOOK))
    taken = second.captured_minor
    told = ToldDispute("dp_1", DisputeState.OPEN, taken, "GBP", taken, "fraudulent", house.now, None, second.payment_id)
    house.do(take_dispute, TakeDispute(account, told))


def ad_hoc(house: HouseOf) -> str:
    """A driver without an account holds money, charges, and pays; the transaction's id."""
    [evse] = house.rows.evses.by(code="GB*TWA*ECP1*2")
    asked = PayAdHoc(evse.evse_id, Money(2000, currency("GBP")), "Depot", "http://ok/{secret}", "http://no/{secret}")
    payment = house.do(pay_ad_hoc, asked)
    house.collect()
    command = house.do(start_paid_session, StartPaidSession(payment.payment_id))
    assert command is not None
    return house.wire().charge(kwh(4), token=command.payload["tag"], evse=2)


def with_own_accounts(house: HouseOf) -> HouseOf:
    """A balance paid in by card and used; an open item paid by a line of the bank; a transfer that went back."""
    prepaid(house, "5.00")
    wire = house.wire()
    wire.charge(kwh(10))
    house.collect()
    # What is left is too little to start with, so that the next one is bought on invoice.
    on_invoice(house)
    transaction = wire.charge(kwh(10), meter=kwh(10))
    house.collect()
    number = house.rows.invoices.get(house.session(transaction).invoice_id or "").number
    lines = (("l1", 100, None), ("l2", 150, None), ("l3", -150, "AC04"))
    told = tuple(
        ToldBankLine(
            name,
            "GB..3000",
            "S1",
            name,
            house.now,
            minor,
            "GBP",
            number,
            counterparty_account="GB..1",
            return_code=code,
        )
        for name, minor, code in lines
    )
    house.do(take_statement, TakeStatement(told, "ab12"))
    return house


@pytest.fixture(scope="module")
def own_books_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a house with customers' accounts in its own books, to be copied."""
    path = tmp_path_factory.mktemp("own") / "house.db"
    shutil.copy(migrated_file, path)
    with HouseOf(f"sqlite:///{path}") as house:
        house.furnish()
        with_own_accounts(house)
    return path


@pytest.fixture(scope="module")
def busy_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a busy house, to be copied."""
    path = tmp_path_factory.mktemp("busy") / "house.db"
    shutil.copy(migrated_file, path)
    with HouseOf(f"sqlite:///{path}") as house:
        house.furnish()
        busy(house)
    return path


@pytest.fixture
def busy_house(busy_file: Path, tmp_path: Path) -> Iterator[HouseOf]:
    """A busy house of this test alone."""
    path = tmp_path / "house.db"
    shutil.copy(busy_file, path)
    with HouseOf(f"sqlite:///{path}") as house:
        yield house


def test_honest_books_have_no_findings(house: HouseOf) -> None:
    """Every milliwatt-hour and every penny is accounted for, on both engines."""
    report = audited(busy(house))

    assert report.findings == ()
    assert report.summary() == {
        "sessions": 7,
        "delivered_wh": "45000",
        "billed_wh": "41000",
        "explained_wh": {"unknown_payer": "3000"},
        "running_wh": "1000",
        "unexplained_wh": 0,
        "currency": "GBP",
        "billed_minor": 1230,
        "captured_minor": 1230,
        "refunded_minor": 0,
        "suspense_minor": 0,
        "owed_minor": 0,
        "on_account_minor": 0,
        "other_currencies": {},
        "invoices": 5,
        "voided": 0,
        "held": 1,
        "ledger_balanced": True,
    }


SABOTAGE = {
    "a line deleted": ("DELETE FROM rated_lines WHERE rowid = (SELECT max(rowid) FROM rated_lines)", "line.sum"),
    "a reading altered": (
        'UPDATE meter_readings SET "register" = "register" + 1 WHERE rowid = (SELECT min(rowid) FROM meter_readings)',
        "reading.altered",
    ),
    "a reading deleted": ("DELETE FROM meter_readings WHERE rowid = 1", "reading.missing"),
    "a session removed": ("DELETE FROM sessions WHERE transaction_id = '2'", "session.missing"),
    "a session removed with all that leads to it": (
        """DELETE FROM sessions WHERE transaction_id = 'T-1';
           DELETE FROM meter_readings WHERE session_id NOT IN (SELECT session_id FROM sessions);
           DELETE FROM invoices WHERE session_id NOT IN (SELECT session_id FROM sessions);
           DELETE FROM events WHERE aggregate_id NOT IN (SELECT session_id FROM sessions)""",
        "session.missing",
    ),
    "a session's energy lowered": (
        "UPDATE sessions SET milliwatt_hours = milliwatt_hours - 1 WHERE transaction_id = '1'",
        "session.energy",
    ),
    "a stop's register lowered": (
        "UPDATE sessions SET meter_stop = meter_stop - 1 WHERE transaction_id = '1'",
        "session.register",
    ),
    "an explanation deleted": ("DELETE FROM explanations", "session.unexplained"),
    "an explanation invented": (
        """INSERT INTO explanations SELECT operator_id, 'x', session_id, NULL, 5, 'written_off', '', 0
           FROM sessions WHERE transaction_id = '1'""",
        "session.unexplained",
    ),
    "an entry doubled": (
        """INSERT INTO entries SELECT operator_id, 'copy', kind, cause_kind, cause_id, payload_hash, booked_at
           FROM entries WHERE rowid = 1;
           INSERT INTO transfers SELECT operator_id, 'copy' || transfer_id, 'copy', phase, debit_account_id,
           credit_account_id, amount_minor, currency, pending_id, booked_at FROM transfers
           WHERE entry_id = (SELECT entry_id FROM entries WHERE rowid = 1)""",
        "entry.doubled",
    ),
    "a transfer deleted": ("DELETE FROM transfers WHERE rowid = 1", "invoice.books"),
    "a transfer of a capture deleted": (
        "DELETE FROM transfers WHERE entry_id IN (SELECT entry_id FROM entries WHERE kind = 'payment_captured')",
        "payment.books",
    ),
    "a capture without operation": (
        "DELETE FROM operations WHERE rowid = (SELECT min(rowid) FROM operations WHERE kind = 'charge')",
        "payment.captured_without_operation",
    ),
    "a capture raised": (
        """UPDATE payments SET captured_minor = captured_minor + 1, authorised_minor = authorised_minor + 1
           WHERE kind = 'stored'""",
        "payment.allocations",
    ),
    "an allocation moved": (
        "UPDATE allocations SET target_id = (SELECT max(invoice_id) FROM invoices) WHERE rowid = 1",
        "allocation.moved",
    ),
    "an allocation deleted": ("DELETE FROM allocations WHERE rowid = 1", "payment.allocations"),
    "a number skipped": ("UPDATE number_series SET next_number = next_number + 1", "number.skipped"),
    "an invoice removed": ("DELETE FROM invoices WHERE sequence = 2", "number.skipped"),
    "an invoice lowered": (
        "UPDATE invoices SET gross_minor = gross_minor - 1, net_minor = net_minor - 1 WHERE sequence = 1",
        "invoice.amounts",
    ),
    "a result raised": (
        "UPDATE rated_results SET gross_minor = gross_minor + 1, net_minor = net_minor + 1 WHERE rowid = 1",
        "line.sum",
    ),
    "a tax deleted": ("DELETE FROM rated_taxes WHERE rowid = 1", "tax.sum"),
    "a sum raised": (
        "UPDATE running_sums SET amount = amount + 1 WHERE figure = 'payments.captured_minor'",
        "sum.differs",
    ),
    "a session removed from everything but the sums": (
        """DELETE FROM events WHERE aggregate_id = (SELECT session_id FROM sessions WHERE transaction_id = '1');
           DELETE FROM sessions WHERE transaction_id = '1'""",
        "sum.differs",
    ),
    "a settlement line deleted": ("DELETE FROM settlement_lines WHERE line_ref = 'txn_0'", "entry.without_cause"),
    "a fee lowered": ("UPDATE settlement_lines SET fee_minor = 1 WHERE line_ref = 'txn_0'", "settlement.books"),
    "a payout raised": (
        "UPDATE settlement_lines SET amount_minor = amount_minor - 1 WHERE line_ref = 'txn_po'",
        "settlement.books",
    ),
    "a transfer of a fee deleted": (
        "DELETE FROM transfers WHERE entry_id IN (SELECT entry_id FROM entries WHERE kind = 'settled')",
        "settlement.books",
    ),
    "a stranger's money kept quiet": (
        "DELETE FROM settlement_differences WHERE kind = 'extra'",
        "settlement.unlisted",
    ),
    "a difference taken away": ("DELETE FROM settlement_differences WHERE kind = 'charged'", "settlement.unlisted"),
    "a booked difference lowered": (
        "UPDATE settlement_differences SET booked_minor = -1 WHERE kind = 'charged'",
        "difference.books",
    ),
    "a settled payment removed": (
        "DELETE FROM payments WHERE payment_id = (SELECT payment_id FROM settlement_lines WHERE line_ref = 'txn_0')",
        "settlement.without_payment",
    ),
    "a dispute's money lowered": ("UPDATE disputes SET withdrawn_minor = 1", "dispute.books"),
    "a dispute deleted": ("DELETE FROM disputes", "entry.without_cause"),
    "a frame deleted": ("DELETE FROM frames WHERE action = 'StopTransaction'", "frame.missing"),
    "a frame written into": (
        "UPDATE frames SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB) WHERE rowid = 1",
        "frame.unreadable",
    ),
}


SABOTAGE_OF_ACCOUNTS = {
    "a top-up's transfer deleted": (
        """DELETE FROM transfers WHERE credit_account_id IN (SELECT account_id FROM accounts WHERE code LIKE 'prepaid/%')
           AND entry_id IN (SELECT entry_id FROM entries WHERE kind = 'payment_captured')""",
        {"balance.overdrawn", "payment.books"},
    ),
    "a top-up's entry deleted with its transfers": (
        """CREATE TEMP TABLE gone AS SELECT entry_id FROM transfers WHERE credit_account_id IN
           (SELECT account_id FROM accounts WHERE code LIKE 'prepaid/%') AND entry_id IN
           (SELECT entry_id FROM entries WHERE kind = 'payment_captured');
           DELETE FROM transfers WHERE entry_id IN gone; DELETE FROM entries WHERE entry_id IN gone""",
        {"balance.overdrawn", "payment.books"},
    ),
    "what a hold took lowered": (
        "UPDATE customer_holds SET taken_minor = taken_minor - 1 WHERE provider = 'prepaid'",
        {"hold.books"},
    ),
    "a hold let go by hand": (
        "UPDATE customer_holds SET state = 'released', taken_minor = 0 WHERE provider = 'prepaid'",
        {"hold.books", "hold.payment"},
    ),
    "a hold deleted": ("DELETE FROM customer_holds WHERE provider = 'prepaid'", {"hold.missing"}),
    "a balance's counter lowered": (
        "UPDATE accounts SET debits_pending = 1 WHERE code LIKE 'prepaid/%'",
        {"balance.pending"},
    ),
    "an open item paid by hand": (
        "UPDATE customer_holds SET settled_minor = taken_minor WHERE provider = 'invoice'",
        {"item.settled"},
    ),
    "an open item left on another invoice": (
        "UPDATE customer_holds SET invoice_id = 'another' WHERE provider = 'invoice'",
        {"item.invoice"},
    ),
    "a part of a transfer deleted": (
        "DELETE FROM transfer_parts WHERE amount_minor = 100",
        {"transfer.parts", "item.settled"},
    ),
    "a return forgotten": (
        "UPDATE received_transfers SET returned_at = NULL",
        {"transfer.books", "bank.other_transfer"},
    ),
    "a transfer raised": ("UPDATE received_transfers SET amount_minor = amount_minor + 1", {"bank.other_transfer"}),
    "a line of a transfer freed": ("UPDATE bank_lines SET transfer_id = NULL", {"bank.other_transfer"}),
}


def test_honest_accounts_of_customers_have_no_findings(house: HouseOf) -> None:
    """Balances, open items, transfers and returns add up, on both engines."""
    assert codes(with_own_accounts(house)) == set()


@pytest.mark.parametrize("what", SABOTAGE_OF_ACCOUNTS)
def test_sabotage_of_customers_accounts_is_found_and_named(own_books_file: Path, tmp_path: Path, what: str) -> None:
    """What a customer has paid in is theirs: nobody makes it less, or takes it back, in silence."""
    script, wanted = SABOTAGE_OF_ACCOUNTS[what]
    path = tmp_path / "house.db"
    shutil.copy(own_books_file, path)
    with HouseOf(f"sqlite:///{path}") as house:
        by_hand(house, script)
        assert wanted <= codes(house)


@pytest.mark.parametrize("what", SABOTAGE)
def test_sabotage_is_found_and_named(busy_house: HouseOf, what: str) -> None:
    """Somebody with access to the database changes something and leaves the rest as it was."""
    house = busy_house
    script, code = SABOTAGE[what]

    by_hand(house, script)

    assert code in codes(house)


def by_hand(house: HouseOf, script: str) -> None:
    """SQL of somebody who does not ask the product."""
    with sqlite3.connect(sqlite_path(house.url)) as connection:
        connection.executescript(f"PRAGMA foreign_keys=OFF; {script};")


def test_a_finding_names_what_it_is_about(busy_house: HouseOf) -> None:
    """With the id at hand a person finds the row."""
    house = busy_house
    session = house.session(1)
    by_hand(house, "UPDATE sessions SET milliwatt_hours = 9000000 WHERE transaction_id = '1'")

    finding, summed = audited(house).findings

    assert (finding.code, finding.subject) == ("session.energy", session.session_id)
    assert (finding.expected, finding.found) == ("10000", "9000")
    assert (summed.code, summed.subject) == ("sum.differs", "sessions.milliwatt_hours billed")
    assert (summed.expected, summed.found) == ("40000000", "41000000")


def test_frames_whose_key_was_dropped_leave_the_registers_to_speak(busy_house: HouseOf) -> None:
    """Erasing personal data must not make the books look wrong (RULES §9)."""
    house = busy_house
    by_hand(house, "UPDATE data_keys SET wrapped = NULL, dropped_at = 1")

    report = audited(house)

    assert report.is_clean
    assert report.erased_frames > 0
    assert report.unexplained == 0


def test_energy_that_a_lost_stop_left_unseen_is_explained(quick_house: HouseOf) -> None:
    """The next transaction starts from a register that tells what the lost one took."""
    house = quick_house
    wire = house.wire()
    lost = wire.start(meter=0)
    wire.sample(lost, (house.later(10), kwh(2)))
    house.later(60)
    following = wire.start(meter=kwh(5))
    house.later(60)
    wire.stop(following, kwh(6))

    report = audited(house)

    assert report.findings == ()
    assert report.summary()["explained_wh"] == {"lost_stop": "5000"}
    assert house.session(lost).state is SessionState.HELD


def test_a_resend_with_a_new_message_id_is_no_second_session(quick_house: HouseOf) -> None:
    """The audit counts facts, not frames."""
    house = quick_house
    wire = house.wire()
    at = house.now
    for _ in range(3):
        transaction = wire.start(at)
    house.later(30)
    for _ in range(3):
        wire.stop(transaction, kwh(1))

    report = audited(house)

    assert report.findings == ()
    assert report.summary()["delivered_wh"] == "1000"


def test_a_hold_that_nothing_waits_for_is_found(quick_house: HouseOf) -> None:
    """A card's money must not stay held because a job was lost."""
    house = quick_house
    [evse] = house.rows.evses.by(code="GB*TWA*ECP1*2")
    house.do(pay_ad_hoc, PayAdHoc(evse.evse_id, Money(2000, currency("GBP")), "Depot", "http://ok", "http://no"))
    house.collect()
    assert codes(house) == set()

    by_hand(house, "DELETE FROM jobs")

    assert codes(house) == {"payment.hold_forgotten"}


def test_a_dead_clock_and_a_meter_from_nothing_are_two_sessions_to_the_audit_too(quick_house: HouseOf) -> None:
    """Two starts of the same content from a station that lost its clock (RULES §1)."""
    house = quick_house
    wire = house.wire()
    for _ in range(2):
        transaction = wire.start(at=DEAD_CLOCK)
        house.later(30)
        wire.stop(transaction, kwh(1), at=Instant(DEAD_CLOCK + 30 * MINUTE))

    report = audited(house)

    assert report.findings == ()
    assert report.summary()["delivered_wh"] == "2000"
