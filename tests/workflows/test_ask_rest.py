"""What was charged too little: given up, charged to the stored card, or asked for on a page; each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.approval import Holder
from tallywatt.entrypoints.pages.letters import charged_too_little
from tallywatt.invoicing.correction import CorrectionState, Outcome
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.money import Money, currency
from tallywatt.payments.dispute import DisputeState
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.payment import REST, PaymentKind, PaymentState
from tallywatt.payments.provider import Declined, Succeeded, View, ViewStatus
from tallywatt.workflows.ask_rest import TELL_REST, PayRest, WaiveRest, pay_rest, waive_rest
from tallywatt.workflows.change_customer import ChangeCustomer, change_customer
from tallywatt.workflows.correct_prices import OrderCorrection, order_correction
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tallywatt.workflows.tell_customer import gather_rest
from tallywatt.workflows.try_again import TryAgain, try_again
from tests.workflows.corrected import carried_out, proposed, row_of, tariff_of
from tests.workflows.house_of import KWH, HouseOf, yes
from tests.workflows.test_answer_from_books import on_invoice, prepaid
from tests.workflows.test_take_dispute import tell, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.provider import Outcome as ProviderOutcome

DEARER = tariff_of(0.35, 20)


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOf]:
    """One session of 3.00, paid by card; it should have cost 3.50."""
    with HouseOf(house_url) as made:
        made.furnish()
        made.keep_a_card()
        made.wire().charge(10 * KWH)
        made.collect()
        yield made


def rests(house: HouseOf) -> list[Payment]:
    """The payments of what was missing."""
    return [one for one in house.rows.payments.by() if one.purpose == REST]


def papers(house: HouseOf) -> list[tuple[str, int]]:
    """Every paper of the session with its sum, in the order of their numbers."""
    found = sorted(house.rows.invoices.by(), key=lambda one: (one.issued_at, one.series != "CRN", one.sequence))
    return [(one.kind.value, one.gross_minor) for one in found]


def no(_: Operation) -> ProviderOutcome:
    """A bank that wants the driver to be there."""
    return Declined("authentication_required", "ask_driver", "authentication required")


def page(house: HouseOf) -> Payment:
    """The driver presses the button of the session's page."""
    session = house.session()
    return house.do(pay_rest, PayRest(session.session_id, "Rest", "https://x.example/{secret}", "https://x.example/"))


def test_it_is_charged_to_the_stored_card_with_an_invoice_for_the_whole(house: HouseOf) -> None:
    """The old invoice is taken back, its money is for the new one, and what is missing is charged once."""
    correction = proposed(house, DEARER)
    assert (correction.state, correction.less_minor, correction.more_minor) == (CorrectionState.PROPOSED, 0, 50)
    carried_out(house, correction, above=0)
    row = row_of(house, correction)
    assert (row.outcome, row.asked_minor, row.waived_minor) == (Outcome.ASKED, 50, 0)
    assert sorted(papers(house)) == [("credit_note", 300), ("invoice", 300), ("invoice", 350)]
    [rest] = rests(house)
    assert (rest.kind, rest.state, rest.captured_minor, rest.invoice_id) == (
        PaymentKind.STORED, PaymentState.CAPTURED, 50, row.new_invoice_id
    )  # fmt: skip
    session = house.session()
    assert session.invoice_id == row.new_invoice_id
    assert house.adds_up()["owed_minor"] == 0
    carried_out(house, correction, above=0)
    assert len(rests(house)) == 1
    assert proposed(house, DEARER).state is CorrectionState.DONE


def test_up_to_a_sum_it_is_given_up_and_says_by_whom(house: HouseOf) -> None:
    """No paper follows: what nobody was asked for was never earned. It is not asked for by a later correction either."""
    correction = proposed(house, DEARER)
    carried_out(house, correction, above=50)
    row, done = row_of(house, correction), house.rows.corrections.get(correction.correction_id)
    assert (row.outcome, row.waived_minor, done.decided_by, done.ask_above_minor) == (Outcome.WAIVED, 50, "test", 50)
    assert papers(house) == [("invoice", 300)]
    assert rests(house) == []
    assert proposed(house, DEARER).state is CorrectionState.DONE
    cheaper = proposed(house, tariff_of(0.32, 20))
    assert cheaper.state is CorrectionState.DONE
    dearest = proposed(house, tariff_of(0.40, 20))
    assert dearest.more_minor == 50
    carried_out(house, dearest, above=0)
    row = row_of(house, dearest)
    assert (row.outcome, row.asked_minor, row.waived_minor) == (Outcome.ASKED, 50, 50)
    assert [one.captured_minor for one in rests(house)] == [50]
    assert house.adds_up()["owed_minor"] == 0


def test_what_is_given_up_counts_against_a_limit(house: HouseOf) -> None:
    """It is the operator's money as much as what is given back."""
    house.do(set_money_limit, SetMoneyLimit(Holder.FINANCE, "GBP", 49, 1000))
    correction = proposed(house, DEARER)
    order = OrderCorrection(correction.correction_id, Holder.FINANCE)
    assert house.do(order_correction, order).state is CorrectionState.WAITING
    asked = OrderCorrection(proposed(house, DEARER).correction_id, Holder.FINANCE, 0)
    assert house.do(order_correction, asked).state is CorrectionState.RUNNING
    with pytest.raises(BadInput):
        house.do(order_correction, OrderCorrection(correction.correction_id, None, -1))


def test_a_card_that_needs_its_driver_is_paid_on_a_page_once(house: HouseOf) -> None:
    """Pressed twice it is one page; while it is open the card is not charged, and afterwards there is nothing to charge."""
    correction = proposed(house, DEARER)
    carried_out(
        house, correction, above=0, outcome=lambda one: no(one) if one.kind is OperationKind.CHARGE else yes(one)
    )
    [declined] = rests(house)
    assert declined.state is PaymentState.DECLINED
    first = page(house)
    assert page(house).payment_id == first.payment_id
    with pytest.raises(Conflict):
        house.do(try_again, TryAgain(declined.payment_id))
    house.collect()
    assert house.rows.payments.get(first.payment_id).captured_minor == 50
    with pytest.raises(Conflict) as refused:
        page(house)
    assert refused.value.code == "rest.nothing_open"
    with pytest.raises(Conflict) as refused:
        house.do(try_again, TryAgain(declined.payment_id))
    assert refused.value.code == "rest.nothing_open"
    assert house.adds_up()["owed_minor"] == 0


def test_a_page_that_nobody_used_in_time_is_another_one(house: HouseOf) -> None:
    """The link of the letter leads to the session, not to a page of the provider's that ends."""
    carried_out(house, proposed(house, DEARER), above=0, outcome=no)
    first = page(house)
    house.collect(lambda one: Succeeded(View(ViewStatus.ABANDONED, one.currency, page_ref="cs_1")))
    assert house.rows.payments.get(first.payment_id).state is PaymentState.ABANDONED
    second = page(house)
    assert second.payment_id != first.payment_id
    house.collect()
    assert house.rows.payments.get(second.payment_id).captured_minor == 50
    house.adds_up()


def test_what_was_asked_for_can_be_given_up_later_with_a_credit_note(house: HouseOf) -> None:
    """It stands on an invoice by then, so a paper takes it off; twice is once."""
    correction = proposed(house, DEARER)
    carried_out(house, correction, above=0, outcome=no)
    order = WaiveRest(correction.correction_id, house.session().session_id, None)
    for _ in range(2):
        row = house.do(waive_rest, order, actor="person:1")
        assert (row.outcome, row.waived_minor, row.decided_by) == (Outcome.WAIVED, 50, "person:1")
    assert papers(house).count(("credit_note", 50)) == 1
    assert [one.state for one in rests(house)] == [PaymentState.ABANDONED]
    with pytest.raises(Conflict):
        page(house)
    assert house.adds_up()["owed_minor"] == 0


def test_waiving_keeps_to_a_limit_and_waits_for_who_is_paying(house: HouseOf) -> None:
    """Nobody pays what was just given up."""
    correction = proposed(house, DEARER)
    carried_out(house, correction, above=0, outcome=no)
    session_id = house.session().session_id
    house.do(set_money_limit, SetMoneyLimit(Holder.SUPPORT, "GBP", 10, 10))
    with pytest.raises(Conflict) as beyond:
        house.do(waive_rest, WaiveRest(correction.correction_id, session_id, Holder.SUPPORT))
    assert beyond.value.code == "rest.beyond_limit"
    page(house)
    with pytest.raises(Conflict) as paying:
        house.do(waive_rest, WaiveRest(correction.correction_id, session_id, None))
    assert paying.value.code == "payment.operation_on_its_way"


def test_what_was_given_back_meanwhile_is_not_asked_for(house: HouseOf) -> None:
    """That part stays given back; only the rest of the price is asked for."""
    [paid] = house.rows.payments.by()
    correction = proposed(house, DEARER)
    house.do(give_back, GiveBack(paid.payment_id, Money(100, currency("GBP")), "sorry", "k1"))
    house.collect()
    carried_out(house, correction, above=0)
    assert row_of(house, correction).asked_minor == 50
    assert papers(house).count(("credit_note", 100)) == 2
    sums = house.adds_up()
    assert [sums[f"{one}_minor"] for one in ("billed", "captured", "refunded", "owed")] == [250, 350, 100, 0]


def test_a_session_that_was_made_good_is_not_asked_for_more(house: HouseOf) -> None:
    """All of it was given back: a new invoice would ask for it again."""
    [paid] = house.rows.payments.by()
    house.do(give_back, GiveBack(paid.payment_id, Money(300, currency("GBP")), "sorry", "k1"))
    house.collect()
    correction = proposed(house, DEARER)
    carried_out(house, correction, above=0)
    row = row_of(house, correction)
    assert (row.outcome, row.note) == (Outcome.SKIPPED, "returned_before")
    assert house.adds_up()["owed_minor"] == 0


def test_nobody_is_asked_who_was_forgotten(house: HouseOf) -> None:
    """Neither charged nor written to: nothing may lead to them again."""
    house.print_papers()
    correction = proposed(house, DEARER)
    house.do(erase_customer, EraseCustomer("C1"))
    carried_out(house, correction, above=0)
    row = row_of(house, correction)
    assert (row.outcome, row.note) == (Outcome.SKIPPED, "payer_erased")
    assert rests(house) == []


def test_what_the_payers_bank_disputes_is_left_alone(house: HouseOf) -> None:
    """Whose money is on its way to the bank is not asked for more of it."""
    [paid] = house.rows.payments.by()
    tell(house, told(house, paid, DisputeState.OPEN))
    correction = proposed(house, DEARER)
    carried_out(house, correction, above=0)
    row = row_of(house, correction)
    assert (row.outcome, row.note) == (Outcome.SKIPPED, "payment.disputed")
    assert [one.kind for one in house.rows.invoices.by()] == [InvoiceKind.INVOICE]


def test_what_nobody_can_pay_is_given_up_and_not_asked_for(house: HouseOf) -> None:
    """Two pence are below the least that a card is charged: no letter and no page asks for them."""
    correction = proposed(house, tariff_of(0.302, 20))
    carried_out(house, correction, above=0)
    row = row_of(house, correction)
    assert (row.outcome, row.more_minor, row.waived_minor, row.asked_minor) == (Outcome.WAIVED, 2, 2, 0)
    assert (rests(house), papers(house)) == ([], [("invoice", 300)])
    assert house.rows.stored_jobs.by(kind=TELL_REST) == []


@pytest.mark.parametrize(
    ("provider", "says"),
    [("invoice", "It stands on the new invoice"), ("prepaid", "It was taken from your balance")],
)
def test_the_letter_tells_customers_of_our_own_books_where_it_went(
    quick_house: HouseOf, provider: str, says: str
) -> None:
    """They have no card that could be named; what is small is collected there, too."""
    house = quick_house
    _ = prepaid(house) if provider == "prepaid" else on_invoice(house)
    house.do(change_customer, ChangeCustomer("C1", email="one@dundee.example"))
    house.wire().charge(10 * KWH)
    house.collect()
    carried_out(house, proposed(house, tariff_of(0.302, 20)), above=0)
    [rest] = rests(house)
    assert rest.captured_minor == 2
    told = house.do(gather_rest, house.session().session_id)
    assert told is not None
    letter = charged_too_little(told, "http://x/s/1").text
    assert says in letter
    assert "card" not in letter
    house.adds_up()
