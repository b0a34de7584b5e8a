"""A hold that can be taken in parts stays open behind a held session: what is decided in time is taken from the same hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import money
from tallywatt.payments.allocation import Target
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Failed, Succeeded, Unknown
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.hold_ends import BEFORE_MS
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tallywatt.workflows.put_rule import PutProfile, put_profile
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.secure_hold import GRACE_MS, LAST_LOOK_MS, SecureHold, look_at_hold, secure_hold
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tests.payments.scripted import LOSE_ANSWER, ScriptedProvider
from tests.workflows.test_secure_hold import (
    BEYOND_DOUBT,
    DAY,
    MEASURED,
    a_doubtful_session,
    allocated,
    the_payment,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.kernel.identity import SessionId
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome, View
    from tests.workflows.house_of import HouseOf

REST = MEASURED - BEYOND_DOUBT


@dataclass
class Street:
    """A driver has paid on the page of a provider that captures in parts, and the session is held."""

    house: HouseOf
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    session_id: SessionId = field(init=False)

    def begin(self, hold: str = "45", lives: int = 7 * DAY, *, several_captures: bool = True) -> None:
        evse = self.house.rows.evses.by(number=1)[0]
        asked = PayAdHoc(evse.evse_id, money(hold, "GBP"), "Depot", "http://x/{secret}", "http://x")
        payment = self.house.do(pay_ad_hoc, asked)
        self.work()
        view = self.provider.driver_pays(payment.payment_id, int(float(hold) * 100), several_captures=several_captures)
        self.tell(replace(view, hold_expires_at=Instant(self.house.now + lives)))
        self.house.do(start_paid_session, StartPaidSession(payment.payment_id))
        [tag] = self.house.rows.tokens.by(type="AD_HOC_USER")
        self.session_id = a_doubtful_session(self.house, tag.uid)

    def work(self, outcome: Callable[[Operation], Outcome] | None = None) -> None:
        self.house.collect(outcome or self.provider.send)

    def tell(self, view: View) -> None:
        """A webhook."""
        [payment] = self.house.rows.payments.by()
        fact = ProviderFact(payment.payment_id, Succeeded(view), Source.WEBHOOK, said_at=self.house.now)
        self.house.do(apply_provider_fact, fact)

    def secure(self) -> None:
        self.house.do(secure_hold, SecureHold(self.session_id), actor="worker")

    def look(self) -> int | None:
        return self.house.do(look_at_hold, SecureHold(self.session_id), actor="worker")

    def asked(self) -> list[tuple[str, int, bool]]:
        """What arrived that was asked of the hold: what, how much, and whether the hold ends with it."""
        sent = {one.operation_id: one for one in self.provider.sent if one.kind is not OperationKind.HOSTED_PAGE}
        return [(one.kind.value, one.amount_minor, one.is_final) for one in sent.values()]

    def wish(self, decision: Decision) -> None:
        """A person decides; what follows is not asked of the provider yet."""
        [item] = self.house.inbox("meter_reset")
        self.house.do(resolve_item, ResolveItem(item.item_id, decision), actor="person:1")

    def decide(self, decision: Decision) -> None:
        """A person decides, and the provider does what follows."""
        self.wish(decision)
        self.work()


@pytest.fixture
def street(house: HouseOf) -> Street:
    found = Street(house)
    found.begin()
    return found


@pytest.fixture
def quick(quick_house: HouseOf) -> Street:
    found = Street(quick_house)
    found.begin()
    return found


def test_a_part_is_taken_and_the_rest_stays_held(quick: Street) -> None:
    """The session stays with a person, and so does what is still held for it."""
    for _ in range(2):
        quick.secure()
        quick.work()
    payment = the_payment(quick.house)
    assert (payment.state, payment.captured_minor, payment.open_hold_minor) == (PaymentState.AUTHORISED, 90, 4410)
    assert (payment.keeps_hold, quick.asked()) == (True, [("capture", BEYOND_DOUBT, False)])
    assert allocated(quick.house) == {Target.BALANCE: BEYOND_DOUBT}
    quick.house.adds_up()


def test_what_is_decided_in_time_is_taken_from_the_same_hold(street: Street) -> None:
    """One bill, paid by two captures: nothing is owed, and the rest of the hold is let go with the last one."""
    street.secure()
    street.work()
    street.decide(Decision.RELEASE)
    [invoice] = street.house.rows.invoices.by()
    payment = the_payment(street.house)
    assert street.asked() == [("capture", BEYOND_DOUBT, False), ("capture", REST, True)]
    assert (payment.state, payment.captured_minor, payment.reason) == (PaymentState.CAPTURED, MEASURED, None)
    assert (payment.invoice_id, invoice.gross_minor) == (invoice.invoice_id, MEASURED)
    assert allocated(street.house) == {Target.INVOICE: MEASURED}
    assert street.provider.captured == {payment.payment_id: MEASURED}
    street.house.adds_up()


def test_a_proposal_that_is_accepted_lets_the_rest_go(quick: Street) -> None:
    """Nothing more is due: what is still held goes back to the driver at once."""
    quick.secure()
    quick.work()
    quick.decide(Decision.ACCEPT)
    payment = the_payment(quick.house)
    assert quick.asked() == [("capture", 90, False), ("void", 4410, True)]
    assert (payment.state, payment.captured_minor, payment.due_minor, payment.reason) == ("captured", 90, 90, None)
    assert allocated(quick.house) == {Target.INVOICE: BEYOND_DOUBT}
    quick.house.adds_up()


def test_written_off_gives_the_part_back_and_lets_the_rest_go(street: Street) -> None:
    """Both, one after the other: the driver has paid nothing, and nothing is held."""
    street.secure()
    street.work()
    street.decide(Decision.WRITE_OFF)
    payment = the_payment(street.house)
    assert [one[0] for one in street.asked()] == ["capture", "refund", "void"]
    assert (payment.state, payment.refunded_minor, payment.open_hold_minor) == (PaymentState.REFUNDED, 90, 0)
    assert allocated(street.house) == {Target.REFUND_DUE: BEYOND_DOUBT}
    street.house.adds_up()


def test_a_refund_that_fails_keeps_nobody_from_letting_the_rest_go(quick: Street) -> None:
    """What a person has to see to is the refund; the driver's money is not held for it."""
    quick.secure()
    quick.work()

    def no_refunds(operation: Operation) -> Outcome:
        no = Failed("refused", "not now")
        return no if operation.kind is OperationKind.REFUND else quick.provider.send(operation)

    quick.wish(Decision.WRITE_OFF)
    quick.work(no_refunds)
    payment = the_payment(quick.house)
    assert (payment.state, payment.captured_minor, payment.refunded_minor) == (PaymentState.CAPTURED, 90, 0)
    assert "operation_failed" in [one.kind for one in quick.house.inbox()]


def test_a_decision_while_the_part_is_on_its_way_takes_the_rest_after_it(quick: Street) -> None:
    """One thing at a time: the second capture is asked for when it is known what became of the first."""
    quick.secure()
    quick.decide(Decision.RELEASE)
    payment = the_payment(quick.house)
    assert quick.asked() == [("capture", BEYOND_DOUBT, False), ("capture", REST, True)]
    assert (payment.state, payment.captured_minor) == (PaymentState.CAPTURED, MEASURED)
    assert allocated(quick.house) == {Target.INVOICE: MEASURED}
    quick.house.adds_up()


def test_a_lost_answer_to_the_rest_takes_it_once(quick: Street) -> None:
    """What was taken before is no answer: it is asked for under the same key, and counted once."""
    quick.secure()
    quick.work()
    quick.provider.script.append(LOSE_ANSWER)
    unclear: list[Outcome] = []

    def lossy(operation: Operation) -> Outcome:
        if not unclear:
            unclear.append(quick.provider.send(operation))
            assert isinstance(unclear[0], Unknown)
            # A webhook about the first part comes late, and says nothing about the second one.
            first = replace(quick.provider.views[operation.payment_id], captured_minor=BEYOND_DOUBT)
            quick.tell(replace(first, status="authorised", authorised_minor=4500))  # type: ignore[arg-type]  # its text
            [open_] = [one for one in quick.house.rows.operations.by() if one.is_unresolved]
            assert open_.state is OperationState.INTENDED
        return quick.provider.send(operation)

    quick.wish(Decision.RELEASE)
    quick.work(lossy)
    payment = the_payment(quick.house)
    assert (payment.captured_minor, quick.provider.captured[payment.payment_id]) == (MEASURED, MEASURED)
    assert quick.provider.times_sent(OperationKind.CAPTURE) == 3
    quick.house.adds_up()


def test_a_rest_that_cannot_be_taken_leaves_what_was_taken(quick: Street) -> None:
    """The hold has lapsed meanwhile: the first part stays, the rest is owed, and a person hears of it."""
    quick.secure()
    quick.work()
    quick.provider.hold_expires(the_payment(quick.house).payment_id)
    quick.decide(Decision.RELEASE)
    payment = the_payment(quick.house)
    assert (payment.state, payment.captured_minor, payment.reason) == (PaymentState.CAPTURED, 90, "beyond_hold")
    assert allocated(quick.house) == {Target.INVOICE: BEYOND_DOUBT}
    assert [one.kind for one in quick.house.inbox()] == ["operation_failed"]
    quick.house.adds_up()


def test_a_hold_that_lapsed_before_the_decision_is_as_if_it_had_been_taken_once(quick: Street) -> None:
    """Its provider tells that nothing more can be taken; what is decided then is owed beyond what was taken."""
    quick.secure()
    quick.work()
    quick.tell(quick.provider.hold_expires(the_payment(quick.house).payment_id))
    assert the_payment(quick.house).state is PaymentState.CAPTURED
    quick.decide(Decision.RELEASE)
    payment = the_payment(quick.house)
    assert (payment.captured_minor, payment.due_minor, payment.reason) == (90, MEASURED, "beyond_hold")
    assert quick.asked() == [("capture", BEYOND_DOUBT, False)]
    quick.house.adds_up()


def test_what_is_beyond_doubt_later_is_taken_as_another_part(quick: Street) -> None:
    """The model's profile came later: more can be believed now, and the session is still with a person."""
    halves = {"counts": "boot", "values_over": 2, "ends_over": 2}
    quick.house.do(boot_station, quick.house.wire().booted())
    quick.house.do(put_profile, PutProfile("maker", vendor="maker", habits=halves))
    quick.secure()
    quick.work()
    before = the_payment(quick.house).captured_minor
    quick.house.do(put_profile, PutProfile("maker", vendor="maker", habits={"counts": "boot"}))
    quick.secure()
    quick.work()
    payment = the_payment(quick.house)
    assert (before, payment.captured_minor, payment.keeps_hold) == (75, MEASURED, True)
    assert quick.asked() == [("capture", 75, False), ("capture", 75, False)]
    quick.house.adds_up()


def test_the_hold_is_looked_at_until_it_has_ended(quick: Street) -> None:
    """Secured a day before, looked at again two hours before, and let go after its end though nobody has decided."""
    house = quick.house
    ends_at = the_payment(house).hold_expires_at
    assert ends_at is not None
    early = quick.look()
    assert early is not None
    assert the_payment(house).due_minor is None
    house.now = Instant(ends_at - BEFORE_MS)
    waits = quick.look()
    quick.work()
    assert waits is not None
    assert abs(waits - (BEFORE_MS - LAST_LOOK_MS) // 1000) <= 2
    assert the_payment(house).is_in_parts

    house.now = Instant(ends_at - 60_000)
    assert quick.look() is not None
    assert quick.asked() == [("capture", BEYOND_DOUBT, False)]

    house.now = Instant(ends_at + GRACE_MS)
    assert quick.look() is not None
    quick.work()
    payment = the_payment(house)
    assert (payment.state, payment.captured_minor, payment.keeps_hold) == (PaymentState.CAPTURED, 90, False)
    assert quick.asked()[-1] == ("void", 4410, True)
    assert quick.look() is None
    assert [one.kind for one in house.inbox()] == ["meter_reset"]
    house.adds_up()


def test_a_hold_of_which_nobody_tells_that_it_lapsed_ends_here_all_the_same(quick: Street) -> None:
    """The provider neither lets the rest go nor says anything: after its time nothing is held by what is known here."""
    quick.secure()
    quick.work()
    quick.house.now = Instant((the_payment(quick.house).hold_expires_at or 0) + GRACE_MS)
    quick.look()
    quick.work(lambda operation: Failed("refused", f"{operation.kind} is not possible"))
    payment = the_payment(quick.house)
    assert (payment.state, payment.captured_minor, payment.open_hold_minor) == (PaymentState.CAPTURED, 90, 0)
    assert quick.look() is None


def test_the_same_told_five_times_counts_once(quick: Street) -> None:
    """Webhooks about the first part and the last one, in the wrong order and again and again."""
    quick.secure()
    quick.work()
    part = quick.provider.views[the_payment(quick.house).payment_id]
    quick.decide(Decision.RELEASE)
    whole = quick.provider.views[the_payment(quick.house).payment_id]
    for view in (whole, part, whole, part, part):
        quick.tell(view)
    payment = the_payment(quick.house)
    assert (payment.state, payment.captured_minor, payment.suspense_minor) == (PaymentState.CAPTURED, MEASURED, 0)
    assert allocated(quick.house) == {Target.INVOICE: MEASURED}
    quick.house.adds_up()


def test_a_process_that_dies_between_the_parts_goes_on(quick: Street) -> None:
    """What was written down is asked for by whoever starts next; nothing is taken twice."""
    quick.secure()
    quick.house.kill()
    quick.work()
    quick.house.kill()
    quick.decide(Decision.RELEASE)
    payment = the_payment(quick.house)
    assert (payment.captured_minor, quick.provider.captured[payment.payment_id]) == (MEASURED, MEASURED)
    quick.house.adds_up()
