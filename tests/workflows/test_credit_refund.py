"""Money that goes back takes its paper with it: a credit note with its own number, by line and tax, and books that agree."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.connections import sqlite_path
from tallywatt.adapters.storage.evidence import audit
from tallywatt.adapters.storage.views import Views
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import Succeeded, View, ViewStatus
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.begin_restoration import BeginRestoration, begin_restoration
from tallywatt.workflows.credit_refund import CreditRefund, credit_refund
from tallywatt.workflows.end_restoration import EndRestoration, end_restoration
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.print_invoice import GatherPaper, gather_paper
from tests.workflows.house_of import HouseOf, kwh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.payments.payment import Payment

TWO_RATES: dict[str, Any] = {
    "id": "two",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.33, "vat": 20, "step_size": 1},
                {"type": "FLAT", "price": 0.77, "vat": 5, "step_size": 1},
            ]
        }
    ],
}


@pytest.fixture
def quick_house(sqlite_house_url: str) -> Iterator[HouseOf]:
    """A house with one tariff of two tax rates."""
    with HouseOf(sqlite_house_url) as built:
        built.furnish(TWO_RATES)
        yield built


@pytest.fixture
def paid(quick_house: HouseOf) -> Payment:
    """A session paid by card: 3.30 with 20 per cent in it, and 0.77 with 5."""
    quick_house.keep_a_card()
    quick_house.wire().charge(kwh(10))
    quick_house.collect()
    [payment] = quick_house.rows.payments.by()
    assert payment.captured_minor == 407
    return payment


def back(house: HouseOf, payment: Payment, minor: int, key: str = "k1") -> None:
    """A person gives something back, and the provider does it."""
    house.do(give_back, GiveBack(payment.payment_id, Money(minor, currency("GBP")), "goodwill", key))
    before = payment.refunded_minor
    house.collect()
    assert house.rows.payments.get(payment.payment_id).refunded_minor >= before


def notes(house: HouseOf) -> list[Invoice]:
    """The credit notes, by number."""
    found = [one for one in house.rows.invoices.by() if one.kind is InvoiceKind.CREDIT_NOTE]
    return sorted(found, key=lambda one: one.sequence)


def test_a_part_that_goes_back_is_credited_by_line_and_rate(quick_house: HouseOf, paid: Payment) -> None:
    """The tax office gets its part back, too: nothing stays owed, and the books agree to the penny."""
    back(quick_house, paid, 100)

    [note] = notes(quick_house)
    assert (note.number, note.gross_minor, note.corrects_invoice_id) == ("CRN-2026-000001", 100, paid.invoice_id)
    taxes = quick_house.rows.rated_taxes.by(rated_id=note.rated_id)
    assert [(str(one.tax_rate), one.gross_minor, one.tax_minor) for one in taxes] == [("20", 81, 14), ("5", 19, 1)]
    assert Views.ledger_balanced(quick_house.reader, quick_house.operator)
    assert quick_house.adds_up()["owed_minor"] == 0
    invoice = Views.invoice(quick_house.reader, quick_house.operator, paid.invoice_id or "")
    assert invoice is not None
    assert (invoice["owed_minor"], invoice["captured_minor"]) == (0, 307)
    session = Views.sessions(quick_house.reader, quick_house.operator)["items"][0]
    assert session["owed_minor"] == 0


def test_parts_add_up_to_the_whole_invoice_exactly(quick_house: HouseOf, paid: Payment) -> None:
    """However it is cut into parts, every line and every tax is taken back to the last penny, and never more."""
    house = quick_house
    house.rows.payments.get(paid.payment_id)
    for place, minor in enumerate((1, 7, 133, 266)):
        operation = house.do(
            give_back, GiveBack(paid.payment_id, Money(minor, currency("GBP")), "goodwill", f"k{place}")
        )
        told = house.rows.payments.get(paid.payment_id).refunded_minor + minor
        refund_told(house, paid, operation.operation_id, told)

    invoice = house.rows.invoices.get(paid.invoice_id or "")
    papers = notes(house)
    assert [one.sequence for one in papers] == [1, 2, 3, 4]
    for name in ("net_minor", "tax_minor", "gross_minor"):
        assert sum(getattr(one, name) for one in papers) == getattr(invoice, name)
    lines = house.rows.rated_lines.by(rated_id=invoice.rated_id)
    for line in lines:
        own = [
            one
            for note in papers
            for one in house.rows.rated_lines.by(rated_id=note.rated_id)
            if one.line_number == line.line_number
        ]
        assert sum(one.tax_minor for one in own) == line.tax_minor
        assert sum(one.gross_minor for one in own) == line.gross_minor
    assert house.adds_up()["billed_minor"] == 0
    assert Views.ledger_balanced(house.reader, house.operator)


def refund_told(house: HouseOf, payment: Payment, operation_id: str, told: int) -> None:
    """The provider says how much it has given back in all."""
    view = View(ViewStatus.CAPTURED, "GBP", payment.provider_ref or f"pi_{payment.payment_id}", refunded_minor=told)
    fact = ProviderFact(payment.payment_id, Succeeded(view), Source.REPLY, operation_id, house.now)
    for _ in range(2):
        house.do(apply_provider_fact, fact)


def test_the_paper_names_what_it_corrects_and_where_the_money_went(quick_house: HouseOf, paid: Payment) -> None:
    """Plain: the same lines, the number of the invoice, and that nothing is left to give back."""
    back(quick_house, paid, 100)
    [note] = notes(quick_house)

    document = quick_house.do(gather_paper, GatherPaper(note.invoice_id, "http://127.0.0.1"))

    assert document.corrects == quick_house.rows.invoices.get(paid.invoice_id or "").number
    assert document.owed_minor == 0
    assert [one.gross_minor for one in document.lines] == [81, 19]


def test_no_number_is_given_before_a_restored_house_was_compared(quick_house: HouseOf, paid: Payment) -> None:
    """The refund is taken in; its paper waits, and comes once."""
    house = quick_house
    house.do(give_back, GiveBack(paid.payment_id, Money(100, currency("GBP")), "goodwill", "k1"))
    restoration = house.do(begin_restoration, BeginRestoration("sha", house.now))
    house.collect()
    assert notes(house) == []
    assert [one.subject_id for one in house.rows.stored_jobs.by(kind="credit_refund")] == [paid.invoice_id]

    house.do(end_restoration, EndRestoration(restoration.restoration_id))
    for _ in range(2):
        assert house.do(credit_refund, CreditRefund(paid.invoice_id))  # type: ignore[arg-type]  # it has one

    assert [one.gross_minor for one in notes(house)] == [100]
    house.adds_up()


SABOTAGE = {
    "a transfer of a credit note deleted": (
        "DELETE FROM transfers WHERE entry_id IN (SELECT entry_id FROM entries WHERE kind = 'invoice_credited')",
        "credit.books",
    ),
    "a credit note raised": (
        "UPDATE invoices SET gross_minor = gross_minor + 1, net_minor = net_minor + 1 WHERE kind = 'credit_note'",
        "credit.amounts",
    ),
    "a credit note removed": ("DELETE FROM invoices WHERE kind = 'credit_note'", "entry.without_invoice"),
    "more credited than was asked": (
        "UPDATE invoices SET gross_minor = 50, net_minor = 50, tax_minor = 0 WHERE kind = 'invoice'",
        "invoice.credited",
    ),
}


@pytest.mark.parametrize("what", SABOTAGE)
def test_sabotage_of_a_credit_note_is_found(sqlite_house_url: str, what: str) -> None:
    """Somebody with access to the database changes a paper and leaves the rest as it was."""
    with HouseOf(sqlite_house_url) as house:
        house.furnish(TWO_RATES)
        house.keep_a_card()
        house.wire().charge(kwh(10))
        house.collect()
        [payment] = house.rows.payments.by()
        back(house, payment, 100)
        script, code = SABOTAGE[what]
        with sqlite3.connect(sqlite_path(house.url)) as connection:
            connection.executescript(f"PRAGMA foreign_keys=OFF; {script};")

        report = audit(house.reader, house.vault, house.operator)

    assert code in {one.code for one in report.findings}
