"""Disputes of Adyen and Mollie: the money waits, comes back or is lost, in whatever order the steps are told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.providers import adyen_disputes
from tallywatt.adapters.providers.adyen_cards import AdyenCards
from tallywatt.kernel.errors import BadInput, Busy
from tallywatt.payments.dispute import DefenceDocument, DisputeState
from tallywatt.payments.settlement import LineState
from tallywatt.simulators.psp.adyen import sign
from tallywatt.workflows.note_defence import NoteDefence, note_defence
from tallywatt.workflows.take_webhook import TakeWebhook, take_webhook
from tests.adapters.providers.bench import HMAC, KEYS, MERCHANT, TIMEOUT, Bench
from tests.adapters.providers.test_settlements_of_others import (
    FEE_OF_TEN,
    bench,
    differences,
    paid_out,
    read,
    stands,
    switch,
    takes,
)

if TYPE_CHECKING:
    from tallywatt.payments.dispute import Dispute

__all__ = ["bench"]

PDF = DefenceDocument("DefenseMaterial", "application/pdf", b"%PDF-1.7 proof")


def intent_of(bench: Bench) -> str:
    """The payment in the common books of the simulated provider."""
    for line in bench.psp.state.read_bytes().splitlines():
        for one in json.loads(line).get("put", []):
            if one["object"] == "payment_intent":
                return str(one["id"])
    raise AssertionError


def disputed(bench: Bench) -> Dispute:
    takes(bench)
    switch(bench, "/_dispute", payment_intent=intent_of(bench))
    bench.hear_until(lambda: bool(bench.house.ask(lambda work: work.disputes.by(withdrawn_minor=1000))))
    found: Dispute = the(bench)
    return found


def the(bench: Bench) -> Any:
    (found,) = bench.house.ask(lambda work: work.disputes.by())
    return found


def test_a_dispute_is_heard_of_once_and_its_line_is_matched(bench: Bench) -> None:
    """Told by webhook and by the settlement: the money leaves the books once, and a person hears of it."""
    found = disputed(bench)
    assert found.state is (DisputeState.OPEN if bench.provider == "adyen" else DisputeState.LOST)
    assert bench.house.inbox() == ["payment_disputed"]
    gone = "disputed" if bench.provider == "adyen" else "losses"
    assert stands(bench)[gone] == 1000
    takes(bench, "s2", "40.00")
    paid_out(bench)
    read(bench)
    assert differences(bench) == []
    lines = bench.house.ask(lambda work: work.settlement_lines.by())
    assert {one.state for one in lines} == {LineState.MATCHED}
    assert stands(bench)["transit"] == 1000 + 4000 - 1000 - FEE_OF_TEN - 80 - 1500


def test_a_dispute_that_is_won_brings_the_money_back(bench: Bench) -> None:
    """Reversed: nothing is lost, and the dispute is over."""
    found = disputed(bench)
    if bench.provider == "adyen":
        answer(bench, found)
    dispute = next(
        one["id"]
        for line in bench.psp.state.read_bytes().splitlines()
        for one in json.loads(line).get("put", [])
        if one["object"] == "dispute"
    )
    switch(bench, "/_decide", dispute=dispute, status="won")
    bench.hear_until(lambda: the(bench).state is DisputeState.WON)
    assert the(bench).withdrawn_minor == 0
    assert {name: minor for name, minor in stands(bench).items() if name in ("disputed", "losses")} == {}


def answer(bench: Bench, found: Dispute) -> None:
    """As the command does it: grounds, documents, answer; and once."""
    [first, _] = bench.cards.defence_reasons(found.dispute_ref)
    assert (first.code, first.needed) == ("ProofOfSale", ("DefenseMaterial",))
    with pytest.raises(BadInput, match="documents"):
        bench.cards.defend(found.dispute_ref, first.code, ())
    bench.cards.defend(found.dispute_ref, first.code, (PDF,))
    bench.house.write(note_defence, NoteDefence(found.dispute_id, first.code, ("DefenseMaterial",)))
    assert the(bench).state is DisputeState.ANSWERED
    with pytest.raises(BadInput, match="defended already"):
        bench.cards.defend(found.dispute_ref, first.code, (PDF,))
    assert bench.cards.defence_reasons(found.dispute_ref) == ()


def test_what_no_bank_takes_is_refused_before_it_is_sent() -> None:
    """And a provider that cannot be asked is no answer."""
    cards = AdyenCards(
        KEYS["adyen"], (HMAC,), merchant=MERCHANT, base_url="http://127.0.0.1:1/checkout", timeout=TIMEOUT
    )
    for bad in (DefenceDocument("x", "text/html", b"<p>"), DefenceDocument("x", "application/pdf", b"x" * 3_000_000)):
        with pytest.raises(BadInput):
            cards.defend("D1", "ProofOfSale", (bad,))
    with pytest.raises(Busy):
        cards.accept_dispute("D1")


STEPS = [
    ("NOTIFICATION_OF_CHARGEBACK", DisputeState.WARNING, 0),
    ("CHARGEBACK", DisputeState.OPEN, 1000),
    ("INFORMATION_SUPPLIED", DisputeState.ANSWERED, 1000),
    ("CHARGEBACK_REVERSED", DisputeState.WON, 0),
    ("SECOND_CHARGEBACK", DisputeState.LOST, 1000),
    ("PREARBITRATION_WON", DisputeState.WON, 0),
]


def step(ref: str | None, code: str, number: int, reference: str = "whatever") -> bytes:
    item: dict[str, Any] = {
        "amount": {"currency": "GBP", "value": 1000},
        "eventCode": code,
        "eventDate": f"2026-11-21T10:00:{number:02d}+01:00",
        "merchantAccountCode": MERCHANT,
        "merchantReference": reference,
        "originalReference": ref,
        # A second round may have a number of its own.
        "pspReference": "DISPUTE000000001" if number < 4 else "DISPUTE000000002",
        "success": "true",
    }
    item["additionalData"] = {"hmacSignature": sign(item, HMAC)}
    return json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}).encode()


@pytest.mark.parametrize("bench", ["adyen"], indirect=True)
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 1, 3), (1, 1, 4, 0, 2), (3, 4)])
def test_case_23_the_last_step_counts_in_whatever_order_it_is_told(bench: Bench, order: tuple[int, ...]) -> None:
    """Steps come twice, late and out of order; what stands at the end is the newest by the provider's clock."""
    payment = takes(bench)
    account = bench.account()
    for number in order:
        body = step(payment.provider_ref, STEPS[number][0], number)
        bench.house.write(take_webhook, TakeWebhook(account.account_id, bench.cards.read_webhook({}, body), body))
    code, state, gone = STEPS[max(order)]
    assert (the(bench).state, the(bench).withdrawn_minor) == (state, gone), code
    books = stands(bench)
    assert books.get("disputed", 0) + books.get("losses", 0) == gone


@pytest.mark.parametrize("bench", ["adyen"], indirect=True)
@pytest.mark.parametrize("ends", ["", "/charge"])
def test_case_23_a_dispute_about_a_number_that_was_never_heard_of(bench: Bench, ends: str) -> None:
    """The charge's answer and notification were lost: a notification of the dispute names our payment, too."""
    payment = takes(bench)
    account = bench.account()
    for number in (0, 1, 4):
        body = step("NEVERHEARDOF0001", STEPS[number][0], number, f"{payment.payment_id}{ends}")
        bench.house.write(take_webhook, TakeWebhook(account.account_id, bench.cards.read_webhook({}, body), body))
    assert (the(bench).payment_id, the(bench).state) == (payment.payment_id, DisputeState.LOST)
    assert stands(bench)["losses"] == 1000
    assert bench.house.inbox() == ["payment_disputed"]


@pytest.mark.parametrize("bench", ["adyen"], indirect=True)
def test_a_dispute_of_another_system_at_the_same_account_is_shown_to_a_person(bench: Bench) -> None:
    """Its reference is none of ours: nothing is booked, and nothing is lost."""
    takes(bench)
    body = step("NEVERHEARDOF0001", "CHARGEBACK", 1, "order-7")
    account = bench.account()
    bench.house.write(take_webhook, TakeWebhook(account.account_id, bench.cards.read_webhook({}, body), body))
    assert bench.house.ask(lambda work: work.disputes.by()) == []
    assert bench.house.inbox() == ["dispute_unmatched"]


def test_a_step_that_did_not_happen_tells_nothing() -> None:
    """A notification without success, and one about something else."""
    about = {"success": "false", "eventCode": "CHARGEBACK"}
    assert adyen_disputes.told_dispute(about) is None
    assert adyen_disputes.told_dispute({"success": "true", "eventCode": "CAPTURE"}) is None
