"""What each route answers, for the documentation: loaded when somebody asks for it, never at a start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.entrypoints.http import answers as a
from tallywatt.entrypoints.http.manners import FIELDS, IF_MATCH
from tallywatt.entrypoints.http.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS: Final[dict[str, Any]] = {
    "GET /operators/me": a.Operator,
    "PATCH /operators/me": a.OperatorKept,
    "PUT /operators/me/policy": a.PolicyKept,
    "GET /provider-accounts": a.Page[a.ProviderAccount],
    "POST /provider-accounts": a.ProviderAccountKept,
    "GET /provider-accounts/{account_id}": a.ProviderAccount,
    "PUT /provider-accounts/{account_id}/captures": a.ProviderAccountKept,
    "GET /readers": a.Page[a.CardReader],
    "POST /readers": a.CardReaderKept,
    "GET /readers/{reader_id}": a.CardReader,
    "DELETE /readers/{reader_id}": a.CardReaderKept,
    "GET /locations": a.Page[a.Location],
    "POST /locations": a.LocationKept,
    "GET /locations/{location_reference}": a.Location,
    "PATCH /locations/{location_reference}": a.LocationKept,
    "GET /stations": a.Page[a.Station],
    "POST /stations": a.StationKept,
    "GET /stations/{identity}": a.StationDetail,
    "GET /stations/{identity}/frames": a.Page[a.FrameHead],
    "GET /stations/{identity}/log": a.Page[a.LoggedMessage],
    "POST /stations/{identity}/adopt": a.StationKept,
    "POST /stations/{identity}/commands": a.CommandKept,
    "GET /stations/{identity}/power-limits": a.PowerLimits,
    "GET /stations/{identity}/display-texts": a.ShownTexts,
    "POST /stations/{identity}/power-limits": a.CommandKept,
    "POST /stations/{identity}/power-limits/clear": a.CommandKept,
    "POST /stations/{identity}/power-limits/ask": a.CommandKept,
    "POST /stations/{identity}/display-texts": a.CommandKept,
    "POST /stations/{identity}/display-texts/clear": a.CommandKept,
    "POST /stations/{identity}/display-texts/ask": a.CommandKept,
    "GET /frames/{frame_id}": a.Frame,
    "GET /commands": a.Page[a.Command],
    "GET /commands/{command_id}": a.Command,
    "GET /commands/{command_id}/reports": a.Page[a.StationReport],
    "GET /authorities": a.Page[a.Authority],
    "GET /stations/{identity}/certificates": a.Page[a.StationCertificate],
    "POST /stations/{identity}/certificates": a.StationCertificateKept,
    "POST /certificates/{certificate_id}/revoke": a.StationCertificateKept,
    "GET /messages": a.Page[a.StationMessage],
    "GET /stations/{identity}/configuration": a.Page[a.StationVariable],
    "GET /security-events": a.Page[a.SecurityEvent],
    "GET /notices": a.Page[a.StationNotice],
    "PATCH /stations/{identity}": a.StationKept,
    "PATCH /evses/{code}": a.EvseKept,
    "GET /evses/{code}/price": a.ShownPrice,
    "POST /tariffs/assignments/{assignment_id}/end": a.AssignmentKept,
    "GET /meter-keys": a.Page[a.MeterKey],
    "POST /meter-keys": a.MeterKeyKept,
    "GET /meter-keys/{key_id}": a.MeterKey,
    "POST /meter-keys/{key_id}/end": a.MeterKeyKept,
    "GET /sessions/{session_id}/signed-values": a.SignedValues,
    "GET /evses": a.Page[a.Evse],
    "GET /evses/{code}": a.Evse,
    "GET /tariffs": a.Page[a.Tariff],
    "POST /tariffs": a.TariffKept,
    "GET /tariffs/assignments": a.Page[a.Assignment],
    "POST /tariffs/assignments": a.AssignmentKept,
    "GET /tariffs/{tariff_version_id}": a.Tariff,
    "GET /customers": a.Page[a.Customer],
    "POST /customers": a.CustomerKept,
    "GET /customers/{reference}": a.CustomerDetail,
    "PATCH /customers/{reference}": a.CustomerKept,
    "DELETE /customers/{reference}": a.ErasureBegun,
    "GET /customers/{reference}/payment-methods": a.Page[a.PaymentMethod],
    "GET /approvals": a.Page[a.Approval],
    "GET /approvals/{approval_id}": a.Approval,
    "POST /approvals/{approval_id}/approve": a.ApprovalKept,
    "POST /approvals/{approval_id}/decline": a.ApprovalKept,
    "GET /corrections": a.Page[a.Correction],
    "POST /corrections": a.CorrectionKept,
    "GET /corrections/{correction_id}": a.Correction,
    "GET /corrections/{correction_id}/sessions": a.Page[a.CorrectedSession],
    "POST /corrections/{correction_id}/carry-out": a.CorrectionKept,
    "POST /corrections/{correction_id}/discard": a.CorrectionKept,
    "POST /corrections/{correction_id}/sessions/{session_id}/waive": a.CorrectedSessionKept,
    "POST /sessions/{session_id}/rest-page": a.RestPage,
    "GET /money-limits": a.Page[a.MoneyLimit],
    "PUT /money-limits/{holder}/{currency}": a.MoneyLimit,
    "GET /circles": a.Page[a.Circle],
    "POST /circles": a.Circle,
    "GET /circles/{circle_id}": a.Circle,
    "GET /circles/{circle_id}/customers": a.Page[a.Belonging],
    "POST /circles/{circle_id}/customers": a.BelongingKept,
    "POST /belongings/{belonging_id}/end": a.BelongingKept,
    "GET /customers/{reference}/circles": a.Page[a.Belonging],
    "GET /customers/{reference}/account": a.CustomerAccount,
    "POST /customers/{reference}/balance": a.BalanceOpened,
    "POST /customers/{reference}/top-ups": a.PageOpened,
    "POST /customers/{reference}/balance/payout": a.PaidOut,
    "POST /customers/{reference}/credit": a.CreditKept,
    "POST /customers/{reference}/credit/end": a.CreditKept,
    "GET /open-items": a.OpenItems,
    "POST /transfers": a.TransferKept,
    "GET /creditor": a.Creditor,
    "PUT /creditor": a.Creditor,
    "GET /mandates": a.Page[a.Mandate],
    "POST /mandates": a.MandateKept,
    "GET /mandates/{mandate_id}": a.Mandate,
    "POST /mandates/{mandate_id}/revoke": a.MandateKept,
    "POST /mandates/{mandate_id}/resume": a.MandateKept,
    "GET /debit-preview": a.DebitPreview,
    "GET /debit-batches": a.Page[a.DebitBatch],
    "POST /debit-batches": a.DebitBatch,
    "GET /debit-batches/{batch_id}": a.DebitBatch,
    "GET /debit-batches/{batch_id}/debits": a.Page[a.Debit],
    "POST /debit-batches/{batch_id}/cancel": a.DebitBatch,
    "POST /debit-reports": a.ReportTaken,
    "POST /bank-statements": a.StatementTaken,
    "GET /bank-lines": a.Page[a.BankLine],
    "GET /bank-lines/{line_id}": a.BankLine,
    "POST /bank-lines/{line_id}/decide": a.BankLineKept,
    "POST /bank-lines/{line_id}/undo": a.BankLineKept,
    "GET /disputes": a.Page[a.Dispute],
    "GET /due-disputes": a.DueDisputes,
    "GET /disputes/{dispute_id}": a.DisputeDetail,
    "GET /disputes/{dispute_id}/grounds": a.DisputeGrounds,
    "POST /disputes/{dispute_id}/contest": a.Dispute,
    "POST /disputes/{dispute_id}/accept": a.DisputeLetGo,
    "GET /coupons": a.Page[a.Coupon],
    "POST /coupons": a.Coupon,
    "GET /coupons/{coupon_id}": a.Coupon,
    "GET /coupons/{coupon_id}/uses": a.Page[a.CouponUse],
    "POST /coupons/{coupon_id}/end": a.Coupon,
    "POST /customers/{reference}/coupons": a.CouponKept,
    "GET /tokens": a.Page[a.Token],
    "POST /tokens": a.TokenKept,
    "GET /tokens/{token_id}": a.Token,
    "POST /tokens/{token_id}/block": a.TokenKept,
    "POST /tokens/{token_id}/unblock": a.TokenKept,
    "GET /market-prices": a.Page[a.MarketPrice],
    "POST /market-prices": a.MarketPricesKept,
    "GET /sessions": a.Page[a.Session],
    "POST /sessions": a.SessionKept,
    "GET /sessions/{session_id}": a.SessionDetail,
    "GET /sessions/{session_id}/cost": a.SessionCost,
    "POST /sessions/{session_id}/stop": a.CommandKept,
    "POST /sessions/{session_id}/limit": a.LimitKept,
    "GET /payments": a.Page[a.Payment],
    "GET /payments/{payment_id}": a.Payment,
    "POST /payments/{payment_id}/refunds": a.RefundKept,
    "POST /payments/{payment_id}/retry": a.PaymentKept,
    "POST /payments/{payment_id}/release": a.PaymentKept,
    "GET /invoices": a.Page[a.Invoice],
    "GET /invoices/{number}": a.InvoiceDetail,
    "GET /inbox": a.Page[a.InboxItem],
    "GET /inbox/{item_id}": a.InboxItem,
    "POST /inbox/{item_id}/resolve": a.InboxItemKept,
    "POST /inbox/work-off": a.WorkedOff,
    "GET /commissioning": a.Commissioning,
    "POST /commissioning": a.SettingRightKept,
    "GET /stations/{identity}/key": a.KeyChange,
    "POST /stations/{identity}/key": a.KeyStanding,
    "POST /stations/{identity}/key/give-up": a.KeyStanding,
    "GET /reservations": a.Page[a.Reservation],
    "GET /reservations/{reservation_id}": a.Reservation,
    "POST /stations/{identity}/reservations": a.ReservationKept,
    "POST /reservations/{reservation_id}/cancel": a.ReservationKept,
    "GET /local-lists": a.LocalLists,
    "POST /local-lists": a.ListSwitchKept,
    "POST /stations/{identity}/local-list": a.ListSwitchKept,
    "POST /stations/{identity}/local-list/send": a.ListAsked,
    "GET /stations/{identity}/billable": a.Billable,
    "POST /stations/{identity}/check": a.Checked,
    "POST /stations/{identity}/commissioning": a.SettingRightKept,
    "GET /stations/{identity}/profile": a.ProfileMove,
    "POST /stations/{identity}/profile": a.ProfileMoveKept,
    "POST /stations/{identity}/profile/give-up": a.ProfileMoveKept,
    "GET /station-tariffs": a.StationTariffs,
    "GET /stations/{identity}/tariffs": a.StationTariffs,
    "POST /stations/{identity}/tariffs/tell": a.TariffsAsked,
    "POST /stations/{identity}/tariffs/clear": a.TariffsAsked,
    "GET /counted-costs": a.Page[a.CountedCost],
    "GET /sessions/{session_id}/counted": a.CountedOf,
    "GET /offline": a.OfflineRules,
    "POST /offline": a.OfflineKept,
    "POST /locations/{location_reference}/offline": a.OfflineKept,
    "DELETE /offline": a.OfflineKept,
    "DELETE /locations/{location_reference}/offline": a.OfflineKept,
    "DELETE /stations/{identity}/offline": a.OfflineKept,
    "GET /stations/{identity}/offline": a.OfflineOf,
    "POST /stations/{identity}/offline": a.OfflineKept,
    "POST /display": a.DisplayKept,
    "POST /stations/{identity}/display": a.DisplayKept,
    "GET /rules": a.Rules,
    "POST /rules": a.Rule,
    "POST /rules/{name}/end": a.Rule,
    "GET /profiles": a.Profiles,
    "POST /profiles": a.Profile,
    "GET /jobs": a.JobPage,
    "GET /jobs/{job_id}": a.Job,
    "POST /jobs/{job_id}/retry": a.JobKept,
    "GET /audit/summary": a.Summary,
    "GET /actions": a.Page[a.ActionTaken],
    "GET /imports": a.Page[a.Import],
    "POST /imports": a.ImportKept,
    "GET /imports/{import_id}": a.Import,
    "GET /imports/{import_id}/rows": a.Page[a.ImportedRow],
    "POST /imports/{import_id}/cancel": a.ImportKept,
    "GET /audits": a.Page[a.Audit],
    "POST /audits": a.AuditKept,
    "GET /audits/{audit_id}": a.AuditDetail,
    "GET /audits/{audit_id}/findings": a.Page[a.AuditFinding],
    "GET /explanations": a.Page[a.Explanation],
    "GET /revenue": a.Page[a.RevenueDay],
    "GET /ledger/accounts": a.Page[a.LedgerAccount],
    "GET /api-keys": a.Page[a.ApiKey],
    "POST /api-keys": a.NewKey,
    "POST /api-keys/{api_key_id}/rotate": a.NewKey,
    "DELETE /api-keys/{api_key_id}": a.ApiKey,
    "GET /event-types": a.Page[a.EventType],
    "GET /webhook-endpoints": a.Page[a.Endpoint],
    "POST /webhook-endpoints": a.NewEndpoint,
    "GET /webhook-endpoints/{endpoint_id}": a.Endpoint,
    "PATCH /webhook-endpoints/{endpoint_id}": a.EndpointKept,
    "DELETE /webhook-endpoints/{endpoint_id}": a.EndpointKept,
    "POST /webhook-endpoints/{endpoint_id}/enable": a.EndpointKept,
    "POST /webhook-endpoints/{endpoint_id}/disable": a.EndpointKept,
    "POST /webhook-endpoints/{endpoint_id}/rotate": a.NewEndpoint,
    "POST /webhook-endpoints/{endpoint_id}/test": a.EndpointKept,
    "POST /webhook-endpoints/{endpoint_id}/replay": a.Replayed,
    "GET /webhook-endpoints/{endpoint_id}/deliveries": a.Page[a.Delivery],
    "GET /webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}": a.DeliveryDetail,
    "GET /health": a.Health,
    "GET /ready": a.Readiness,
    "POST /webhooks/{provider}/{account_id}": a.WebhookTaken,
}
"""A route that is not here, nor among those that answer no JSON of ours, fails a test."""
OTHERWISE: Final[dict[str, str]] = {
    "GET /invoices/{number}.pdf": "application/pdf",
    "GET /sessions/{session_id}/signed-values.xml": "application/xml",
    "POST /debit-batches/{batch_id}/file": "application/xml",
    "GET /disputes/{dispute_id}/evidence.zip": "application/zip",
    "GET /disputes/{dispute_id}/evidence.pdf": "application/pdf",
    "GET /imports/{import_id}/rows.csv": "text/csv",
    "GET /events": "text/event-stream",
}
"""Routes that answer something else."""
EXAMPLES_FILE: Final = Path(__file__).parent / "examples.json"
"""A request and its answer for every route of ANSWERS; `tests/entrypoints/http/examples.py` asks them, and writes them down."""
VERSIONED: Final = frozenset(
    {
        "PATCH /operators/me",
        "PUT /operators/me/policy",
        "PATCH /locations/{location_reference}",
        "PATCH /stations/{identity}",
        "PATCH /webhook-endpoints/{endpoint_id}",
        "PATCH /customers/{reference}",
        "POST /tokens/{token_id}/block",
        "POST /tokens/{token_id}/unblock",
    }
)
"""Writes that compare an If-Match with the version of what they change."""
_ETAG: Final = {"ETag": {"description": "What this answer is known by.", "schema": {"type": "string"}}}
_LINK: Final = {"Link": {"description": 'The next page, `rel="next"`.', "schema": {"type": "string"}}}
_REPLAYED: Final = {
    "Idempotency-Replayed": {"description": "The answer of the first time.", "schema": {"type": "string"}}
}


def describe(api: dict[str, Any]) -> None:
    """Write into an OpenAPI file what every route answers, and the manners that all have."""
    types = list(dict.fromkeys(ANSWERS.values()))
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(types, schemas, strict=True))
    examples = json.loads(EXAMPLES_FILE.read_text(encoding="utf-8"))
    api["components"]["schemas"].update(components)
    for name, operation in operations(api):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and name in {*ANSWERS, *OTHERWISE}:
                answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        if name in OTHERWISE:
            _answer_of(operation)["content"] = {OTHERWISE[name]: {"schema": {"type": "string", "format": "binary"}}}
        if name in ANSWERS:
            _answer_of(operation)["content"] = {"application/json": {"schema": by_type[ANSWERS[name]]}}
            _add_manners(name, operation)
        if name in examples:
            _add_example(operation, examples[name])
        if name == "GET /ready":
            # Not ready is an answer as well, not a problem.
            operation["responses"]["503"]["content"] = _answer_of(operation)["content"]


def _add_example(operation: dict[str, Any], example: dict[str, Any]) -> None:
    given = {**example.get("names", {}), **example.get("query", {})}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] in {"path", "query"} and parameter["name"] in given:
            text = given[parameter["name"]]
            whole = parameter["schema"].get("type") == "integer"
            parameter["example"] = int(text) if whole else text
    if "request" in example:
        content = operation["requestBody"]["content"]
        media = next(iter(content)) if isinstance(example["request"], str) else "application/json"
        content[media]["example"] = example["request"]
    _answer_of(operation)["content"]["application/json"]["example"] = example["answer"]


def operations(api: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its name: `GET /sessions`."""
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _answer_of(operation: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = next(one for status, one in operation["responses"].items() if status.startswith("2"))
    return answer


def _add_manners(name: str, operation: dict[str, Any]) -> None:
    if not name.startswith("GET "):
        # It is not read to its end, and answered before any route of ours is reached.
        operation["responses"]["413"] = {
            "description": "The body is too long.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    if "security" not in operation:
        return
    parameters = operation.setdefault("parameters", [])
    answer = _answer_of(operation)
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    if name.startswith("GET "):
        is_list = any(one["name"] == "cursor" for one in parameters)
        parameters += [_fields(of_items=is_list), _IF_NONE_MATCH]
        answer["headers"] = {**_ETAG, **(_LINK if is_list else {})}
        operation["responses"]["304"] = {"description": "It is as you have it.", "headers": _ETAG}
        return
    answer["headers"] = _REPLAYED
    if name in VERSIONED:
        parameters.append(_IF_MATCH)
        operation["responses"]["412"] = {"description": "It was changed since you read it.", **problem}


def _fields(*, of_items: bool) -> dict[str, Any]:
    whose = "each item" if of_items else "the answer"
    return {
        "name": FIELDS,
        "in": "query",
        "required": False,
        "schema": {"type": "string", "minLength": 1},
        "description": f"Members with commas between: {whose} holds these alone, also where the schema requires others.",
    }


_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of the answer that you have: 304 when it still holds.",
}
_IF_MATCH: Final = {
    "name": IF_MATCH.title(),
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of what you have read: 412, and nothing is changed, when somebody else was faster.",
}
