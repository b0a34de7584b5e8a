"""Answers to disputes through Stripe (docs.stripe.com/disputes/api): files are uploaded, named as evidence, handed in once.

Stripe asks for no ground: the reason of the bank is the ground, and what proves the opposite is up to the operator. What a
charging session proves is that the service was provided.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import stripe

from tallywatt.kernel.errors import BadInput, Busy
from tallywatt.payments.dispute import DefenceReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from stripe._v1_services import V1Services

    from tallywatt.payments.dispute import DefenceDocument

ANSWERABLE: Final = ("needs_response", "warning_needs_response")
PROOF: Final = "service_documentation"
KINDS: Final = (
    "receipt",
    "customer_communication",
    "refund_policy",
    "cancellation_policy",
    "duplicate_charge_documentation",
    "customer_signature",
    "uncategorized_file",
)
"""Evidence that is a file, as far as a charging session can have it (docs.stripe.com/api/disputes/evidence_object)."""
SUFFIXES: Final = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
LARGEST: Final = 4_500_000
"""Bytes of all documents of one answer (docs.stripe.com/disputes/responding)."""

FAULT: Final = 500
"""From that HTTP status on the fault is theirs, and it may go well later."""


class Defence:
    """Answers to the disputes of one account."""

    _client: V1Services

    def defence_reasons(self, dispute_ref: str) -> tuple[DefenceReason, ...]:
        """The bank's own reason, while it can be answered."""
        found = _said(lambda: self._client.disputes.retrieve(dispute_ref))
        if found["status"] not in ANSWERABLE or found["evidence_details"]["past_due"]:
            return ()
        return (DefenceReason(found["reason"], (PROOF,), KINDS),)

    def defend(self, dispute_ref: str, reason: str, documents: tuple[DefenceDocument, ...]) -> None:  # noqa: ARG002  # the bank's own reason
        """Upload the documents, and hand them in: from then on nothing can be added."""
        _check(documents)
        if not self.defence_reasons(dispute_ref):
            msg = "the provider refuses it: it has been answered, or its time is over"
            raise BadInput(msg, code="dispute.refused_there")
        evidence = {one.kind: self._uploaded(one) for one in documents}
        told: Any = {"evidence": evidence, "submit": True}
        _said(lambda: self._client.disputes.update(dispute_ref, told))

    def accept_dispute(self, dispute_ref: str) -> None:
        """Say that it is not answered. One that was lost already is let go already."""
        try:
            _said(lambda: self._client.disputes.close(dispute_ref))
        except BadInput:
            if _said(lambda: self._client.disputes.retrieve(dispute_ref))["status"] != "lost":
                raise

    def _uploaded(self, document: DefenceDocument) -> str:
        file = io.BytesIO(document.content)
        file.name = f"{document.kind}.{SUFFIXES[document.media_type]}"
        told: Any = {"purpose": "dispute_evidence", "file": file}
        return str(_said(lambda: self._client.files.create(told))["id"])


def _check(documents: tuple[DefenceDocument, ...]) -> None:
    if not documents:
        msg = "an answer without a document proves nothing"
        raise BadInput(msg, code="dispute.bad_document", remedy=f"hand in the evidence of the session as {PROOF}")
    for one in documents:
        if one.kind not in (PROOF, *KINDS):
            msg = f"{one.kind!r} is no kind of evidence"
            raise BadInput(msg, code="dispute.bad_document", remedy=f"use one of: {', '.join((PROOF, *KINDS))}")
        if one.media_type not in SUFFIXES:
            msg = "a bank takes PDF, JPEG and PNG"
            raise BadInput(msg, code="dispute.bad_document")
    if sum(len(one.content) for one in documents) > LARGEST:
        msg = "a bank takes 4.5 MB in all"
        raise BadInput(msg, code="dispute.bad_document")


def _said(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        msg = f"the provider could not be asked: {type(error).__name__}"
        raise Busy(msg, code="payment.provider_silent", remedy="try again later") from error
    except stripe.StripeError as error:
        if (error.http_status or FAULT) >= FAULT:
            msg = f"the provider could not be asked: {error.http_status}"
            raise Busy(msg, code="payment.provider_silent", remedy="try again later") from error
        msg = f"the provider refuses it: {str(error.user_message or error)[:200]}"
        raise BadInput(msg, code="dispute.refused_there") from error
