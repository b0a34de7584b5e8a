"""Answers to Stripe's disputes through the official SDK: files, evidence, letting go, and what is refused."""

from __future__ import annotations

import pytest

from tallywatt.adapters.providers.stripe_cards import StripeCards
from tallywatt.adapters.providers.stripe_defence import KINDS, LARGEST, PROOF
from tallywatt.kernel.errors import BadInput, Busy
from tallywatt.payments.dispute import DefenceDocument, DefenceReason, DefendsDisputes, DisputeState
from tests.adapters.providers.test_stripe_settlements import house, pays, psp, read, switch
from tests.payments.house import HouseOfPayments
from tests.simulators.psp.running import KEY, RunningPsp

__all__ = ["house", "psp"]

PDF = DefenceDocument(PROOF, "application/pdf", b"%PDF-1.7 proof")
PNG = DefenceDocument("customer_communication", "image/png", b"\x89PNG\r\n\x1a\n")


@pytest.fixture
def cards(house: HouseOfPayments) -> StripeCards:
    found = house.provider
    assert isinstance(found, StripeCards)
    assert isinstance(found, DefendsDisputes)
    return found


@pytest.fixture
def disputed(house: HouseOfPayments, psp: RunningPsp) -> str:
    """A payment that the payer's bank takes back; the provider's number of the dispute."""
    payment = pays(house, "s1")
    [opened] = switch(psp, "/_dispute", payment_intent=payment.provider_ref)
    read(house)
    return str(opened["id"])


def stands(house: HouseOfPayments) -> DisputeState:
    house.later(60)
    read(house)
    [one] = house.ask(lambda work: work.disputes.by())
    return DisputeState(one.state)


def test_evidence_is_handed_in_once(house: HouseOfPayments, psp: RunningPsp, cards: StripeCards, disputed: str) -> None:
    """Two documents, each uploaded and named; the bank looks at it, and nothing can be added."""
    assert cards.defence_reasons(disputed) == (DefenceReason("fraudulent", (PROOF,), KINDS),)
    cards.defend(disputed, "fraudulent", (PDF, PNG))
    kept = psp.client().disputes.retrieve(disputed).to_dict()
    files = {name: psp.client().files.retrieve(ref) for name, ref in kept["evidence"].items()}
    assert {name: (one.filename, one.type, one.size) for name, one in files.items()} == {
        PROOF: ("service_documentation.pdf", "pdf", len(PDF.content)),
        "customer_communication": ("customer_communication.png", "png", len(PNG.content)),
    }
    assert (kept["status"], kept["evidence_details"]["submission_count"]) == ("under_review", 1)
    assert stands(house) is DisputeState.ANSWERED
    assert cards.defence_reasons(disputed) == ()
    with pytest.raises(BadInput, match="it has been answered"):
        cards.defend(disputed, "fraudulent", (PDF,))
    switch(psp, "/_decide", dispute=disputed, status="won")
    assert stands(house) is DisputeState.WON


def test_one_that_is_let_go_is_lost_once(house: HouseOfPayments, cards: StripeCards, disputed: str) -> None:
    """Said a second time, because the first answer was lost, it is let go already."""
    for _ in range(2):
        cards.accept_dispute(disputed)
    assert stands(house) is DisputeState.LOST
    with pytest.raises(BadInput, match="No such dispute"):
        cards.accept_dispute("dp_none")


def test_one_that_was_answered_is_not_let_go(cards: StripeCards, disputed: str) -> None:
    """The bank has the answer: that is for it to decide."""
    cards.defend(disputed, "fraudulent", (PDF,))
    with pytest.raises(BadInput, match="closed"):
        cards.accept_dispute(disputed)


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ((), "without a document"),
        ((DefenceDocument("DefenseMaterial", "application/pdf", b"%PDF"),), "no kind of evidence"),
        ((DefenceDocument(PROOF, "image/tiff", b"II*"),), "PDF, JPEG and PNG"),
        ((DefenceDocument(PROOF, "application/pdf", b"x" * LARGEST), PNG), "in all"),
    ],
)
def test_what_no_bank_takes_is_refused_before_it_is_sent(documents: tuple[DefenceDocument, ...], why: str) -> None:
    """Whoever is asked, nobody hears of it."""
    with pytest.raises(BadInput, match=why):
        StripeCards(KEY, (), base_url="http://127.0.0.1:1").defend("dp_1", "fraudulent", documents)


def test_a_file_that_is_not_what_it_says_is_refused_there(psp: RunningPsp, cards: StripeCards, disputed: str) -> None:
    """And the dispute stays open for a better one."""
    with pytest.raises(BadInput, match="file type"):
        cards.defend(disputed, "fraudulent", (DefenceDocument(PROOF, "application/pdf", b"<html>"),))
    assert psp.client().disputes.retrieve(disputed).status == "needs_response"
    cards.defend(disputed, "fraudulent", (PDF,))


@pytest.mark.parametrize("fault", ["hang_up", "rate_limit", "error_500"])
def test_a_provider_that_cannot_be_asked_is_no_answer(
    psp: RunningPsp, cards: StripeCards, disputed: str, fault: str
) -> None:
    """It is asked again later."""
    psp.fault(fault, times=1, path="/v1/disputes")
    with pytest.raises(Busy):
        cards.accept_dispute(disputed)
    cards.accept_dispute(disputed)
