"""A session whose tax or lines were wrong has another invoice; its money, its books and its energy go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.invoicing.correction import CorrectionState, Outcome
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Declined
from tallywatt.workflows.give_back import GiveBack, give_back
from tests.workflows.corrected import carried_out, proposed, row_of, tariff_of
from tests.workflows.house_of import KWH, HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.invoicing.invoice import Invoice


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOf]:
    """One session of 3.00 with 20 % in it, paid by card."""
    with HouseOf(house_url) as made:
        made.furnish()
        made.keep_a_card()
        made.wire().charge(10 * KWH)
        made.collect()
        yield made


def invoice_of(house: HouseOf) -> Invoice:
    """The invoice that the session has."""
    session = house.session()
    assert session.invoice_id is not None
    return house.rows.invoices.get(session.invoice_id)


def test_another_rate_of_tax_in_the_same_price_is_another_invoice(house: HouseOf) -> None:
    """The driver pays nothing more and gets nothing back; the tax office does."""
    first = invoice_of(house)
    assert (first.net_minor, first.tax_minor) == (250, 50)
    correction = proposed(house, tariff_of(0.30, 5))
    assert (correction.state, correction.less_minor, correction.more_minor, correction.others) == (
        CorrectionState.PROPOSED, 0, 0, 1
    )  # fmt: skip
    carried_out(house, correction)
    row, second = row_of(house, correction), invoice_of(house)
    assert (row.outcome, row.was_tax_minor, row.now_tax_minor, row.new_invoice_id) == (
        Outcome.REPLACED, 50, 14, second.invoice_id
    )  # fmt: skip
    assert (second.net_minor, second.tax_minor, second.gross_minor) == (286, 14, 300)
    [note] = [one for one in house.rows.invoices.by() if one.kind is InvoiceKind.CREDIT_NOTE]
    assert (note.corrects_invoice_id, note.tax_minor, note.gross_minor) == (first.invoice_id, 50, 300)
    codes = {one.account_id: one.code for one in house.rows.accounts.by()}
    taxes = dict.fromkeys(("tax/GB/20", "tax/GB/5"), 0)
    for move in house.rows.transfers.by():
        for account, minor in (
            (move.credit_account_id, move.amount_minor),
            (move.debit_account_id, -move.amount_minor),
        ):
            if codes[account] in taxes:
                taxes[codes[account]] += minor
    assert taxes == {"tax/GB/20": 0, "tax/GB/5": 14}
    assert house.adds_up()["owed_minor"] == 0
    assert proposed(house, tariff_of(0.30, 5)).state is CorrectionState.DONE


def test_the_same_sum_of_other_lines_is_another_invoice(house: HouseOf) -> None:
    """Whoever checks an invoice checks its lines."""
    flat = {"type": "FLAT", "price": 1, "vat": 20, "step_size": 1}
    carried_out(house, proposed(house, tariff_of(0.20, 20, flat)))
    lines = house.rows.rated_lines.by(rated_id=invoice_of(house).rated_id)
    assert sorted(one.gross_minor for one in lines) == [100, 200]
    assert house.adds_up()["owed_minor"] == 0


def test_less_with_another_tax_is_another_invoice_and_the_rest_goes_back(house: HouseOf) -> None:
    """A credit note over a part would have taken back the wrong tax."""
    correction = proposed(house, tariff_of(0.25, 5, included=False))
    carried_out(house, correction)
    row, second = row_of(house, correction), invoice_of(house)
    assert (row.outcome, row.refunded_minor) == (Outcome.RETURNED, 300 - second.gross_minor)
    assert (second.net_minor, second.tax_minor) == (250, 13)
    notes = [one.gross_minor for one in house.rows.invoices.by() if one.kind is InvoiceKind.CREDIT_NOTE]
    assert notes == [300]
    sums = house.adds_up()
    assert (sums["billed_minor"], sums["refunded_minor"], sums["owed_minor"]) == (263, 37, 0)
    again = proposed(house, tariff_of(0.20, 5, included=False))
    carried_out(house, again)
    assert row_of(house, again).new_invoice_id is None
    assert house.adds_up()["owed_minor"] == 0


def test_more_with_another_tax_that_is_given_up_has_a_credit_note(house: HouseOf) -> None:
    """The tax has to be right; what is not asked for is taken off the invoice that says so."""
    correction = proposed(house, tariff_of(0.28, 25, included=False))
    assert correction.more_minor == 50
    carried_out(house, correction)
    row = row_of(house, correction)
    assert (row.outcome, row.waived_minor) == (Outcome.WAIVED, 50)
    notes = sorted(one.gross_minor for one in house.rows.invoices.by() if one.kind is InvoiceKind.CREDIT_NOTE)
    assert (notes, invoice_of(house).gross_minor) == ([50, 300], 350)
    assert house.adds_up()["owed_minor"] == 0


def test_what_is_owed_is_owed_by_the_new_invoice(house: HouseOf) -> None:
    """A declined payment is for the invoice that stands, and collects what that asks for."""
    house.wire().charge(20 * KWH)
    house.collect(lambda _: Declined("insufficient_funds", "later", "no"))
    [owed] = house.rows.payments.by(state="declined")
    correction = proposed(house, tariff_of(0.25, 5, included=False))
    carried_out(house, correction)
    after = house.rows.payments.get(owed.payment_id)
    assert (after.state, after.due_minor) == (PaymentState.DECLINED, 525)
    assert after.invoice_id != owed.invoice_id
    assert house.adds_up()["owed_minor"] == 525


def test_goodwill_stays_given(house: HouseOf) -> None:
    """What was given back for another reason is taken off the new invoice, too, and not asked for again."""
    [paid] = house.rows.payments.by()
    house.do(give_back, GiveBack(paid.payment_id, Money(100, currency("GBP")), "sorry", "k"))
    house.collect()
    carried_out(house, proposed(house, tariff_of(0.30, 5)))
    notes = sorted(one.gross_minor for one in house.rows.invoices.by() if one.kind is InvoiceKind.CREDIT_NOTE)
    assert notes == [100, 100, 200]
    assert house.adds_up()["owed_minor"] == 0
