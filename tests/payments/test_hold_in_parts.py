"""A hold that is taken in parts: each capture is an operation of its own, and the sums are true in any order of telling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import OperationId
from tallywatt.payments.capabilities import CAPABILITIES, Captures
from tallywatt.payments.codes import CAPTURE_LOST
from tallywatt.payments.consequence import Captured, Contradicted, GivenBack, Surplus
from tallywatt.payments.fact import shown, shown_by, with_captures
from tallywatt.payments.operation import Operation, OperationKind, OperationState
from tallywatt.payments.payment import Payment, PaymentState
from tallywatt.payments.provider import CaptureView, View, ViewStatus
from tests.payments.test_payment import a_payment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.payments.consequence import Consequence

HELD = 4000
PARTS = st.lists(st.integers(1, 900), min_size=1, max_size=4)
OUT_OF_ORDER = st.lists(st.integers(0, 12), min_size=0, max_size=12)


def a_hold(**more: object) -> Payment:
    """A hold of 40.00 that can be taken in parts."""
    standing = {"state": PaymentState.AUTHORISED, "authorised_minor": HELD, "several_captures": True}
    return a_payment(**{**standing, "provider_ref": "pi_1", **more})  # type: ignore[arg-type]  # fields by name


def asked_for(payment: Payment, kind: OperationKind, minor: int, name: str, asked: Mapping[str, int]) -> Operation:
    """What is on its way."""
    return payment.operation(OperationId(name), kind, minor, asked, Instant(1000))


def stands(captured: int, *, open_: bool, refunded: int = 0) -> View:
    """How a provider that tells of the whole payment shows it."""
    status = ViewStatus.AUTHORISED if open_ else ViewStatus.CAPTURED
    return View(status, "GBP", "pi_1", None, None, HELD if open_ else captured, captured, refunded)


@given(parts=PARTS, end=st.sampled_from(["all", "capture", "release", "open"]), order=OUT_OF_ORDER, gives_back=...)
def test_every_order_of_parts_ends_alike(parts: list[int], end: str, order: list[int], *, gives_back: bool) -> None:
    """Told late, twice, or never but for the last word: no part is counted twice, and the hold has ended when it has."""
    said, taken = [stands(0, open_=True)], 0
    for minor in parts:
        taken += minor
        said.append(stands(taken, open_=True))
    if end in ("all", "capture"):
        taken = HELD if end == "all" else min(HELD, taken + 300)
        said.append(stands(taken, open_=False))
    if end == "release":
        said.append(stands(taken, open_=False))
    if gives_back:
        said.append(replace(said[-1], refunded_minor=taken))
    payment = a_hold(due_minor=HELD)
    news: list[Consequence] = []
    for place in [*order, len(said) - 1]:
        payment, more = payment.after(said[place % len(said)])
        news += more
        assert 0 <= payment.refunded_minor <= payment.captured_minor <= payment.authorised_minor == HELD
    ended = PaymentState.REFUNDED if gives_back else PaymentState.CAPTURED
    assert payment.state is (PaymentState.AUTHORISED if end == "open" else ended)
    assert (payment.captured_minor, payment.refunded_minor) == (taken, taken if gives_back else 0)
    assert payment.open_hold_minor == (HELD - taken if end == "open" else 0)
    assert sum(one.minor for one in news if isinstance(one, Captured)) == taken
    assert sum(one.minor for one in news if isinstance(one, GivenBack)) == payment.refunded_minor
    assert not [one for one in news if isinstance(one, Contradicted | Surplus)]


@given(PARTS, st.data())
def test_captures_that_are_told_one_by_one_add_up(parts: list[int], data: st.DataObject) -> None:
    """Where each notification tells of its own capture alone: any order, each as often as it likes, some fail, one is lost."""
    payment = a_hold(due_minor=HELD)
    asked = {"final": False}
    operations = {
        f"o{place}": asked_for(payment, OperationKind.CAPTURE, minor, f"o{place}", asked)
        for place, minor in enumerate(parts)
    }
    failing = {name for name in operations if data.draw(st.booleans(), label=f"{name} fails")}
    for name in data.draw(st.lists(st.sampled_from(sorted(operations)), max_size=8)):
        minor = operations[name].amount_minor
        one = View(ViewStatus.CAPTURED, "GBP", "pi_1", None, None, minor, minor, told_of=name)
        view = replace(one, captures=(CaptureView(f"psp-{name}", name, minor),))
        if name in failing:
            view = View(ViewStatus.PROCESSING, provider_ref="pi_1", code="refused", failed_operation=name)
        view = with_captures(view, payment, operations.values())
        payment, _ = payment.after(view)
        operations = {id_: shown(op, view, Instant(2000)) for id_, op in operations.items()}
        done = [op for op in operations.values() if op.state is OperationState.SUCCEEDED]
        assert payment.captured_minor == sum(op.amount_minor for op in done)
        assert payment.state is PaymentState.AUTHORISED
        assert not failing & {op.operation_id for op in done}
    lost = next((op for op in operations.values() if op.state is OperationState.SUCCEEDED), None)
    if lost is not None:
        before = payment.captured_minor
        payment = payment.without_capture(lost.amount_minor)
        assert (payment.captured_minor, payment.state) == (before - lost.amount_minor, PaymentState.AUTHORISED)


@given(part=st.integers(1, HELD), due=st.integers(0, HELD), back=st.integers(0, HELD))
def test_what_was_asked_for_is_no_strangers_money(part: int, due: int, back: int) -> None:
    """Less may be due when it is told: it was taken all the same, and what is too much of it goes back, once."""
    payment = a_hold(due_minor=due, invoice_id="i1")
    taken, news = payment.after(stands(part, open_=True), asked_minor=part)
    assert (taken.captured_minor, taken.suspense_minor, news) == (part, 0, (Captured(part),))
    assert taken.beyond_due_minor == max(0, part - due)
    returned, _ = taken.after(replace(stands(part, open_=True), refunded_minor=min(back, part)))
    assert returned.beyond_due_minor == max(0, part - due - min(back, part))
    assert replace(taken, due_minor=None).beyond_due_minor == 0
    assert replace(taken, terminal_until=Instant(1)).beyond_due_minor == 0
    assert replace(taken, invoice_id=None).beyond_due_minor == (0 if due else part)
    more, news = taken.after(stands(HELD, open_=False))
    assert more.suspense_minor == min(HELD - part, HELD - max(part, due))
    assert sum(one.minor for one in news if isinstance(one, Captured | Surplus)) == HELD - part


def test_what_was_given_back_of_a_lost_capture_is_not_taken_for_news() -> None:
    """7.00 were taken, 2.00 of it given back, then the 7.00 never arrived: 2.00 stay counted when 5.40 are taken after that."""
    payment = a_hold(due_minor=HELD, captured_minor=700, refunded_minor=200).without_capture(700)
    first = asked_for(payment, OperationKind.CAPTURE, 700, "o1", {})
    lost = replace(first, state=OperationState.FAILED, code=CAPTURE_LOST)
    second = asked_for(payment, OperationKind.CAPTURE, 540, "o2", {"taken_minor": 200})
    told = View(ViewStatus.CAPTURED, "GBP", "pi_1", None, None, 540, 540, captures=(CaptureView("psp", "o2", 540),))
    payment, news = payment.after(with_captures(told, payment, [lost, second]))
    assert (payment.captured_minor, payment.lost_minor, news) == (740, 500, (Captured(540),))


def test_a_lost_capture_that_was_never_known_to_have_gone_well_counts_nothing() -> None:
    """That it went well was told to nobody; its loss was. What is taken in its stead is all that there is."""
    payment = a_hold(due_minor=HELD)
    lost = replace(
        asked_for(payment, OperationKind.CAPTURE, 700, "o1", {}), state=OperationState.FAILED, code=CAPTURE_LOST
    )
    second = asked_for(payment, OperationKind.CAPTURE, 700, "o2", {})
    told = View(ViewStatus.CAPTURED, "GBP", "pi_1", None, None, 700, 700, captures=(CaptureView("psp", "o2", 700),))
    payment, news = payment.after(with_captures(told, payment, [lost, second]), asked_minor=700)
    assert (payment.captured_minor, payment.suspense_minor, news) == (700, 0, (Captured(700),))


@pytest.mark.parametrize(
    ("more", "step", "minor"),
    [
        pytest.param({"due_minor": 900, "keeps_hold": True}, OperationKind.CAPTURE, 900, id="a part"),
        pytest.param(
            {"due_minor": 900, "keeps_hold": True, "captured_minor": 900}, None, 0, id="the whole is not known"
        ),
        pytest.param(
            {"due_minor": 1500, "captured_minor": 900}, OperationKind.CAPTURE, 600, id="the rest of what is due"
        ),
        pytest.param(
            {"due_minor": 9000, "captured_minor": 900}, OperationKind.CAPTURE, 3100, id="no more than is held"
        ),
        pytest.param({"due_minor": 900, "captured_minor": 900}, OperationKind.VOID, 0, id="all is taken"),
        pytest.param({"due_minor": 500, "captured_minor": 900}, OperationKind.VOID, 0, id="too much is taken"),
        pytest.param(
            {"due_minor": 910, "captured_minor": 900}, OperationKind.VOID, 10, id="less than the provider takes"
        ),
    ],
)
def test_what_is_asked_of_a_hold_in_parts(more: dict[str, object], step: OperationKind | None, minor: int) -> None:
    """Until the whole is known the rest stays held; then what is missing is taken, and what is left is let go."""
    payment = a_hold(**more)
    assert (payment.next_step("stripe"), payment.capture_minor) == (step, minor)


def test_a_look_at_the_first_part_says_nothing_about_the_second() -> None:
    """It shows what was taken before; only more than that was the second one's doing."""
    payment = a_hold(captured_minor=700)
    second = asked_for(payment, OperationKind.CAPTURE, 540, "o2", {"taken_minor": 700})
    release = asked_for(payment, OperationKind.VOID, 3300, "o3", {"taken_minor": 700})
    as_before, more, ended = stands(700, open_=True), stands(1240, open_=False), stands(700, open_=False)
    assert [shown_by(second, one) for one in (as_before, more, ended)] == [
        None,
        OperationState.SUCCEEDED,
        OperationState.FAILED,
    ]
    assert [shown_by(release, one) for one in (as_before, more, ended)] == [
        None,
        OperationState.FAILED,
        OperationState.SUCCEEDED,
    ]


def test_the_rest_is_let_go_once_and_told_as_often_as_it_likes() -> None:
    """A hold of which a part was taken is not voided: it is captured, with less than was held."""
    gone = View(ViewStatus.VOIDED, provider_ref="pi_1")
    payment, news = a_hold(due_minor=700, captured_minor=700).after(gone)
    assert (payment.state, news) == (PaymentState.CAPTURED, ())
    assert payment.after(gone) == (payment, ())
    once = replace(payment, several_captures=False)
    assert [type(one) for one in once.after(gone)[1]] == [Contradicted]


def test_a_rest_that_cannot_be_let_go_is_asked_for_no_more() -> None:
    """It lapses by itself; a part that could not be taken leaves what was taken before."""
    payment = a_hold(due_minor=1240, captured_minor=700)
    assert payment.without_way_on("refused", OperationKind.VOID).state is PaymentState.CAPTURED
    failed = payment.without_way_on("refused", OperationKind.CAPTURE)
    assert (failed.state, failed.captured_minor, failed.reason) == (PaymentState.AUTHORISED, 700, "refused")


def test_who_takes_a_hold_in_parts_is_data() -> None:
    """Nothing counts on it that was not said: by the hold, or of the account."""
    able = {name: one.multiple_captures for name, one in CAPABILITIES.items()}
    assert able == {
        "stripe": Captures.BY_HOLD,
        "adyen": Captures.BY_ACCOUNT,
        "mollie": Captures.ONCE,
        "prepaid": Captures.ONCE,
        "invoice": Captures.ONCE,
    }
