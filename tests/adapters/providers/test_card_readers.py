"""Card readers of the providers' own, through the official SDKs: asked for a hold, cancelled, silent, tapped twice, killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tallywatt.adapters.providers.adyen_cards import AdyenCards
from tallywatt.adapters.providers.comparing import traces_of
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.views.returning import unfinished_payments
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.kernel.identity import PaymentId
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import OperationState
from tallywatt.payments.payment import PaymentState
from tallywatt.payments.provider import Enquiry, Succeeded, View, ViewStatus
from tallywatt.simulators.psp import books
from tallywatt.simulators.psp.adyen_terminals import TRACK
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.check_reader import refuse_unknown
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.keep_reader import CHECK_READER, RemoveReader, remove_reader
from tallywatt.workflows.pay_at_reader import GiveUpAtReader, end_presentation, give_up_at_reader
from tests.adapters.providers.bench import MERCHANT
from tests.adapters.providers.kiosk import Kiosk
from tests.payments.house import OPERATOR, Crash, crash_when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.payments.payment import Payment
    from tallywatt.workflows.ports import UnitOfWork


@pytest.fixture(params=["stripe", "adyen"])
def kiosk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kiosk]:
    provider, _, engine = request.param.partition(" on ")
    made = Kiosk(provider, tmp_path, request.getfixturevalue(f"{engine or 'sqlite'}_house_url"))
    yield made
    made.close()


BOTH_ENGINES = pytest.mark.parametrize("kiosk", ["stripe", "adyen", "stripe on postgresql"], indirect=True)
"""Of the stories that lean on what the tables keep apart, or on more than one transaction."""


@BOTH_ENGINES
def test_a_card_is_held_to_the_reader_and_only_the_price_of_the_session_is_taken(kiosk: Kiosk) -> None:
    """The same payment as on a page from here on: held, captured for what is due, the rest let go, a part given back."""
    payment = kiosk.asking()
    assert kiosk.payment(payment).state is PaymentState.REQUIRES_ACTION
    kiosk.tap()

    kiosk.bench.hear_until(lambda: kiosk.payment(payment).state is PaymentState.AUTHORISED)

    held = kiosk.payment(payment)
    assert held.authorised_minor == 4000
    assert held.hold_expires_at is not None
    assert kiosk.house.session_begins(payment)
    kiosk.house.held_session_priced(payment, "12.40")
    kiosk.house.work()
    kiosk.bench.hear_until(lambda: kiosk.payment(payment).state is PaymentState.CAPTURED)
    assert (kiosk.payment(payment).card_brand, kiosk.payment(payment).card_last4) == ("visa", "4242")
    totals = books.read(kiosk.bench.psp.state)
    assert (totals.captured_minor, totals.holds_open) == ({"GBP": 1240}, 0)


def test_a_lost_webhook_costs_a_driver_seconds_and_no_money(kiosk: Kiosk) -> None:
    """Somebody stands at the station with money held: the house looks by itself."""
    payment = kiosk.asking()
    kiosk.tap()

    kiosk.look()

    assert kiosk.payment(payment).state is PaymentState.AUTHORISED


def test_who_cancels_at_the_reader_pays_nothing_and_the_next_one_can(kiosk: Kiosk) -> None:
    payment = kiosk.asking()
    kiosk.tap("cancel")

    kiosk.look()

    given_up = kiosk.payment(payment)
    assert (given_up.state, given_up.reason) == (PaymentState.ABANDONED, "cancelled_at_reader")
    assert kiosk.asking() != payment


def test_a_declined_card_ends_it_with_the_reason(kiosk: Kiosk) -> None:
    payment = kiosk.asking()
    kiosk.tap("pm_card_visa_chargeDeclinedInsufficientFunds")

    kiosk.look()

    declined = kiosk.payment(payment)
    assert (declined.state, declined.reason) == (PaymentState.DECLINED, "insufficient_funds")
    assert books.read(kiosk.bench.psp.state).holds_open == 0


def test_a_card_that_is_held_to_it_twice_is_held_once(kiosk: Kiosk) -> None:
    payment = kiosk.asking()
    kiosk.tap()
    kiosk.tap()

    kiosk.look()

    assert kiosk.payment(payment).authorised_minor == 4000
    assert books.read(kiosk.bench.psp.state).holds_open == 1


@BOTH_ENGINES
def test_the_second_driver_waits_until_the_first_has_paid(kiosk: Kiosk) -> None:
    """One reader, two people: the card of the second would pay for the first."""
    first = kiosk.asking()

    with pytest.raises(Conflict) as refused:
        kiosk.chosen()

    assert refused.value.code == "readers.busy"
    kiosk.tap()
    kiosk.look()
    assert kiosk.payment(first).state is PaymentState.AUTHORISED
    assert kiosk.asking() != first


def test_who_walks_away_leaves_no_reader_that_asks_the_next_one(kiosk: Kiosk) -> None:
    """After two minutes the reader asks no longer; a card that comes then is for nobody."""
    payment = kiosk.asking()

    kiosk.look(seconds=121)
    kiosk.tap()
    kiosk.look(seconds=60)

    after = kiosk.payment(payment)
    assert (after.state in (PaymentState.VOIDED, PaymentState.ABANDONED), after.reason) == (True, "never_presented")
    assert books.read(kiosk.bench.psp.state).holds_open == 0


@BOTH_ENGINES
def test_a_card_that_comes_while_the_driver_gives_up_is_let_go(kiosk: Kiosk) -> None:
    """On the page somebody presses cancel, and the card was faster."""
    payment = kiosk.asking()
    kiosk.tap()

    kiosk.house.write(give_up_at_reader, GiveUpAtReader(kiosk.payment(payment).driver_secret or ""))
    kiosk.house.work()
    kiosk.look()

    kiosk.bench.hear_until(lambda: kiosk.payment(payment).state is PaymentState.VOIDED)
    assert books.read(kiosk.bench.psp.state).holds_open == 0


def _cancelled(kiosk: Kiosk, payment: str) -> None:
    """The driver presses cancel on the page: nobody has told the reader yet."""
    kiosk.house.write(give_up_at_reader, GiveUpAtReader(kiosk.payment(payment).driver_secret or ""))


def what_is_left(kiosk: Kiosk, payment: str) -> tuple[int, list[Any]]:
    """Once the hold is let go: how many holds are open at the provider, and what came before a person."""
    kiosk.bench.hear_until(lambda: kiosk.payment(payment).state is PaymentState.VOIDED)
    return books.read(kiosk.bench.psp.state).holds_open, list(kiosk.house.inbox())


@pytest.mark.parametrize("how", ["cancel", "two minutes"])
def test_a_hold_that_is_told_of_before_the_reader_was_told_to_stop_is_let_go(kiosk: Kiosk, how: str) -> None:
    """The webhook is faster than the answer: what was asked for knows nothing of the hold, and must not be the end."""
    payment = kiosk.asking()
    if how == "cancel":
        _cancelled(kiosk, payment)
    else:
        kiosk.house.write(end_presentation, PaymentId(payment))
    kiosk.tap()
    kiosk.bench.hear_until(lambda: kiosk.payment(payment).authorised_minor == 4000)

    kiosk.house.work()

    assert what_is_left(kiosk, payment) == (0, [])


@pytest.mark.parametrize("kiosk", ["adyen"], indirect=True)
def test_a_hold_at_a_reader_that_was_out_of_reach_when_it_was_given_up_is_let_go(kiosk: Kiosk) -> None:
    """It asks on, because it never heard that it should stop; what it then held is found when it is asked again."""
    payment = kiosk.asking()
    kiosk.at_first(status="offline")
    _cancelled(kiosk, payment)
    kiosk.house.work()
    kiosk.at_first(status="online")
    kiosk.tap()
    kiosk.bench.hear_until(lambda: kiosk.payment(payment).authorised_minor == 4000)

    kiosk.look(seconds=61)
    kiosk.look(seconds=61)

    assert what_is_left(kiosk, payment) == (0, [])


@pytest.mark.parametrize("kiosk", ["adyen"], indirect=True)
def test_a_terminal_that_has_forgotten_a_payment_does_not_end_a_hold_that_stands(kiosk: Kiosk) -> None:
    """It knows of nothing; the provider has told of the hold. Only the provider's own word lets that go."""
    payment = kiosk.asking()
    _cancelled(kiosk, payment)
    kiosk.tap()
    kiosk.bench.hear_until(lambda: kiosk.payment(payment).authorised_minor == 4000)
    void = kiosk.house.operations(payment)[-1].operation_id

    forgotten = Succeeded(View(ViewStatus.ABANDONED))
    kiosk.house.write(apply_provider_fact, ProviderFact(payment, forgotten, Source.REPLY, operation_id=void))
    assert kiosk.payment(payment).state is PaymentState.AUTHORISED
    kiosk.house.work()

    assert what_is_left(kiosk, payment) == (0, [])


def test_a_reader_without_connection_is_told_at_once(kiosk: Kiosk) -> None:
    kiosk.asking()
    kiosk.tap("cancel")
    kiosk.look()
    kiosk.at_first(status="offline")

    payment = kiosk.asking()

    gone = kiosk.payment(payment)
    assert (gone.state, gone.reason) == (PaymentState.ABANDONED, "reader_offline")
    assert books.read(kiosk.bench.psp.state).holds_open == 0


def _waiting(kiosk: Kiosk) -> list[str]:
    """What a person is to look at."""
    return [one.kind for one in kiosk.house.ask(lambda work: work.inbox.by()) if one.state.value == "open"]


@BOTH_ENGINES
def test_a_reader_without_connection_is_one_matter_however_many_try_it(kiosk: Kiosk) -> None:
    """A person looks after one reader, not after each driver's try; when it asks again nobody has to do anything."""
    kiosk.asking()
    kiosk.tap("cancel")
    kiosk.look()
    kiosk.at_first(status="offline")
    for _ in range(3):
        kiosk.asking()
    assert _waiting(kiosk) == ["reader_failing"]
    kiosk.at_first(status="online")

    kiosk.asking()

    assert _waiting(kiosk) == []
    kiosk.tap("cancel")
    kiosk.look()
    kiosk.at_first(status="offline")
    kiosk.asking()
    assert _waiting(kiosk) == ["reader_failing"]


def test_where_the_provider_is_out_of_reach_the_driver_is_told_and_nobody_else(kiosk: Kiosk) -> None:
    """Whoever stands there tries again, or pays on the phone; a person has nothing to decide about each try."""
    kiosk.asking()
    kiosk.tap("cancel")
    kiosk.look()
    for _ in range(2):
        kiosk.bench.psp.fault("rate_limit", times=1_000, path=ASKED[kiosk.bench.provider])
        payment = kiosk.asking()
        for _ in range(20):
            kiosk.look(seconds=10)
        httpx.delete(f"{kiosk.bench.psp.url}/_faults").raise_for_status()
        gone = kiosk.payment(payment)
        assert (gone.state, gone.reason) == (PaymentState.ABANDONED, "provider_unreachable")
        assert kiosk.house.operations(gone.payment_id)[-1].state is OperationState.NOT_SENT
    payment = kiosk.asking()
    kiosk.tap()
    kiosk.look()

    assert kiosk.payment(payment).state is PaymentState.AUTHORISED
    assert _waiting(kiosk) == []


@BOTH_ENGINES
def test_after_a_restore_the_reader_is_asked_how_it_went(kiosk: Kiosk) -> None:
    """The backup was made while the reader asked. Only the terminal itself knows of the card that was held to it since."""
    payment = kiosk.asking()
    connection = connect(kiosk.house.url)
    try:
        [row] = unfinished_payments(connection, OPERATOR, kiosk.account.account_id)
    finally:
        connection.close()
    assert (row["id"], row["reader_ref"]) == (payment, kiosk.ref)
    kiosk.tap()
    enquiry = Enquiry(
        PaymentId(payment), Instant(row["created_ms"]), row["provider_ref"], row["page_ref"],
        reader_ref=row["reader_ref"], presented_by=row["presented_by"],
    )  # fmt: skip

    told = traces_of(kiosk.house.provider, kiosk.house.now(), [enquiry], told=None if row["provider_ref"] else ())

    assert next(one.view.status for one in told if one.payment_id == payment) is ViewStatus.AUTHORISED


@pytest.mark.parametrize("kiosk", ["adyen"], indirect=True)
def test_a_terminal_without_connection_does_not_hold_a_restored_house_up(kiosk: Kiosk) -> None:
    """It may be so for days. What it knows is asked for later, as ever, and no second card is asked for."""
    payment = kiosk.asking()
    kiosk.at_first(status="offline")
    presented = kiosk.house.operations(payment)[-1].operation_id
    enquiry = Enquiry(PaymentId(payment), kiosk.house.now(), None, None, reader_ref=kiosk.ref, presented_by=presented)

    assert traces_of(kiosk.house.provider, kiosk.house.now(), [enquiry], told=()) == []


def test_a_reader_that_serves_somebody_else_is_not_taken_from_them(kiosk: Kiosk) -> None:
    """It may be asked by another till: what it does there is never cancelled from here."""
    first = kiosk.asking()
    kiosk.house.ask(lambda work: _forget(work, first))  # as if another till had asked

    second = kiosk.asking()
    kiosk.look()

    assert (kiosk.payment(second).state, kiosk.payment(second).reason) == (PaymentState.ABANDONED, "reader_busy")
    kiosk.tap()
    assert books.read(kiosk.bench.psp.state).holds_open == 1


@pytest.mark.parametrize("kiosk", ["stripe"], indirect=True)
def test_a_reader_that_never_heard_that_a_payment_was_given_up_serves_the_next_driver(kiosk: Kiosk) -> None:
    """It had no connection then, and asks for the first one's card for ever: it is told so when the next one wants it."""
    first = kiosk.asking()
    kiosk.at_first(status="offline")
    _cancelled(kiosk, first)
    kiosk.house.work()
    assert kiosk.payment(first).state is PaymentState.VOIDED
    kiosk.at_first(status="online")

    second = kiosk.asking()
    kiosk.tap()
    kiosk.look()

    assert kiosk.payment(second).state is PaymentState.AUTHORISED
    assert books.read(kiosk.bench.psp.state).holds_open == 1


@pytest.mark.parametrize("kiosk", ["stripe"], indirect=True)
def test_a_card_that_comes_to_a_reader_that_never_heard_of_the_end_holds_nothing(kiosk: Kiosk) -> None:
    """The intent was ended: a card cannot bring it back, and nobody is left to let go of what it would hold."""
    payment = kiosk.asking()
    kiosk.at_first(status="offline")
    _cancelled(kiosk, payment)
    kiosk.house.work()

    kiosk.tap()
    kiosk.look()

    assert kiosk.payment(payment).state is PaymentState.VOIDED
    assert books.read(kiosk.bench.psp.state).holds_open == 0


def _forget(work: UnitOfWork, payment_id: str) -> Payment:
    return work.payments.put(replace(work.payments.lock(payment_id), state=PaymentState.DECLINED))


@pytest.mark.parametrize("lost", ["lost_answer", "error_500_after_work"])
def test_a_lost_answer_never_asks_for_two_cards(kiosk: Kiosk, lost: str) -> None:
    """The reader asks, and nobody has heard so: it is found out, and the card that is held to it counts once."""
    kiosk.asking()
    kiosk.tap("cancel")
    kiosk.look()
    kiosk.bench.psp.fault(lost, times=1, path=ASKED[kiosk.bench.provider])

    payment = kiosk.asking()
    kiosk.tap()
    kiosk.look()
    kiosk.look()

    assert kiosk.payment(payment).state is PaymentState.AUTHORISED
    assert books.read(kiosk.bench.psp.state).holds_open == 1


def test_the_reader_shows_which_post_is_paid_for_and_its_price_before_it_asks(kiosk: Kiosk) -> None:
    """Two posts, one reader: whoever holds a card to it knows for which. Here it does not come to the question."""
    kiosk.asking()
    kiosk.tap("cancel")
    kiosk.look()
    kiosk.bench.psp.fault("error_500", times=1, path=ASKED[kiosk.bench.provider])

    kiosk.chosen()
    kiosk.house.work(rounds=2)

    shown = httpx.get(f"{kiosk.bench.psp.url}/_reader/{kiosk.ref}").text
    assert "Your charging point" in shown
    assert "Queen Street, 0.45 GBP/kWh" in shown


@pytest.mark.parametrize("trouble", ["hang_up", "error_500", "lost_answer"])
def test_a_display_that_does_not_work_keeps_nobody_from_paying(kiosk: Kiosk, trouble: str) -> None:
    """It is a kindness, and the driver stands there."""
    kiosk.bench.psp.fault(
        trouble, times=1, path={"stripe": "set_reader_display", "adyen": "/sync"}[kiosk.bench.provider]
    )

    payment = kiosk.asking()
    kiosk.tap()
    kiosk.look()

    assert kiosk.payment(payment).state is PaymentState.AUTHORISED
    assert kiosk.house.inbox() == []


ASKED = {"stripe": "process_payment_intent", "adyen": "/async"}


def test_a_process_that_is_killed_after_the_reader_was_asked_holds_once(kiosk: Kiosk) -> None:
    payment = kiosk.chosen()
    if kiosk.bench.provider == "stripe":
        kiosk.house.work(rounds=1)  # what is prepared is harmless
    crash_when(kiosk.bench.cards, "send")
    with pytest.raises(Crash):
        kiosk.house.work()
    kiosk.house.restart()
    kiosk.tap()

    kiosk.look(seconds=61)
    kiosk.look()

    assert kiosk.payment(payment.payment_id).state is PaymentState.AUTHORISED
    assert books.read(kiosk.bench.psp.state).holds_open == 1


@pytest.mark.parametrize(("kiosk", "when"), [("stripe", "after"), ("adyen", "before")], indirect=["kiosk"])
def test_a_worker_that_is_really_killed_while_a_driver_stands_there_asks_for_one_card(kiosk: Kiosk, when: str) -> None:
    """No exception and no last word: what is on the disk is all that is left, and the reader may ask or may not."""
    payment = kiosk.chosen().payment_id
    known = (kiosk.house.url, kiosk.bench.provider, kiosk.bench.psp.url, str(kiosk.house.now()), when)
    command = [sys.executable, "-m", "tests.adapters.providers.dying", *known]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    if when == "after":
        kiosk.tap()

    kiosk.look(seconds=61)
    kiosk.tap()
    kiosk.look(seconds=61)
    kiosk.look(seconds=61)

    # A terminal that is never asked twice may not have been asked at all: then the next driver is served.
    is_held = kiosk.payment(payment).state is PaymentState.AUTHORISED
    assert is_held or (kiosk.bench.provider, when) == ("adyen", "before")
    assert books.read(kiosk.bench.psp.state).holds_open == int(is_held)
    assert kiosk.payment(kiosk.asking()).state is PaymentState.REQUIRES_ACTION


def _added(kiosk: Kiosk, ref: str) -> list[str]:
    """A reader of that name is added, for EVSEs of a station of no location; what a person is to look at then."""
    reader = replace(kiosk.reader, reader_id=f"reader {ref}", reader_ref=ref)
    kiosk.house.ask(lambda work: work.readers.add(reader))
    kiosk.house.ask(lambda work: work.jobs.add(Job(CHECK_READER, reader.reader_id)))
    kiosk.house.work()
    return _waiting(kiosk)


THERE = {"stripe": "tmr_simulated_other", "adyen": "S1F2-000158213605011"}
NOT_THERE = {"stripe": "tmr_F5XZ0bXq8z", "adyen": "S1F2000158213605011"}


def test_a_reader_that_its_provider_does_not_know_comes_before_a_person(kiosk: Kiosk) -> None:
    """A slip of the pen, or a reader of another account: not the first driver finds out. While nobody answers, it is kept."""
    provider = kiosk.bench.provider
    assert _added(kiosk, THERE[provider]) == []
    kiosk.bench.psp.stop()
    assert _added(kiosk, NOT_THERE[provider]) == []
    kiosk.bench.psp.start()

    kiosk.look(seconds=3600)

    assert _waiting(kiosk) == ["reader_failing"]
    kiosk.house.write(remove_reader, RemoveReader(f"reader {NOT_THERE[provider]}"))
    assert _waiting(kiosk) == []


@pytest.mark.parametrize("kiosk", ["adyen"], indirect=True)
def test_a_key_that_may_not_list_terminals_takes_any_name_and_asks_once(kiosk: Kiosk) -> None:
    """It may do everything else; nobody has to look at what it cannot be told."""
    base = f"{kiosk.bench.psp.url}/checkout"
    narrow = AdyenCards("AQEdevice", merchant=MERCHANT, base_url=base)
    assert narrow.knows_reader(NOT_THERE["adyen"]) is None
    refuse_unknown(narrow, NOT_THERE["adyen"])
    with pytest.raises(BadInput, match="knows no card reader"):
        refuse_unknown(kiosk.bench.cards, NOT_THERE["adyen"])

    kiosk.house.provider = narrow

    assert _added(kiosk, NOT_THERE["adyen"]) == []
    assert not [one for one in kiosk.house.ask(lambda work: work.stored_jobs.by(kind=CHECK_READER)) if one.last_error]


def test_nothing_of_a_card_is_kept_but_its_brand_and_last_digits(kiosk: Kiosk) -> None:
    """A terminal tells a track and a whole number; neither is written down anywhere."""
    payment = kiosk.asking()
    kiosk.tap()
    kiosk.look()
    assert kiosk.payment(payment).authorised_minor == 4000

    folder = Path(kiosk.house.url.removeprefix("sqlite:///")).parent
    kept = b"".join(one.read_bytes() for one in folder.iterdir() if one.is_file() and one.name.startswith("house"))

    assert kept.count(payment.encode()) > 0
    assert TRACK.encode() not in kept
    assert TRACK[:16].encode() not in kept
