"""What doors do with disputes: what is held about one, its evidence as files, and answers at its provider."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.http.doors import actor_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.entrypoints.pages.dispute_page import paper
from tallywatt.entrypoints.pages.evidence_pack import packed
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.payments.dispute import DefenceDocument, DefenceReason, DefendsDisputes
from tallywatt.wiring import evidence_pdf_of
from tallywatt.workflows.accept_dispute import account_to_answer
from tallywatt.workflows.note_defence import NoteDefence, note_defence

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

MOST_BYTES: Final = 24 * 1024 * 1024
EVIDENCE: Final = "evidence"
RECEIPT: Final = "receipt"
PDF: Final = "application/pdf"


@dataclass(frozen=True, slots=True)
class Holding:
    """All that the house knows about a disputed payment."""

    dispute: dict[str, Any]
    payment: dict[str, Any] | None
    session: dict[str, Any] | None
    signed: dict[str, Any] | None
    receipt: bytes | None


@dataclass(frozen=True, slots=True)
class Part:
    """A document of an answer: one that the house makes, or one that was brought."""

    kind: str
    use: str | None
    """`evidence` or `receipt`; None: it was brought."""
    media_type: str = PDF
    content: bytes = b""


async def dispute_of(house: House, operator_id: str, dispute_id: str) -> dict[str, Any]:
    """The dispute, or NotFound."""
    row = await house.ask(house.views.dispute, operator_id, dispute_id)
    return found(row, "dispute", "disputes.not_found")


async def holding_of(house: House, operator_id: str, dispute_id: str) -> Holding:
    """What is held about a dispute; what is not there (a session from elsewhere, a receipt not yet printed) is None."""
    views = house.views
    dispute = await dispute_of(house, operator_id, dispute_id)
    payment = await house.ask(views.payment, operator_id, dispute["payment_id"])
    session = signed = printed = None
    if dispute["session_id"] is not None:
        session = await house.ask(views.session, operator_id, dispute["session_id"])
        signed = await house.ask(views.signed_values, operator_id, dispute["session_id"])
    if dispute["invoice_id"] is not None:
        printed = await house.ask(views.printed_invoice, operator_id, dispute["invoice_id"])
    return Holding(dispute, payment, session, signed, None if printed is None else bytes(printed["content"]))


def zip_of(held: Holding) -> bytes:
    """All of it in one file."""
    return packed(held.dispute, held.payment, held.session, held.receipt)


async def pdf_of(house: House, held: Holding, operator_id: str) -> bytes:
    """What a bank reads: the session, the price that was shown, the meter's values, the payment."""
    row = await house.ask(house.views.operator_by_id, operator_id)
    operator = found(row, "operator", "operators.not_found")
    told = paper(held.dispute, operator, held.payment, held.session, held.signed)
    return await asyncio.to_thread(evidence_pdf_of, told)


async def grounds_of(house: House, caller: Caller, dispute_id: str) -> tuple[DefenceReason, ...]:
    """On what grounds it can be contested now, as its provider says."""
    dispute, provider = await _at_provider(house, caller, dispute_id)
    grounds: tuple[DefenceReason, ...] = await asyncio.to_thread(provider.defence_reasons, dispute.dispute_ref)
    return grounds


async def contested(
    house: House, caller: Caller, dispute_id: str, ground: str, parts: tuple[Part, ...] = ()
) -> dict[str, Any]:
    """Contest it. Without documents, the evidence of the house is handed in for each one that the ground asks for."""
    dispute, provider = await _at_provider(house, caller, dispute_id)
    if not parts:
        grounds = await asyncio.to_thread(provider.defence_reasons, dispute.dispute_ref)
        chosen = next((one for one in grounds if one.code == ground), None)
        if chosen is None:
            msg = f"{ground!r} is no ground on which this dispute can be contested now"
            raise BadInput(msg, code="dispute.no_such_ground", remedy="ask for the grounds again")
        parts = tuple(Part(kind, EVIDENCE) for kind in chosen.needed)
    documents = await _documents(house, caller, dispute_id, parts)
    await asyncio.to_thread(provider.defend, dispute.dispute_ref, ground, documents)
    note = NoteDefence(dispute_id, ground, tuple(one.kind for one in documents))
    await house.write(caller.operator_id, note_defence, note, actor=actor_of(caller))
    return await dispute_of(house, caller.operator_id, dispute_id)


async def _documents(
    house: House, caller: Caller, dispute_id: str, parts: tuple[Part, ...]
) -> tuple[DefenceDocument, ...]:
    held = None
    if any(one.use is not None for one in parts):
        held = await holding_of(house, caller.operator_id, dispute_id)
    made = []
    for one in parts:
        content = one.content
        if one.use == RECEIPT:
            if held is None or held.receipt is None:
                msg = "the receipt of this payment is not printed"
                raise NotFound(msg, code="dispute.no_receipt", remedy="send the evidence instead")
            content = held.receipt
        elif one.use == EVIDENCE and held is not None:
            content = await pdf_of(house, held, caller.operator_id)
        made.append(DefenceDocument(one.kind, one.media_type if one.use is None else PDF, content))
    return tuple(made)


async def _at_provider(house: House, caller: Caller, dispute_id: str) -> tuple[Any, DefendsDisputes]:
    dispute, account = await house.write(caller.operator_id, account_to_answer, dispute_id, actor=actor_of(caller))
    provider = await asyncio.to_thread(house.providers, account)
    assert isinstance(provider, DefendsDisputes), "what it can do says so"
    return dispute, provider
