"""Several captures of one hold, from the plug to the bank: the official SDKs and the simulated provider in a process."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from tallywatt.adapters.providers.caller import TryLater
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import PaymentId
from tallywatt.payments.allocation import Target
from tallywatt.payments.operation import OperationState
from tallywatt.payments.payment import REST as ASKED_ALONE
from tallywatt.payments.payment import PaymentState
from tallywatt.simulators.psp import books
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.secure_hold import SecureHold, secure_hold
from tallywatt.workflows.switch_captures import SwitchCaptures, switch_captures
from tallywatt.workflows.take_report import TakeTold, take_told
from tallywatt.workflows.take_settlement import TakeSettlement, compare_payment, take_settlement
from tests.adapters.providers.bench import MERCHANT
from tests.adapters.providers.street import Street
from tests.workflows.house_of import kwh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.metering.session import Session
    from tallywatt.payments.settlement import ToldLine

CAPTURE = {"stripe": "/capture", "adyen": "/captures"}
PART, REST = 90, 60
both = pytest.mark.parametrize("street", sorted(CAPTURE), indirect=True)
stripe_alone = pytest.mark.parametrize("street", ["stripe"], indirect=True)
adyen_alone = pytest.mark.parametrize("street", ["adyen"], indirect=True)


@pytest.fixture
def street(request: pytest.FixtureRequest, tmp_path: Path, sqlite_house_url: str) -> Iterator[Street]:
    made = Street(request.param, tmp_path, sqlite_house_url)
    made.furnish()
    if request.param == "adyen":
        made.house.do(switch_captures, SwitchCaptures(made.account.account_id, several=True))
        httpx.post(f"{made.psp.url}/_several_captures", json={"on": True}).raise_for_status()
    yield made
    made.close()


def held_session(street: Street, card: str = "pm_card_visa") -> Session:
    """5 kWh in two counts at 0.30: 3 kWh are beyond doubt, and a person decides about the rest."""
    wire, transaction = street.plugged_in(card)
    house = street.house
    wire.sample(transaction, (house.later(20), kwh(3)), (house.later(20), kwh(1)))
    house.later(20)
    httpx.post(f"{street.psp.url}/_later", json={"seconds": 3600}).raise_for_status()
    wire.stop(transaction, kwh(2))
    wire.report("Available")
    return house.session(transaction)


def secured(street: Street, session: Session, minor: int = PART) -> None:
    """What is beyond doubt is taken, once the provider has said whether the rest can stay held."""
    street.caller.look_at_hold(street._write, session.session_id)
    street.house.do(secure_hold, SecureHold(session.session_id), actor="worker")
    street.work()
    street.hear_until(lambda: street.payment().captured_minor == minor)


def decided(street: Street, decision: Decision) -> None:
    """A person decides, and the worker does what follows."""
    [item] = street.house.inbox("meter_reset")
    street.house.do(resolve_item, ResolveItem(item.item_id, decision), actor="person:1")
    street.work()


def ended(street: Street) -> None:
    """The worker and the webhooks do what is left, until the hold has ended on both sides."""

    def is_so() -> bool:
        street.work()
        return street.payment().state in ("captured", "refunded")

    street.hear_until(is_so)
    assert books.read(street.psp.state).held_minor == {}


def for_what(street: Street) -> dict[Target, int]:
    """What the money is for."""
    sums: dict[Target, int] = {}
    for row in street.house.rows.allocations.by():
        sums[row.target] = sums.get(row.target, 0) + row.amount_minor
    return {target: minor for target, minor in sums.items() if minor}


@both
def test_a_part_and_the_rest_are_taken_from_one_hold(street: Street) -> None:
    """Two captures, each under a key of its own; by the provider's books as by ours nothing is held afterwards."""
    session = held_session(street)
    secured(street, session)
    there = books.read(street.psp.state)
    assert (there.captured_minor, there.held_minor) == ({"GBP": PART}, {"GBP": 4500 - PART})
    assert (street.payment().state, street.payment().open_hold_minor) == ("authorised", 4500 - PART)

    decided(street, Decision.RELEASE)
    street.hear_until(lambda: street.payment().captured_minor == PART + REST)
    ended(street)
    assert books.read(street.psp.state).captured_minor == {"GBP": PART + REST}
    captures = street.asked("capture")
    assert {one.amount_minor: one.state for one in captures} == {PART: "succeeded", REST: "succeeded"}
    assert len({one.idempotency_key for one in captures}) == len({one.request_hash for one in captures}) == 2
    # Where no capture lets go of the rest, it is let go by itself.
    assert len(street.asked("void")) == (street.provider == "adyen")
    assert for_what(street) == {Target.INVOICE: PART + REST}
    assert street.house.inbox() == []
    street.house.adds_up()


@both
def test_a_lost_answer_to_the_second_capture_takes_it_once(street: Street) -> None:
    """What was taken before is no answer to it; it is found out, and nothing is taken twice."""
    session = held_session(street)
    secured(street, session)
    street.psp.fault("lost_answer", path=CAPTURE[street.provider], times=1)
    decided(street, Decision.RELEASE)
    street.work()
    street.hear_until(lambda: street.payment().captured_minor == PART + REST)
    ended(street)
    assert books.read(street.psp.state).captured_minor == {"GBP": PART + REST}
    assert len(street.asked("capture")) == 2
    street.house.adds_up()


@both
def test_what_is_written_off_goes_back_and_the_rest_is_let_go(street: Street) -> None:
    """A refund while the hold is still open, then the release of what is left of it."""
    session = held_session(street)
    secured(street, session)
    decided(street, Decision.WRITE_OFF)
    street.hear_until(lambda: street.payment().refunded_minor == PART)
    ended(street)
    there = books.read(street.psp.state)
    assert (there.refunded_minor, street.payment().state) == ({"GBP": PART}, "refunded")
    assert for_what(street) == {Target.REFUND_DUE: PART}
    street.house.adds_up()


@stripe_alone
def test_a_hold_that_lapses_keeps_what_was_taken(street: Street) -> None:
    """The provider tells that the payment has succeeded with the part; what is decided later is owed."""
    session = held_session(street)
    secured(street, session)
    httpx.post(f"{street.psp.url}/_expire_holds").raise_for_status()
    street.hear_until(lambda: street.payment().state == "captured")
    decided(street, Decision.RELEASE)
    payment = street.payment()
    assert (payment.captured_minor, payment.due_minor, payment.reason) == (PART, PART + REST, "beyond_hold")
    street.house.adds_up()


@stripe_alone
def test_a_second_capture_of_a_hold_that_has_lapsed_fails_and_leaves_the_first(street: Street) -> None:
    """Nobody has heard that it lapsed: the refusal tells it."""
    session = held_session(street)
    secured(street, session)
    street.psp.fault("lost_webhook", path="payment_intent.succeeded", times=1)
    httpx.post(f"{street.psp.url}/_expire_holds").raise_for_status()
    decided(street, Decision.RELEASE)
    payment = street.payment()
    assert (payment.state, payment.captured_minor, payment.reason) == ("captured", PART, "beyond_hold")
    states = {one.amount_minor: one.state for one in street.asked("capture")}
    assert states == {PART: OperationState.SUCCEEDED, REST: OperationState.FAILED}
    street.house.adds_up()


@stripe_alone
def test_a_card_that_is_captured_once_is_captured_once(street: Street) -> None:
    """Its charge says so: what is beyond doubt is taken, and the rest of the hold goes with it, as ever."""
    session = held_session(street, "pm_card_credit_disableEnterpriseCardFeatures")
    secured(street, session)
    assert not street.payment().several_captures
    assert (street.payment().state, books.read(street.psp.state).held_minor) == ("captured", {})
    decided(street, Decision.RELEASE)
    assert (street.payment().captured_minor, street.payment().reason) == (PART, "beyond_hold")
    street.house.adds_up()


@adyen_alone
def test_a_second_capture_that_never_arrives_leaves_the_first(street: Street) -> None:
    """Days later the scheme takes it back: that sum is owed again, and a late word about the first changes nothing."""
    session = held_session(street)
    street.psp.fault("duplicate_webhook", path="CAPTURE", times=2)
    secured(street, session)
    decided(street, Decision.RELEASE)
    street.hear_until(lambda: street.payment().captured_minor == PART + REST)
    ended(street)
    [intent] = [one.payment_intent for one in books.read(street.psp.state).movements]
    httpx.post(f"{street.psp.url}/_lose_capture", json={"payment_intent": intent}).raise_for_status()
    street.hear_until(lambda: street.payment().lost_minor == REST)
    payment = street.payment()
    assert (payment.captured_minor, payment.state) == (PART, "captured")
    assert {one.amount_minor: one.code for one in street.asked("capture")} == {PART: None, REST: "capture_lost"}
    assert for_what(street) == {Target.INVOICE: PART}
    assert [one.kind for one in street.house.inbox()] == ["capture_lost"]
    street.house.adds_up()


@adyen_alone
def test_a_capture_of_which_nothing_but_its_loss_is_told_is_made_good_once(street: Street) -> None:
    """The word that it went well is lost, the one that it never arrived is not: the next one takes all that is due."""
    session = held_session(street)
    street.psp.fault("lost_webhook", path="CAPTURE", times=1)
    street.caller.look_at_hold(street._write, session.session_id)
    street.house.do(secure_hold, SecureHold(session.session_id), actor="worker")
    street.work()
    [intent] = [one.payment_intent for one in books.read(street.psp.state).movements]
    httpx.post(f"{street.psp.url}/_lose_capture", json={"payment_intent": intent}).raise_for_status()
    street.hear_until(lambda: street.asked("capture")[0].code == "capture_lost")
    decided(street, Decision.RELEASE)
    street.hear_until(lambda: street.payment().captured_minor > 0)
    payment = street.payment()
    assert (payment.captured_minor, payment.suspense_minor) == (PART + REST, 0)
    assert books.read(street.psp.state).captured_minor == {"GBP": PART + REST}
    street.house.adds_up()


@adyen_alone
@pytest.mark.parametrize("is_heard", [True, False])
def test_a_file_that_tells_of_a_capture_taken_back_does_not_end_its_hold(street: Street, is_heard: bool) -> None:
    """Of a part: what is due is taken from what is held still, and the rest is let go. The file comes twice."""
    session = held_session(street)
    street.psp.fault("lost_webhook", path="CAPTURE" if is_heard else "CAPTURE_FAILED", times=1)
    street.caller.look_at_hold(street._write, session.session_id)
    street.house.do(secure_hold, SecureHold(session.session_id), actor="worker")
    street.work()
    [intent] = [one.payment_intent for one in books.read(street.psp.state).movements]
    httpx.post(f"{street.psp.url}/_lose_capture", json={"payment_intent": intent}).raise_for_status()
    if is_heard:
        street.hear_until(lambda: street.asked("capture")[0].code == "capture_lost")
    for _ in range(2):
        told_by_the_file(street)
        assert "capture_lost" in {one.code for one in street.asked("capture")}
        assert street.payment().state == "authorised"
    decided(street, Decision.RELEASE)
    ended(street)
    assert (street.payment().captured_minor, street.payment().suspense_minor) == (PART + REST, 0)
    assert books.read(street.psp.state).captured_minor == {"GBP": PART + REST}
    street.house.adds_up()


@adyen_alone
def test_a_file_that_tells_that_the_rest_was_let_go_before_a_capture_was_taken_back_ends_its_hold(
    street: Street,
) -> None:
    """The word that the rest was let go is lost, and days later the capture is taken back: nothing is held any more."""
    session = held_session(street)
    secured(street, session)
    street.psp.fault("lost_webhook", path="CANCELLATION", times=1)
    decided(street, Decision.RELEASE)
    street.hear_until(lambda: street.payment().captured_minor == PART + REST)
    street.work()
    [intent] = [one.payment_intent for one in books.read(street.psp.state).movements]
    for _ in range(2):
        httpx.post(f"{street.psp.url}/_lose_capture", json={"payment_intent": intent}).raise_for_status()
    street.hear_until(lambda: street.payment().captured_minor == 0)
    assert [one.state for one in street.asked("void")] == ["pending"]
    for _ in range(2):
        told_by_the_file(street)
        assert [one.state for one in street.asked("void")] == ["succeeded"]
        assert (street.payment().captured_minor, street.payment().lost_minor) == (0, PART + REST)
        assert street.payment().state == "voided"
    street.work()
    assert len(street.asked("capture")) == 2
    street.house.adds_up()


def lines(street: Street, batch: int) -> tuple[ToldLine, ...]:
    """What the provider lists once it has paid out, in the way it tells it."""
    httpx.post(f"{street.psp.url}/_pay_out").raise_for_status()
    if street.provider == "stripe":
        told: tuple[ToldLine, ...] = street.cards.list_settlements(Instant(0))
        return told
    file = f"settlement_detail_report_batch_{batch}.csv"
    found = street.cards.fetch_report(f"{street.psp.url}/reports/download/MerchantAccount/{MERCHANT}/{file}")
    read: tuple[ToldLine, ...] = street.cards.read_report(found).lines
    return read


def told_by_the_file(street: Street) -> None:
    """A person gives the file about the payments of this day."""
    day = datetime.now(UTC).strftime("%Y_%m_%d")  # noqa: TID251 - the provider's clock is the real one
    url = f"{street.psp.url}/reports/download/MerchantAccount/{MERCHANT}/payments_accounting_report_{day}.csv"
    for trace in street.cards.read_report(street.cards.fetch_report(url)).told:
        street.house.do(take_told, TakeTold(street.account.account_id, trace), actor="person:1")


@adyen_alone
@pytest.mark.parametrize("told", ["capture", "void"])
def test_the_file_of_a_day_makes_up_for_lost_words_and_the_rest_is_let_go(street: Street, told: str) -> None:
    """It says what was held and taken: where no capture lets go of the rest, that is held still until it is cancelled."""
    session = held_session(street)
    secured(street, session)
    decided(street, Decision.RELEASE)
    if told == "capture":
        told_by_the_file(street)
        assert (street.payment().state, street.payment().captured_minor) == ("authorised", PART + REST)
        assert street.payment().open_hold_minor
        ended(street)
    else:
        street.hear_until(lambda: street.payment().captured_minor == PART + REST)
        street.work()
        told_by_the_file(street)
    assert [one.state for one in street.asked("void")] == ["succeeded"]
    assert (street.payment().state, street.payment().captured_minor) == ("captured", PART + REST)
    assert books.read(street.psp.state).held_minor == {}
    street.house.adds_up()


@adyen_alone
def test_of_a_hold_that_is_taken_once_the_file_knows_that_the_rest_is_gone(street: Street) -> None:
    """The same lines mean something else where support has switched nothing on."""
    street.house.do(switch_captures, SwitchCaptures(street.account.account_id, several=False))
    httpx.post(f"{street.psp.url}/_several_captures", json={"on": False}).raise_for_status()
    held_session(street)
    decided(street, Decision.RELEASE)
    told_by_the_file(street)
    assert (street.payment().state, street.payment().captured_minor) == ("captured", PART + REST)
    assert street.asked("void") == []


@both
def test_each_capture_is_settled_by_a_line_of_its_own(street: Street) -> None:
    """A day lies between them: a capture that is not listed yet is no difference, and each line names its capture."""
    session = held_session(street)
    secured(street, session)
    first = TakeSettlement(street.account.account_id, lines(street, 1))
    street.house.do(take_settlement, first)
    decided(street, Decision.RELEASE)
    street.hear_until(lambda: street.payment().captured_minor == PART + REST)
    ended(street)
    street.house.do(take_settlement, first)
    assert street.house.rows.settlement_differences.by() == []
    street.house.adds_up()

    street.house.do(take_settlement, TakeSettlement(street.account.account_id, lines(street, 2)))
    captures = {one.operation_id: one.amount_minor for one in street.asked("capture")}
    told = [one for one in street.house.rows.settlement_lines.by() if one.kind == "charge"]
    assert {one.operation_id: one.source_minor for one in told} == captures
    assert street.house.rows.settlement_differences.by() == []
    street.house.adds_up()


@stripe_alone
def test_a_capture_that_is_never_listed_is_a_difference_in_time(street: Street) -> None:
    """The other one of the same hold is listed: what is missing is missed all the same, once it is due."""
    session = held_session(street)
    secured(street, session)
    httpx.post(f"{street.psp.url}/_settling", json={"lose": 1}).raise_for_status()
    decided(street, Decision.RELEASE)
    ended(street)
    street.house.do(take_settlement, TakeSettlement(street.account.account_id, lines(street, 1)))
    payment = street.payment()
    assert street.house.rows.settlement_differences.by() == []
    week = 7 * 24 * 3_600_000
    unsettled = street.house.rows.queries.unsettled(
        street.account.account_id, Instant(street.house.now - week), Instant(street.house.now + week), 10
    )
    assert unsettled == [payment.payment_id]
    street.house.do(lambda work, of: compare_payment(work, of, is_due=True), payment.payment_id)
    [found] = street.house.rows.settlement_differences.by()
    assert (found.kind, found.expected_minor, found.found_minor) == ("charged", PART + REST, PART)


@adyen_alone
@pytest.mark.parametrize("is_asked_for", [False, True])
def test_a_hold_that_had_grown_unheard_is_let_go_as_soon_as_it_is_told(street: Street, *, is_asked_for: bool) -> None:
    """What was known of it is taken whole; no capture lets go of the rest there, and the word of that comes last."""
    wire, transaction = street.plugged_in()
    street.charged(wire, transaction, 143, hours=8)
    street.psp.fault("reordered_webhook", path="adyen.AUTHORISATION_ADJUSTMENT", times=1)
    street.watch()
    street.work()
    wire.stop(transaction, kwh(151))
    wire.report("Available")
    first = street.payment()
    assert (first.due_minor, street.asked("capture")) == (4530, [])
    street.house.later(31)
    httpx.post(f"{street.psp.url}/_later", json={"seconds": 31 * 60}).raise_for_status()
    with suppress(TryLater):
        street.caller.ask_provider(street._write, street.asked("adjust")[0].operation_id)
    street.work()
    assert [one.amount_minor for one in street.asked("capture")] == [4500]
    if is_asked_for:
        rest = replace(
            first, payment_id=PaymentId("rest"), purpose=ASKED_ALONE, state=PaymentState.OWED, reference="rest"
        )
        rest = replace(rest, page_ref=None, provider_ref=None, driver_secret=None)
        assert street.house.do(lambda work, one: work.payments.add(one), rest)

    def settled() -> bool:
        street.work()
        return [one.state for one in street.asked("void")] == ["succeeded"]

    street.hear_until(settled, seconds=10)

    taken = 4500 if is_asked_for else 4530
    payment = street.house.rows.payments.get(first.payment_id)
    assert (payment.state, payment.captured_minor) == ("captured", taken)
    totals = books.read(street.psp.state)
    assert (totals.captured_minor, totals.holds_open) == ({"GBP": taken}, 0)
