"""What a provider lists comes twice, late, out of order and corrected; the books and the list of differences stay right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.money import money
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import Succeeded, View, ViewStatus
from tallywatt.payments.settlement import Action, DifferenceKind, LineKind, ToldLine
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.read_settlements import (
    EndReading,
    OrderReading,
    WakeSettlements,
    end_reading,
    order_reading,
    plan_reading,
    wake_settlements,
)
from tallywatt.workflows.resolve_difference import ResolveDifference, resolve_difference
from tallywatt.workflows.take_settlement import SettlementTaken, TakeSettlement, take_settlement
from tests.workflows.house_of import MINUTE, HouseOf, kwh

if TYPE_CHECKING:
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.settlement import SettlementDifference

DAY = 24 * 60 * MINUTE


def paid(house: HouseOf, energy: float = 10, meter: float = 0) -> Payment:
    """A session that was paid by card: 3.00 GBP for ten kilowatt-hours."""
    if not house.rows.payment_methods.by():
        house.keep_a_card()
    house.wire().charge(kwh(energy), meter=kwh(meter))
    house.collect()
    return house.rows.payments.by()[-1]


def listed(house: HouseOf, payment: Payment, **more: Any) -> ToldLine:
    """The line of a charge: what was captured, less a fee of 25."""
    minor = payment.captured_minor
    line = ToldLine(
        f"txn_{payment.payment_id}",
        LineKind.CHARGE,
        minor,
        25,
        "GBP",
        house.now,
        minor,
        "GBP",
        "ch_1",
        payment.payment_id,
    )
    return replace(line, **more)


def take(house: HouseOf, *lines: ToldLine) -> SettlementTaken:
    """Lines are taken in, as the worker does."""
    account = house.rows.provider_accounts.by()[0]
    return house.do(take_settlement, TakeSettlement(account.account_id, lines))


def end(house: HouseOf, days: float = 0) -> None:
    """A reading ends, so many days later; it went back to before the house."""
    house.later(days * 24 * 60)
    account = house.rows.provider_accounts.by()[0]
    house.do(end_reading, EndReading(account.account_id, Instant(house.now - 60 * DAY), house.now))


def stands(house: HouseOf, code: str = "GBP") -> dict[str, int]:
    """Where the account's money stands, without what is nothing."""
    [account] = Views.settled_accounts(house.reader, house.operator)
    return {name: minor for name, minor in account["stands"].get(code, {}).items() if minor}


def open_differences(house: HouseOf) -> list[SettlementDifference]:
    """What somebody has to look at."""
    return house.rows.settlement_differences.by(state="open")


def resolve(house: HouseOf, action: Action, **more: Any) -> SettlementDifference:
    """A person decides about the one difference that there is."""
    [one] = open_differences(house)
    return house.do(resolve_difference, ResolveDifference(one.difference_id, action, **more), actor="person:p1")


def payout(house: HouseOf, minor: int, ref: str = "po_1") -> ToldLine:
    """A payout to the bank."""
    return ToldLine(f"txn_{ref}", LineKind.PAYOUT, -minor, 0, "GBP", house.now, -minor, "GBP", ref, payout_ref=ref)


def test_a_settlement_books_fees_and_the_way_to_the_bank(house: HouseOf) -> None:
    """Clearing is what the provider still has, fees what it kept, transit what is on its way to the bank."""
    payment = paid(house)

    assert take(house, listed(house, payment)) == SettlementTaken(new=1)
    assert stands(house) == {"clearing": 275, "fees": 25}

    take(house, listed(house, payment, payout_ref="po_1"), payout(house, 275))
    end(house)

    assert stands(house) == {"transit": 275, "fees": 25}
    assert open_differences(house) == []
    house.adds_up()
    assert Views.ledger_balanced(house.reader, house.operator)


def test_the_same_lines_again_change_nothing(house: HouseOf) -> None:
    """Each reading overlaps the one before."""
    payment = paid(house)
    lines = (listed(house, payment, payout_ref="po_1"), payout(house, 275))
    take(house, *lines)
    before = house.rows.entries.by()

    assert take(house, *lines) == SettlementTaken(known=2)
    assert take(house, replace(lines[0], payout_ref=None)) == SettlementTaken(known=1)

    assert house.rows.entries.by() == before
    assert stands(house) == {"transit": 275, "fees": 25}


def test_a_corrected_line_is_booked_anew_less_the_old(house: HouseOf) -> None:
    """Nothing is edited: a fee that was raised afterwards is another entry."""
    payment = paid(house)
    take(house, listed(house, payment))

    assert take(house, listed(house, payment, fee_minor=40)) == SettlementTaken(corrected=1)
    assert take(house, listed(house, payment, fee_minor=40)) == SettlementTaken(known=1)

    assert stands(house) == {"clearing": 260, "fees": 40}
    assert len([one for one in house.rows.entries.by() if one.kind == "settled"]) == 2
    house.adds_up()


def test_a_line_without_any_payment_stands_in_suspense_and_a_person_decides(house: HouseOf) -> None:
    """Money that nobody knows is neither thrown away nor called revenue."""
    paid(house)
    stranger = ToldLine("txn_x", LineKind.CHARGE, 700, 30, "GBP", house.now, 700, "GBP", payment_id="nobody")
    take(house, stranger)

    [one] = open_differences(house)
    assert (one.kind, one.found_minor, one.suggestion) == (DifferenceKind.EXTRA, 700, Action.BOOK)
    assert stands(house) == {"clearing": 970, "fees": 30, "suspense": -700}
    house.adds_up()

    closed = resolve(house, Action.BOOK, note="paid by hand")

    assert (closed.resolution, closed.resolved_by) == ("book: paid by hand", "person:p1")
    assert stands(house) == {"clearing": 970, "fees": 30, "differences": -700}
    assert [one.action for one in house.rows.actions.by(action="settlement.resolve")] == ["settlement.resolve"]
    assert take(house, stranger) == SettlementTaken(known=1)
    assert open_differences(house) == []
    house.adds_up()
    assert Views.ledger_balanced(house.reader, house.operator)


def test_a_line_without_reference_is_suggested_for_the_one_payment_of_its_sum(house: HouseOf) -> None:
    """A terminal's charge may carry nothing of ours; one click puts it where it belongs."""
    payment = paid(house)
    paid(house, energy=7, meter=50)
    bare = listed(house, payment, payment_id=None)
    take(house, bare)

    [one] = open_differences(house)
    assert (one.suggestion, one.payment_id) == (Action.MATCH, payment.payment_id)

    resolve(house, Action.MATCH)

    assert open_differences(house) == []
    assert stands(house) == {"clearing": 485, "fees": 25}
    assert take(house, bare) == SettlementTaken(known=1)
    house.adds_up()


def test_a_line_that_came_before_its_payment_is_matched_when_both_are_there(house: HouseOf) -> None:
    """Out of order: the list knew the charge before its webhook came."""
    payment = paid(house)
    early = listed(house, payment, payment_id=None, provider_ref="pi_later", source_minor=299, amount_minor=299)
    take(house, early)
    assert stands(house)["suspense"] == -299

    take(house, listed(house, payment))

    assert open_differences(house) == []
    assert stands(house) == {"clearing": 275, "fees": 25}
    house.adds_up()


def test_another_sum_than_was_captured_is_listed_and_can_be_booked(house: HouseOf) -> None:
    """Case 46: the payout file says something else than our own books."""
    payment = paid(house)
    take(house, listed(house, payment, source_minor=290, amount_minor=290))

    [one] = open_differences(house)
    assert (one.kind, one.expected_minor, one.found_minor) == (DifferenceKind.CHARGED, 300, 290)
    assert one.suggestion is Action.ASK
    house.adds_up()

    resolve(house, Action.BOOK)

    assert stands(house) == {"clearing": 265, "fees": 25, "differences": 10}
    house.adds_up()
    assert Views.ledger_balanced(house.reader, house.operator)


def test_a_booked_difference_that_goes_away_is_listed_again(house: HouseOf) -> None:
    """The provider corrects its list after a person has booked the difference: the booking has to go, too."""
    payment = paid(house)
    take(house, listed(house, payment, source_minor=290, amount_minor=290))
    resolve(house, Action.BOOK)

    take(house, listed(house, payment))

    [one] = open_differences(house)
    assert one.open_minor == 10
    resolve(house, Action.BOOK)
    assert stands(house) == {"clearing": 275, "fees": 25}
    house.adds_up()


def test_a_capture_that_is_never_listed_is_missing_once_its_time_is_over(house: HouseOf) -> None:
    """Case 46, missing: the money that we believe to have was never taken."""
    payment = paid(house)
    end(house, days=1)
    assert open_differences(house) == []

    end(house, days=3)
    end(house, days=1)

    [one] = open_differences(house)
    assert (one.kind, one.expected_minor, one.found_minor) == (DifferenceKind.MISSING, 300, 0)
    house.adds_up()

    take(house, listed(house, payment))

    assert open_differences(house) == [], "it came after all"


def test_what_was_dismissed_stays_dismissed_until_it_changes(house: HouseOf) -> None:
    """A person has looked; the next reading brings no news."""
    paid(house)
    end(house, days=4)
    resolve(house, Action.DISMISS, note="a test of the terminal")

    end(house, days=1)

    assert open_differences(house) == []


def test_refunds_are_compared_as_well(house: HouseOf) -> None:
    """A refund on the provider's dashboard that we have not heard of is a difference until its webhook comes."""
    payment = paid(house)
    back = ToldLine("txn_r", LineKind.REFUND, -100, 0, "GBP", house.now, -100, "GBP", "re_1", payment.payment_id)
    take(house, listed(house, payment), back)
    [one] = open_differences(house)
    assert (one.kind, one.expected_minor, one.found_minor) == (DifferenceKind.REFUNDED, 0, 100)

    house.do(give_back, GiveBack(payment.payment_id, money("1.00", "GBP"), "goodwill", "k1"))
    house.collect()
    take(house, back)

    # The same line, and what we know has changed: reading it again finds that both agree.
    assert open_differences(house) == []
    assert stands(house) == {"clearing": 175, "fees": 25}
    house.adds_up()


def refund(house: HouseOf, payment: Payment, count: int) -> ToldLine:
    """The so many-th pound that goes back of a payment, and the line that tells of it."""
    house.do(give_back, GiveBack(payment.payment_id, money("1.00", "GBP"), "goodwill", f"k{count}"))
    house.collect(lambda _: Succeeded(returned(payment, 100 * count)))
    return ToldLine(f"txn_r{count}", LineKind.REFUND, -100, 0, "GBP", house.now, -100, "GBP", None, payment.payment_id)


def returned(payment: Payment, minor: int) -> View:
    """The payment as its provider shows it after so much went back."""
    return View(
        ViewStatus.CAPTURED,
        "GBP",
        provider_ref=payment.provider_ref,
        authorised_minor=payment.captured_minor,
        captured_minor=payment.captured_minor,
        refunded_minor=minor,
    )


@pytest.mark.parametrize("told_between", [True, False])
def test_two_refunds_are_settled_each_in_its_own_time(house: HouseOf, *, told_between: bool) -> None:
    """Until the second file neither the audit nor anybody else has anything to look at."""
    payment = paid(house)
    take(house, listed(house, payment))
    first = refund(house, payment, 1)
    if told_between:
        take(house, first)
    second = refund(house, payment, 2)
    for line in (first, second):
        take(house, line)
        assert open_differences(house) == []
        house.adds_up()

    assert stands(house) == {"clearing": 75, "fees": 25}


def test_a_refund_that_is_never_listed_is_missing_though_another_is(house: HouseOf) -> None:
    """Once the provider has had its time; the line that comes after all ends it."""
    payment = paid(house)
    lines = [listed(house, payment), *(refund(house, payment, count) for count in (1, 2))]
    take(house, *lines[:2])
    end(house, days=30)
    [one] = open_differences(house)
    assert (one.kind, one.expected_minor, one.found_minor) == (DifferenceKind.REFUNDED, 200, 100)

    take(house, lines[2])
    assert open_differences(house) == []
    house.adds_up()


def test_a_word_that_comes_after_its_line_ends_the_difference(house: HouseOf) -> None:
    """Notifications are late or come by a file: nobody has to read the settlement again for that."""
    payment = paid(house)
    back = ToldLine("txn_r", LineKind.REFUND, -100, 0, "GBP", house.now, -100, "GBP", "re_1", payment.payment_id)
    take(house, listed(house, payment), back)
    assert open_differences(house)
    view = View(
        ViewStatus.CAPTURED,
        "GBP",
        provider_ref=payment.provider_ref,
        authorised_minor=payment.captured_minor,
        captured_minor=payment.captured_minor,
        refunded_minor=100,
    )
    house.do(apply_provider_fact, ProviderFact(payment.payment_id, Succeeded(view), Source.WEBHOOK))

    assert open_differences(house) == []
    [one] = house.rows.settlement_differences.by()
    assert one.resolution == "agrees"


def test_an_exchange_stands_in_both_currencies(house: HouseOf) -> None:
    """Case 46, currency conversion: pounds were paid, euros are settled."""
    payment = paid(house)
    take(house, listed(house, payment, amount_minor=350, fee_minor=29, currency="EUR", exchange_rate="1.1667"))

    assert stands(house) == {}
    assert stands(house, "EUR") == {"clearing": 321, "fees": 29}
    assert open_differences(house) == []
    house.adds_up()
    assert Views.ledger_balanced(house.reader, house.operator)


def test_case_46_a_payout_that_is_not_what_its_lines_come_to_is_listed(house: HouseOf) -> None:
    """The bank will show the payout: what is missing from it has to be found."""
    payment = paid(house)
    take(house, listed(house, payment, payout_ref="po_1"), payout(house, 270))
    end(house)

    [one] = open_differences(house)
    assert (one.kind, one.expected_minor, one.found_minor) == (DifferenceKind.PAYOUT, 270, 275)

    take(house, replace(listed(house, payment, payout_ref="po_1"), fee_minor=30))
    end(house)

    assert open_differences(house) == [], "the corrected fee explains it"
    house.adds_up()


def test_a_line_in_another_currency_than_its_payment_is_not_that_payments(house: HouseOf) -> None:
    """A reference that was used twice must not mix two currencies on one receivable."""
    payment = paid(house)
    take(house, listed(house, payment, currency="EUR", source_currency="EUR"))

    assert [one.kind for one in open_differences(house)] == [DifferenceKind.EXTRA]
    with pytest.raises(Conflict, match="the line is in EUR"):
        resolve(house, Action.MATCH, payment_id=payment.payment_id)
    house.adds_up()


def test_what_makes_no_sense_is_refused_with_a_remedy(house: HouseOf) -> None:
    """A stable code, and what would make sense."""
    take(house, ToldLine("txn_x", LineKind.OTHER, 5, 0, "GBP", house.now, 5, "GBP"))

    with pytest.raises(Conflict) as wrong:
        resolve(house, Action.ASK)
    assert (wrong.value.code, wrong.value.remedy) == ("settlement.wrong_action", "choose: match, book, dismiss")
    with pytest.raises(BadInput, match="which payment"):
        resolve(house, Action.MATCH)
    with pytest.raises(BadInput, match="at most"):
        resolve(house, Action.DISMISS, note="x" * 501)


def test_accounts_are_read_every_few_hours_once_they_have_taken_money(house: HouseOf) -> None:
    """A provider is asked when there is something to ask about, and by hand at any time."""
    assert house.do(wake_settlements, WakeSettlements()) == 0
    paid(house)
    assert house.do(wake_settlements, WakeSettlements()) == 0
    house.later(7 * 60)
    assert house.do(wake_settlements, WakeSettlements()) == 1

    end(house)
    assert house.do(wake_settlements, WakeSettlements()) == 0
    account = house.rows.provider_accounts.by()[0]
    assert house.do(plan_reading, account.account_id).since == house.now - 7 * DAY
    house.do(order_reading, OrderReading(account.account_id), actor="person:p1")
    assert [one.subject_id for one in house.rows.stored_jobs.by(kind="read_settlements")] == [account.account_id]
