"""Adyen's Disputes API over the common books: grounds, documents, answers (docs.adyen.com/api-explorer/Disputes)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp.disputes import decide
from tallywatt.simulators.psp.paths import Route
from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

PREFIX: Final = "/ca/services/DisputeService/v30/"
REASONS: Final = {
    "ProofOfSale": ("DefenseMaterial",),
    "AlreadyRefunded": ("RefundReceipt",),
}
FORMS: Final = {"application/pdf": b"%PDF", "image/jpeg": b"\xff\xd8", "image/jpg": b"\xff\xd8", "image/tiff": b"II*"}


def _psp(id_: str) -> str:
    return hashlib.blake2b(id_.encode(), digest_size=8).hexdigest().upper()


def _dispute(call: Call) -> Object:
    for one in call.all_of("dispute"):
        if _psp(one["id"]) == call.params["disputePspReference"]:
            return call.get("dispute", one["id"])
    msg = "Dispute not found"
    raise bad_request(msg)


def _result(why: str | None = None) -> Object:
    return {"disputeServiceResult": {"success": why is None, **({} if why is None else {"errorMessage": why})}}


def reasons(call: Call) -> Object:
    """POST /retrieveApplicableDefenseReasons: none once it was answered."""
    is_open = _dispute(call)["status"] == "needs_response"
    told = [
        {
            "defenseReasonCode": code,
            "satisfied": False,
            "defenseDocumentTypes": [
                {"available": False, "defenseDocumentTypeCode": kind, "requirementLevel": "Required"} for kind in kinds
            ],
        }
        for code, kinds in REASONS.items()
    ]
    return {**_result(), "defenseReasons": told if is_open else []}


def supply(call: Call) -> Object:
    """POST /supplyDefenseDocument."""
    dispute = _dispute(call)
    kept = dispute.get("_documents", {})
    for one in call.params["defenseDocuments"]:
        content = base64.b64decode(one["content"])
        begins = FORMS.get(one["contentType"])
        if begins is None or not content.startswith(begins):
            return _result("Document is not of the form that it says")
        kept[one["defenseDocumentTypeCode"]] = len(content)
    call.put(dispute | {"_documents": kept})
    return _result()


def defend(call: Call) -> Object:
    """POST /defendDispute: with all documents that its ground wants, and once."""
    dispute = _dispute(call)
    needed = REASONS.get(call.params["defenseReasonCode"])
    if dispute["status"] != "needs_response":
        return _result("This dispute has been defended already")
    if needed is None or not set(needed) <= set(dispute.get("_documents", {})):
        return _result("The required defense documents have not been supplied")
    decide(call, dispute["id"], "under_review")
    return _result()


def accept(call: Call) -> Object:
    """POST /acceptDispute."""
    dispute = _dispute(call)
    if dispute["status"] != "needs_response":
        return _result("This dispute cannot be accepted any more")
    decide(call, dispute["id"], "lost")
    return _result()


_ABOUT: Final = frozenset({"disputePspReference", "merchantAccountCode"})
_NEEDED: Final = ("disputePspReference", "merchantAccountCode")
ROUTES: Final = (
    Route("POST", f"{PREFIX}retrieveApplicableDefenseReasons", reasons, _ABOUT, _NEEDED),
    Route(
        "POST", f"{PREFIX}supplyDefenseDocument", supply, _ABOUT | {"defenseDocuments"}, (*_NEEDED, "defenseDocuments")
    ),
    Route("POST", f"{PREFIX}defendDispute", defend, _ABOUT | {"defenseReasonCode"}, (*_NEEDED, "defenseReasonCode")),
    Route("POST", f"{PREFIX}acceptDispute", accept, _ABOUT, _NEEDED),
)
