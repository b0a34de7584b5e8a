"""Stripe's answers to disputes over the common books: files, evidence, and letting go (docs.stripe.com/disputes/api)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp.disputes import decide
from tallywatt.simulators.psp.forms import BOOL, FILE, MAP, TEXT
from tallywatt.simulators.psp.refusals import bad_request, missing

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.forms import Schema

PURPOSE: Final = "dispute_evidence"
FILES: Final = frozenset(
    {
        "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation",
        "receipt", "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
    }
)  # fmt: skip
TEXTS: Final = frozenset(
    {
        "access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal",
        "customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation",
        "duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation",
        "service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number",
        "uncategorized_text",
    }
)  # fmt: skip
FORMS: Final = {"pdf": b"%PDF", "jpg": b"\xff\xd8", "png": b"\x89PNG"}
MOST_BYTES: Final = 5_000_000
UPLOAD: Final[Schema] = {"purpose": TEXT, "file": FILE, "expand": [TEXT]}
ANSWER: Final[Schema] = {
    "evidence": dict.fromkeys(sorted(FILES | TEXTS), TEXT), "submit": BOOL, "metadata": MAP, "expand": [TEXT],
}  # fmt: skip
OPEN: Final = ("needs_response", "warning_needs_response")


def upload(call: Call) -> Object:
    """POST /v1/files."""
    file = call.params["file"]
    form = next((name for name, begins in FORMS.items() if file["content"].startswith(begins)), None)
    if call.params["purpose"] != PURPOSE:
        msg = f"This account uploads files for one purpose: {PURPOSE}"
        raise bad_request(msg, param="purpose")
    if form is None:
        msg = "The file type is not supported for this purpose. Supported: pdf, jpg, png."
        raise bad_request(msg, code="file_type_unsupported", param="file")
    if len(file["content"]) > MOST_BYTES:
        msg = "The file is larger than 5 MB."
        raise bad_request(msg, code="file_too_large", param="file")
    return call.put(
        {
            "id": call.new_id("file"),
            "object": "file",
            "created": call.now,
            "expires_at": None,
            "filename": file["filename"],
            "links": {"object": "list", "data": [], "has_more": False, "url": "/v1/file_links"},
            "purpose": PURPOSE,
            "size": len(file["content"]),
            "title": None,
            "type": form,
            "url": None,
        }
    )


def answer(call: Call) -> Object:
    """POST /v1/disputes/{id}: evidence is staged, or handed to the bank, once."""
    dispute = call.get("dispute", call.id)
    if dispute["status"] not in OPEN:
        msg = "This dispute is already closed or its evidence has been submitted."
        raise bad_request(msg)
    told = call.params.get("evidence", {})
    for name in FILES & set(told):
        file = call.find(told[name])
        if file is None or file["object"] != "file":
            kind = "file"
            raise missing(kind, told[name], f"evidence[{name}]")
    dispute["evidence"] = dispute["evidence"] | told
    dispute["metadata"] = dispute["metadata"] | call.params.get("metadata", {})
    dispute["evidence_details"] = dispute["evidence_details"] | {"has_evidence": bool(dispute["evidence"])}
    if call.params.get("submit", True):
        count = dispute["evidence_details"]["submission_count"] + 1
        dispute["evidence_details"] = dispute["evidence_details"] | {"submission_count": count}
        call.put(dispute)
        warned = "warning_" if dispute["status"].startswith("warning") else ""
        return decide(call, call.id, f"{warned}under_review")[0]
    return call.put(dispute)


def close(call: Call) -> Object:
    """POST /v1/disputes/{id}/close: it is lost."""
    dispute = call.get("dispute", call.id)
    if dispute["status"] not in OPEN:
        msg = "This dispute is already closed."
        raise bad_request(msg)
    return decide(call, call.id, "lost")[0]
