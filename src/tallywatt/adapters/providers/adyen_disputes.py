"""Adyen's disputes as ours, and answers to them through its Disputes API (docs.adyen.com/risk-management/disputes-api).

A dispute has several steps, each told by a notification: a bank asks, takes the money, gives it back after an answer, and may
take it a second time. What counts is the last step by Adyen's own clock.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx
from Adyen.exceptions import AdyenAPIResponseError

from tallywatt.adapters.providers import adyen_views as views
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Busy
from tallywatt.payments.dispute import DefenceReason, DisputeState, ToldDispute

if TYPE_CHECKING:
    from tallywatt.payments.dispute import DefenceDocument

VERSION: Final = "v30"
MEDIA_TYPES: Final = ("application/pdf", "image/jpeg", "image/jpg", "image/tiff")
LARGEST: Final = 2 * 1024 * 1024
STEPS: Final = {
    "REQUEST_FOR_INFORMATION": (DisputeState.WARNING, "nothing"),
    "NOTIFICATION_OF_CHARGEBACK": (DisputeState.WARNING, "nothing"),
    "CHARGEBACK": (DisputeState.OPEN, "all"),
    "INFORMATION_SUPPLIED": (DisputeState.ANSWERED, "as before"),
    "CHARGEBACK_REVERSED": (DisputeState.WON, "nothing"),
    "SECOND_CHARGEBACK": (DisputeState.LOST, "all"),
    "PREARBITRATION_WON": (DisputeState.WON, "nothing"),
    "PREARBITRATION_LOST": (DisputeState.LOST, "all"),
    "DISPUTE_DEFENSE_PERIOD_ENDED": (DisputeState.LOST, "as before"),
}
"""What each notification means, and how much of the money is gone after it."""
FIRST: Final = ("REQUEST_FOR_INFORMATION", "NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK")
FINAL: Final = {"Lost": DisputeState.LOST, "Accepted": DisputeState.LOST, "Expired": DisputeState.LOST}
"""A bank debit is lost at once: nobody asks."""


def told_dispute(item: dict[str, Any]) -> ToldDispute | None:
    """What a notification tells of a dispute; None: it is about something else, or it did not happen."""
    step = STEPS.get(item["eventCode"])
    if step is None or str(item["success"]).lower() != "true":
        return None
    state, gone = step
    more = item.get("additionalData") or {}
    if item["eventCode"] == "CHARGEBACK":
        state = FINAL.get(str(more.get("disputeStatus") or ""), state)
    minor = int(item["amount"]["value"])
    return ToldDispute(
        dispute_ref=item["pspReference"],
        state=state,
        amount_minor=minor,
        currency=str(item["amount"]["currency"]),
        withdrawn_minor={"all": minor, "nothing": 0}.get(gone),
        reason=str(more.get("chargebackReasonCode") or item.get("reason") or "")[:80],
        said_at=views.said_at(item),
        due_at=_due(more.get("defensePeriodEndsAt")),
        # Its number there may be one that was never heard of: a charge whose answer and notification were lost.
        payment_id=views.ours(str(item.get("merchantReference") or "").removesuffix(views.CHARGE)),
        provider_ref=item.get("originalReference") or None,
        follows=item["eventCode"] not in FIRST or item["eventCode"] == "CHARGEBACK",
    )


def _due(text: Any) -> Instant | None:
    if not text:
        return None
    read = datetime.fromisoformat(str(text))
    return Instant(int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000))


class _Api(Protocol):
    baseUrl: str  # noqa: N815 - the SDK's name

    def retrieve_applicable_defense_reasons(self, request: dict[str, Any]) -> Any: ...

    def supply_defense_document(self, request: dict[str, Any]) -> Any: ...

    def defend_dispute(self, request: dict[str, Any]) -> Any: ...

    def accept_dispute(self, request: dict[str, Any]) -> Any: ...


class Defence:
    """Answers to the disputes of one merchant account."""

    _disputes: _Api
    _merchant: str

    def defence_reasons(self, dispute_ref: str) -> tuple[DefenceReason, ...]:
        """On what grounds it can be answered now."""
        told = self._said(self._disputes.retrieve_applicable_defense_reasons, self._about(dispute_ref))
        found = []
        for one in told.get("defenseReasons") or []:
            kinds = one.get("defenseDocumentTypes") or []
            named = {need: tuple(it["defenseDocumentTypeCode"] for it in kinds if it.get("requirementLevel") == need)
                     for need in ("Required", "OneOrMore", "Optional")}  # fmt: skip
            found.append(
                DefenceReason(one["defenseReasonCode"], named["Required"], named["OneOrMore"] + named["Optional"])
            )
        return tuple(found)

    def defend(self, dispute_ref: str, reason: str, documents: tuple[DefenceDocument, ...]) -> None:
        """Hand in the documents, then answer. A document handed in again replaces the one before."""
        for one in documents:
            if one.media_type not in MEDIA_TYPES or len(one.content) > LARGEST:
                msg = "a bank takes PDF, JPEG and TIFF, of at most 2 MB each"
                raise BadInput(msg, code="dispute.bad_document")
        if documents:
            told = [
                {
                    "content": base64.b64encode(one.content).decode(),
                    "contentType": one.media_type,
                    "defenseDocumentTypeCode": one.kind,
                }
                for one in documents
            ]
            self._said(self._disputes.supply_defense_document, {**self._about(dispute_ref), "defenseDocuments": told})
        self._said(self._disputes.defend_dispute, {**self._about(dispute_ref), "defenseReasonCode": reason})

    def accept_dispute(self, dispute_ref: str) -> None:
        """Say that it is not answered."""
        self._said(self._disputes.accept_dispute, self._about(dispute_ref))

    def _about(self, dispute_ref: str) -> dict[str, Any]:
        return {"disputePspReference": dispute_ref, "merchantAccountCode": self._merchant}

    def _said(self, ask: Any, request: dict[str, Any]) -> dict[str, Any]:
        try:
            told: dict[str, Any] = ask(request).message
        except httpx.HTTPError as error:
            msg = f"the provider could not be asked: {type(error).__name__}"
            raise Busy(msg, code="payment.provider_silent", remedy="try again later") from error
        except AdyenAPIResponseError as error:
            said = error.message.get("message") if isinstance(error.message, dict) else error.message
            msg = f"the provider refuses it: {str(said)[:200]}"
            raise BadInput(msg, code="dispute.refused_there") from error
        result = told.get("disputeServiceResult") or {}
        if result.get("success") is False or str(result.get("success")).lower() == "false":
            msg = f"the provider refuses it: {str(result.get('errorMessage') or 'it does not say why')[:200]}"
            raise BadInput(msg, code="dispute.refused_there")
        return told
