"""One example of every operation of the API, and a house in which they make sense: `python -m tests.entrypoints.http.examples`.

That asks each of them and writes what was said into the package, from where the OpenAPI file and its page take them.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tallywatt.adapters.storage.rollups import roll_up_revenue
from tallywatt.customers.circle import CircleKind
from tallywatt.customers.roles import Role
from tallywatt.entrypoints.http.described import EXAMPLES_FILE
from tallywatt.entrypoints.http.once import KEY_HEADER
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.clock import Instant, instant, local_date
from tallywatt.kernel.identity import CommandId, StationId
from tallywatt.kernel.money import money
from tallywatt.market.price import Told
from tallywatt.metering.facts import Heard, Noticed, Reported, SecurityTold
from tallywatt.payments.bank import ToldBankLine
from tallywatt.payments.provider import Declined
from tallywatt.stations.certificates import Issued
from tallywatt.stations.command import Action
from tallywatt.stations.notices import notices_of
from tallywatt.stations.traffic import Direction, OpenCalls, gathered
from tallywatt.wiring import upgrade
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.certify import (
    AskCertificate,
    KeepCertificate,
    PutAuthority,
    ask_certificate,
    keep_certificate,
    put_authority,
)
from tallywatt.workflows.close_gap import hear_answer
from tallywatt.workflows.command_station import CommandAnswered, CommandStation
from tallywatt.workflows.correct_prices import (
    NotePriced,
    OpenCorrection,
    OrderCorrection,
    PricedAgain,
    note_priced,
    open_correction,
    order_correction,
)
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key
from tallywatt.workflows.hear_notice import hear_notice
from tallywatt.workflows.hear_report import hear_report, hear_security_event
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, add_circle, join_circle
from tallywatt.workflows.keep_local_list import SwitchLists, switch_lists
from tallywatt.workflows.keep_mandate import SetCreditor, SignMandate, set_creditor, sign_mandate
from tallywatt.workflows.keep_own_account import AllowInvoice, allow_invoice
from tallywatt.workflows.keep_traffic import KeepTraffic, keep_traffic
from tallywatt.workflows.move_profile import MoveProfile, move_profile
from tallywatt.workflows.order_station import order_station
from tallywatt.workflows.ports import LinkAnswer
from tallywatt.workflows.prepare_debits import PrepareDebits, prepare_debits
from tallywatt.workflows.put_market_prices import PutMarketPrices, put_market_prices
from tallywatt.workflows.put_rule import PutProfile, PutRule, put_profile, put_rule
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.register_meter_key import RegisterMeterKey, register_meter_key
from tallywatt.workflows.replace_key import ReplaceKey, replace_key
from tallywatt.workflows.replay_webhook import TryWebhook, try_webhook
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.take_statement import TakeStatement, take_statement
from tallywatt.workflows.use_coupon import AddCoupon, KeepCouponOf, add_coupon, keep_coupon_of
from tests.entrypoints.conforming import end_loop
from tests.entrypoints.http.counted import has_counted, told_to_count
from tests.entrypoints.http.disputed import disputed, paid_there
from tests.entrypoints.http.reserved import a_reader, reserved, speaks
from tests.entrypoints.scene import TARIFF, Scene
from tests.metering.signed.meter import Meter

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.testclient import TestClient


@dataclass(frozen=True)
class Asked:
    """What is sent: names in the address stand for a thing of the house, or for themselves."""

    names: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def bytes(self) -> bytes:
        """The body as it goes over the line."""
        if self.body is None:
            return b""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def _thing(name: str, thing: str, **more: Any) -> Asked:
    return Asked({name: f"<{thing}>"}, **more)


METER: Final = Meter()
DEARER: Final[dict[str, Any]] = {
    **TARIFF,
    "id": "city-as-agreed",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.80", "vat": "20", "step_size": 1}]}],
}
CARDS: Final = "uid,customer\n04B1C2D3E4F501,C1\n04B1C2D3E4F502,C99\n"
REPORT: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">'
    "<CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>DD20261207-7K3M9QX2AB</OrgnlMsgId><GrpSts>RJCT</GrpSts>"
    "</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
)
STATEMENT: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
    "<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>2026-11-20</Id>"
    "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
    '<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR">12.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    "<BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>BANK1</AcctSvcrRef></Ntry>"
    "</Stmt></BkToCstmrStmt></Document>"
)
MOVED_TO: Final = "wss://csms.example.org:9001/ocpp/dundee"
_ONE: Final = Asked(query={"limit": "1"})
ANOTHER_REQUEST: Final = "-----BEGIN CERTIFICATE REQUEST-----\nMIHbMIGCAgEA\n-----END CERTIFICATE REQUEST-----\n"
ASKED: Final[dict[str, Asked]] = {
    "GET /health": Asked(),
    "GET /ready": Asked(),
    "GET /operators/me": Asked(),
    "GET /provider-accounts": Asked(),
    "GET /provider-accounts/{account_id}": _thing("account_id", "account"),
    "GET /locations": _ONE,
    "GET /locations/{location_reference}": Asked({"location_reference": "queen-street"}),
    "GET /stations": _ONE,
    "GET /stations/{identity}": Asked({"identity": "CP1"}),
    "GET /stations/{identity}/frames": Asked({"identity": "CP1"}, {"limit": "1"}),
    "GET /stations/{identity}/log": Asked({"identity": "CP1"}, {"limit": "1"}),
    "GET /frames/{frame_id}": _thing("frame_id", "frame"),
    "GET /commands": _ONE,
    "GET /commands/{command_id}": _thing("command_id", "command"),
    "GET /commands/{command_id}/reports": _thing("command_id", "report"),
    "GET /authorities": Asked(),
    "GET /stations/{identity}/certificates": Asked({"identity": "CP1"}),
    "POST /stations/{identity}/certificates": Asked(
        {"identity": "CP2"},
        body={"request": "-----BEGIN CERTIFICATE REQUEST-----\nMIHcMIGDAgEA\n-----END CERTIFICATE REQUEST-----\n"},
    ),
    "POST /certificates/{certificate_id}/revoke": _thing("certificate_id", "certificate", body={"reason": "stolen"}),
    "GET /messages": Asked(query={"name": "ClearCache"}),
    "GET /commissioning": Asked(),
    "GET /readers": Asked(),
    "GET /readers/{reader_id}": _thing("reader_id", "reader"),
    "POST /readers": Asked(
        body={"account": "main", "reader_ref": "tmr_G6YA1cYr9z", "label": "Post 2", "evses": ["GB*TWA*ECP1*1"]}
    ),
    "DELETE /readers/{reader_id}": _thing("reader_id", "reader"),
    "GET /reservations": Asked(),
    "GET /reservations/{reservation_id}": _thing("reservation_id", "reservation"),
    "POST /reservations/{reservation_id}/cancel": _thing("reservation_id", "reservation"),
    "POST /stations/{identity}/reservations": Asked(
        {"identity": "CP1"}, body={"evse": "GB*TWA*ECP1*1", "customer": "C1", "minutes": 30}
    ),
    "GET /local-lists": Asked(),
    "GET /stations/{identity}/billable": Asked({"identity": "CP1"}),
    "GET /stations/{identity}/configuration": Asked({"identity": "CP1"}, {"limit": "1"}),
    "GET /security-events": _ONE,
    "GET /notices": _ONE,
    "GET /meter-keys": _ONE,
    "GET /meter-keys/{key_id}": _thing("key_id", "meter_key"),
    "GET /sessions/{session_id}/signed-values": _thing("session_id", "session"),
    "GET /evses": Asked(query={"station": "CP1", "limit": "1"}),
    "GET /evses/{code}": Asked({"code": "GB*TWA*ECP1*1"}),
    "GET /evses/{code}/price": Asked({"code": "GB*TWA*ECP1*1"}),
    "GET /tariffs": _ONE,
    "GET /tariffs/{tariff_version_id}": _thing("tariff_version_id", "tariff"),
    "GET /tariffs/assignments": _ONE,
    "GET /customers": _ONE,
    "GET /customers/{reference}": Asked({"reference": "C1"}),
    "GET /customers/{reference}/payment-methods": Asked({"reference": "C1"}),
    "GET /customers/{reference}/circles": Asked({"reference": "C1"}),
    "GET /circles": _ONE,
    "GET /circles/{circle_id}": _thing("circle_id", "circle"),
    "GET /circles/{circle_id}/customers": _thing("circle_id", "circle", query={"limit": "1"}),
    "GET /coupons": _ONE,
    "GET /coupons/{coupon_id}": _thing("coupon_id", "coupon"),
    "GET /coupons/{coupon_id}/uses": _thing("coupon_id", "coupon", query={"limit": "1"}),
    "GET /tokens": Asked(query={"customer": "C1", "limit": "1"}),
    "GET /tokens/{token_id}": _thing("token_id", "token"),
    "GET /market-prices": _ONE,
    "POST /market-prices": Asked(
        body={
            "market": "DE-LU",
            "minutes": 60,
            "currency": "EUR",
            "prices": [
                {"starts_at": "2026-11-24T00:00:00+01:00", "per_mwh": "81.25"},
                {"starts_at": "2026-11-24T01:00:00+01:00", "per_mwh": "-3.10"},
            ],
        }
    ),
    "GET /sessions": _ONE,
    "GET /sessions/{session_id}": _thing("session_id", "session"),
    "GET /sessions/{session_id}/cost": _thing("session_id", "running", query={"limit_minor": "500"}),
    "GET /payments": _ONE,
    "GET /payments/{payment_id}": _thing("payment_id", "payment"),
    "GET /invoices": _ONE,
    "GET /invoices/{number}": _thing("number", "invoice"),
    "GET /inbox": Asked(query={"state": "open", "limit": "1"}),
    "GET /inbox/{item_id}": _thing("item_id", "item"),
    "GET /rules": Asked(),
    "GET /profiles": Asked(),
    "GET /jobs": Asked(query={"state": "ready", "limit": "1"}),
    "GET /jobs/{job_id}": _thing("job_id", "job"),
    "GET /audit/summary": Asked(),
    "GET /actions": _ONE,
    "GET /explanations": _ONE,
    "GET /revenue": Asked(),
    "GET /ledger/accounts": Asked(),
    "GET /api-keys": _ONE,
    "GET /event-types": Asked(),
    "GET /webhook-endpoints": Asked(),
    "GET /webhook-endpoints/{endpoint_id}": _thing("endpoint_id", "endpoint"),
    "GET /webhook-endpoints/{endpoint_id}/deliveries": _thing("endpoint_id", "endpoint", query={"limit": "1"}),
    "GET /webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}": Asked(
        {"endpoint_id": "<endpoint>", "delivery_id": "<delivery>"}
    ),
    "GET /imports": _ONE,
    "GET /imports/{import_id}": _thing("import_id", "import"),
    "GET /imports/{import_id}/rows": _thing("import_id", "import", query={"limit": "1"}),
    "GET /audits": _ONE,
    "GET /audits/{audit_id}": _thing("audit_id", "audit"),
    "GET /audits/{audit_id}/findings": _thing("audit_id", "audit", query={"limit": "1"}),
    "PATCH /operators/me": Asked(body={"hold_minor": 4000, "start_deadline_seconds": 120}),
    "PUT /operators/me/policy": Asked(body={"policy": {"amounts": "gross_first"}}),
    "POST /provider-accounts": Asked(
        body={
            "name": "cards",
            "provider": "stripe",
            "currencies": ["GBP"],
            "secret_reference": "env:STRIPE_KEY",
            "webhook_secret_references": ["env:STRIPE_WEBHOOK_SECRET"],
        }
    ),
    "PUT /provider-accounts/{account_id}/captures": _thing("account_id", "account", body={"several": False}),
    "POST /locations": Asked(
        body={
            "reference": "riverside",
            "name": "Riverside",
            "address": "Riverside Car Park",
            "city": "Dundee",
            "postal_code": "DD1 4DB",
            "country": "GB",
            "zone": "Europe/London",
        }
    ),
    "PATCH /locations/{location_reference}": Asked(
        {"location_reference": "riverside"}, body={"latitude": "56.4557", "longitude": "-2.9689"}
    ),
    "POST /stations": Asked(
        body={
            "identity": "RS-1",
            "location": "riverside",
            "key": "a-long-station-key",
            "evses": [{"number": 1, "current": "dc", "max_watts": 150000}],
        }
    ),
    "POST /stations/{identity}/adopt": Asked(
        {"identity": "CP9"}, body={"location": "greenmarket", "evses": [{"number": 1, "max_watts": 11000}]}
    ),
    "POST /stations/{identity}/commands": Asked(
        {"identity": "CP1"}, body={"action": "unlock", "evse": "GB*TWA*ECP1*1"}
    ),
    "PATCH /stations/{identity}": Asked({"identity": "RS-1"}, body={"key": "another-long-station-key"}),
    "PATCH /evses/{code}": Asked({"code": "GB*TWA*ECP3*1"}, body={"max_watts": 11000, "deployed_on": "2024-04-08"}),
    "POST /meter-keys": Asked(
        body={"meter_serial": "1EMH0012345678", "public_key": METER.key, "evse": "GB*TWA*ECP3*1"}
    ),
    "POST /meter-keys/{key_id}/end": _thing("key_id", "meter_key", body={"at": "2030-01-01T00:00:00Z"}),
    "POST /tariffs": Asked(body={**TARIFF, "id": "riverside-2026", "name": "Riverside 2026"}),
    "POST /tariffs/assignments": Asked(
        body={
            "tariff": "riverside-2026",
            "scope": "location",
            "target": "riverside",
            "valid_from": "2027-01-01T00:00:00Z",
        }
    ),
    "POST /tariffs/assignments/{assignment_id}/end": _thing(
        "assignment_id", "assignment", body={"at": "2030-01-01T00:00:00Z"}
    ),
    "POST /customers": Asked(body={"reference": "F-17", "name": "Van 17", "language": "en"}),
    "PATCH /customers/{reference}": Asked({"reference": "F-17"}, body={"name": "Van 17, south depot"}),
    "POST /circles": Asked(body={"kind": "fleet", "name": "parcels", "title": "Parcel vans"}),
    "POST /circles/{circle_id}/customers": _thing(
        "circle_id", "circle", body={"customer": "F-17", "valid_from": "2027-01-01T00:00:00Z"}
    ),
    "POST /belongings/{belonging_id}/end": _thing("belonging_id", "belonging", body={"at": "2030-01-01T00:00:00Z"}),
    "POST /coupons": Asked(
        body={
            "code": "SUMMER-5",
            "terms": {"after_taxes": "5.00", "dimensions": ["ENERGY"]},
            "title": "Five pounds off",
            "most_uses": 200,
            "valid_until": "2027-09-01T00:00:00Z",
        }
    ),
    "GET /customers/{reference}/account": Asked({"reference": "C1"}),
    "POST /customers/{reference}/balance": Asked({"reference": "C1"}, body={"currency": "GBP"}),
    "POST /customers/{reference}/top-ups": Asked(
        {"reference": "C1"},
        body={
            "amount_minor": 2000,
            "currency": "GBP",
            "title": "Top up",
            "success_url": "https://example.org/paid",
            "cancel_url": "https://example.org/account",
        },
    ),
    "POST /customers/{reference}/balance/payout": Asked({"reference": "C1"}, body={"currency": "GBP"}),
    "POST /customers/{reference}/credit": Asked(
        {"reference": "C1"}, body={"currency": "GBP", "limit_minor": 50_000, "term_days": 14}
    ),
    "POST /customers/{reference}/credit/end": Asked({"reference": "C1"}, body={"currency": "GBP"}),
    "GET /open-items": Asked(query={"overdue": "false"}),
    "POST /transfers": Asked(
        body={
            "key": "statement 12, line 4",
            "amount_minor": 1250,
            "currency": "GBP",
            "received_on": "2027-01-04",
            "customer": "C1",
            "reference": "thank you",
        }
    ),
    "PUT /creditor": Asked(
        body={"creditor_id": "DE98ZZZ09999999999", "name": "Dundee City Charging", "iban": "DE89370400440532013000"}
    ),
    "GET /creditor": Asked(),
    "GET /mandates": Asked(query={"limit": "1", "state": "active"}),
    "POST /mandates": Asked(
        body={"customer": "C2", "iban": "NL91ABNA0417164300", "signed_on": "2026-11-02", "reference": "M-17"}
    ),
    "GET /mandates/{mandate_id}": _thing("mandate_id", "mandate"),
    "GET /debit-preview": Asked(),
    "POST /debit-batches": Asked(body={"key": "second run of November"}),
    "GET /debit-batches": _ONE,
    "GET /debit-batches/{batch_id}": _thing("batch_id", "debit_batch"),
    "GET /debit-batches/{batch_id}/debits": _thing("batch_id", "debit_batch", query={"limit": "1"}),
    "POST /debit-reports": Asked(body=REPORT),
    "POST /debit-batches/{batch_id}/cancel": _thing("batch_id", "debit_batch"),
    "POST /mandates/{mandate_id}/resume": _thing("mandate_id", "mandate"),
    "POST /mandates/{mandate_id}/revoke": _thing("mandate_id", "mandate"),
    "POST /bank-statements": Asked(body=STATEMENT),
    "GET /bank-lines": Asked(query={"limit": "1", "state": "open"}),
    "GET /bank-lines/{line_id}": _thing("line_id", "bank_line"),
    "POST /bank-lines/{line_id}/decide": _thing(
        "line_id", "bank_line", body={"nothing": True, "note": "rent of the site"}
    ),
    "POST /bank-lines/{line_id}/undo": _thing("line_id", "bank_line", body={"reason": "it was a customer's"}),
    "GET /disputes": Asked(query={"limit": "1", "state": "open"}),
    "GET /due-disputes": Asked(),
    "GET /disputes/{dispute_id}": _thing("dispute_id", "dispute"),
    "GET /disputes/{dispute_id}/grounds": _thing("dispute_id", "dispute"),
    "POST /disputes/{dispute_id}/contest": _thing("dispute_id", "dispute", body={"ground": "ProofOfSale"}),
    "POST /disputes/{dispute_id}/accept": _thing("dispute_id", "small_dispute", body={"reason": "the cable was stiff"}),
    "POST /customers/{reference}/coupons": Asked({"reference": "C1"}, body={"code": "SUMMER-5"}),
    "POST /coupons/{coupon_id}/end": _thing("coupon_id", "coupon", body={"at": "2030-01-01T00:00:00Z"}),
    "POST /tokens": Asked(body={"uid": "04A2B3C4D5E680", "customer": "F-17", "type": "RFID"}),
    "POST /tokens/{token_id}/block": _thing("token_id", "token"),
    "POST /tokens/{token_id}/unblock": _thing("token_id", "token"),
    "POST /sessions": Asked(
        body={
            "upstream_id": "2026-000341",
            "evse": "GB*TWA*ECP3*1",
            "started_at": "2026-01-12T08:02:00Z",
            "ended_at": "2026-01-12T08:47:30Z",
            "energy_wh": "12057.5",
            "token": "CARD1",
        }
    ),
    "POST /sessions/{session_id}/limit": _thing(
        "session_id", "running", body={"gross_minor": 2000, "energy_wh": 40_000}
    ),
    "POST /sessions/{session_id}/stop": _thing("session_id", "running"),
    "POST /payments/{payment_id}/refunds": _thing(
        "payment_id", "payment", body={"amount_minor": 100, "reason": "cable was stiff"}
    ),
    "GET /approvals": Asked(query={"limit": "1", "state": "waiting"}),
    "GET /approvals/{approval_id}": _thing("approval_id", "approval"),
    "POST /approvals/{approval_id}/approve": _thing("approval_id", "approval", body={"note": "seen on the camera"}),
    "POST /approvals/{approval_id}/decline": _thing("approval_id", "unwise", body={"note": "it was charged rightly"}),
    "PUT /money-limits/{holder}/{currency}": Asked(
        {"holder": "support", "currency": "GBP"}, body={"payment_minor": 3000, "day_minor": 15000}
    ),
    "GET /money-limits": Asked(),
    "POST /corrections": Asked(
        body={
            "tariff": "city-day-night",
            "since": "2026-11-01T00:00:00Z",
            "until": "2026-11-08T00:00:00Z",
            "reason": "wrong price per kWh",
        }
    ),
    "GET /corrections": _ONE,
    "GET /corrections/{correction_id}": _thing("correction_id", "correction"),
    "GET /corrections/{correction_id}/sessions": _thing("correction_id", "correction", query={"limit": "1"}),
    "POST /corrections/{correction_id}/carry-out": _thing("correction_id", "correction", body={"ask_above_minor": 50}),
    "POST /sessions/{session_id}/rest-page": _thing(
        "session_id",
        "asked_too",
        body={
            "title": "Charging at the Greenmarket, what was missing",
            "success_url": "https://shop.example.org/thanks/{secret}",
            "cancel_url": "https://shop.example.org/",
            "language": "en",
        },
    ),
    "POST /corrections/{correction_id}/sessions/{session_id}/waive": Asked(
        names={"correction_id": "<asked_by>", "session_id": "<asked>"}
    ),
    "POST /corrections/{correction_id}/discard": _thing("correction_id", "unwise_correction"),
    "POST /payments/{payment_id}/retry": _thing("payment_id", "halted"),
    "POST /payments/{payment_id}/release": _thing("payment_id", "hold"),
    "POST /inbox/{item_id}/resolve": _thing(
        "item_id", "item", body={"decision": "write_off", "note": "test of the engineer"}
    ),
    "GET /stations/{identity}/profile": Asked({"identity": "CP1"}),
    "POST /stations/{identity}/profile": Asked({"identity": "CP3"}, body={"profile": 2, "url": MOVED_TO}),
    "POST /stations/{identity}/profile/give-up": Asked({"identity": "CP1"}),
    "GET /station-tariffs": Asked(),
    "GET /stations/{identity}/tariffs": Asked({"identity": "CP3"}),
    "POST /stations/{identity}/tariffs/tell": Asked({"identity": "CP3"}),
    "POST /stations/{identity}/tariffs/clear": Asked({"identity": "CP3"}),
    "GET /counted-costs": _ONE,
    "GET /sessions/{session_id}/counted": _thing("session_id", "session"),
    "GET /stations/{identity}/power-limits": Asked({"identity": "CP1"}),
    "POST /stations/{identity}/power-limits": Asked(
        {"identity": "CP1"}, body={"amount": "11", "unit": "kW", "evse": 1, "minutes": 120}
    ),
    "POST /stations/{identity}/power-limits/clear": Asked({"identity": "CP1"}, body={"profile": 8401}),
    "POST /stations/{identity}/power-limits/ask": Asked({"identity": "CP1"}, body={"evse": 1, "minutes": 1440}),
    "GET /stations/{identity}/display-texts": Asked({"identity": "CP2"}),
    "POST /stations/{identity}/display-texts": Asked(
        {"identity": "CP3"}, body={"number": 7, "text": "Bay 2 is closed on Monday.", "priority": "InFront"}
    ),
    "POST /stations/{identity}/display-texts/clear": Asked({"identity": "CP3"}, body={"number": 7}),
    "POST /stations/{identity}/display-texts/ask": Asked({"identity": "CP3"}),
    "GET /offline": Asked(),
    "POST /offline": Asked(body={"starts": "known", "refused_wh": 0}),
    "POST /locations/{location_reference}/offline": Asked(
        {"location_reference": "queen-street"}, body={"starts": "nobody"}
    ),
    "DELETE /locations/{location_reference}/offline": Asked({"location_reference": "queen-street"}),
    "DELETE /offline": Asked(),
    "GET /stations/{identity}/offline": Asked({"identity": "CP1"}),
    "POST /stations/{identity}/offline": Asked({"identity": "CP1"}, body={"starts": "anybody", "refused_wh": 5000}),
    "DELETE /stations/{identity}/offline": Asked({"identity": "CP1"}),
    "POST /display": Asked(body={"shows": "auto", "tolerance_minor": 2}),
    "POST /stations/{identity}/display": Asked({"identity": "CP1"}, body={"shows": "always", "every_seconds": 30}),
    "POST /commissioning": Asked(body={"sets_values": False}),
    "POST /local-lists": Asked(body={"is_on": False}),
    "POST /stations/{identity}/local-list": Asked({"identity": "CP1"}, body={"is_on": True}),
    "POST /stations/{identity}/local-list/send": Asked({"identity": "CP2"}, body={"whole": True}),
    "GET /stations/{identity}/key": Asked({"identity": "CP2"}),
    "POST /stations/{identity}/key": Asked({"identity": "CP1"}),
    "POST /stations/{identity}/key/give-up": Asked({"identity": "CP2"}),
    "POST /stations/{identity}/check": Asked({"identity": "CP1"}),
    "POST /stations/{identity}/commissioning": Asked({"identity": "CP1"}, body={"sets_values": True}),
    "POST /inbox/work-off": Asked(
        body={"kind": "missing_energy", "decision": "accept", "most_minor": 500, "note": "agreed for November"}
    ),
    "POST /rules": Asked(
        body={"name": "short-silence", "kind": "missing_energy", "decision": "accept", "most_minor": 500}
    ),
    "POST /rules/{name}/end": Asked({"name": "short-silence"}),
    "POST /profiles": Asked(
        body={"name": "units", "vendor": "Maker", "model": "Model*", "habits": {"values_over": 1000}}
    ),
    "POST /jobs/{job_id}/retry": _thing("job_id", "job"),
    "POST /imports": Asked(query={"kind": "tokens", "name": "cards.csv"}, body=CARDS),
    "POST /imports/{import_id}/cancel": _thing("import_id", "waiting_import"),
    "POST /audits": Asked(),
    "POST /api-keys": Asked(body={"name": "nightly export", "scopes": ["read"]}),
    "POST /api-keys/{api_key_id}/rotate": _thing("api_key_id", "api_key", body={"grace_seconds": 3600}),
    "POST /webhook-endpoints": Asked(
        body={
            "url": "https://hooks.example.org/tallywatt",
            "event_types": ["session.*", "payment.captured"],
            "description": "bookkeeping",
        }
    ),
    "PATCH /webhook-endpoints/{endpoint_id}": _thing(
        "endpoint_id", "endpoint", body={"event_types": ["session.*", "payment.*"]}
    ),
    "POST /webhook-endpoints/{endpoint_id}/rotate": _thing(
        "endpoint_id", "endpoint", body={"old_holds_seconds": 86400}
    ),
    "POST /webhook-endpoints/{endpoint_id}/test": _thing("endpoint_id", "endpoint"),
    "POST /webhook-endpoints/{endpoint_id}/replay": _thing("endpoint_id", "endpoint", body={"after": 0}),
    "POST /webhook-endpoints/{endpoint_id}/disable": _thing("endpoint_id", "endpoint"),
    "POST /webhook-endpoints/{endpoint_id}/enable": _thing("endpoint_id", "endpoint", body={"send_missed": True}),
    "DELETE /webhook-endpoints/{endpoint_id}": _thing("endpoint_id", "endpoint"),
    "DELETE /api-keys/{api_key_id}": _thing("api_key_id", "api_key"),
    "DELETE /customers/{reference}": Asked({"reference": "C5"}),
}
"""In this order, in one house. Names in < > are of `things_of`."""


class Examples:
    """A house in which every example makes sense, and somebody with a key to it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.things = things_of(scene)
        self.client: TestClient = scene.client()
        self.headers = scene.key(made_by=scene.somebody(Role.FINANCE, "Finance"))

    def path_of(self, name: str) -> tuple[str, dict[str, str]]:
        """The address of an operation with its names filled in, and what they are."""
        names = {
            one: self.things[value.strip("<>")] if value.startswith("<") else value
            for one, value in ASKED[name].names.items()
        }
        return re.sub(r"{([a-z_]+)}", lambda found: names[found[1]], name.partition(" ")[2]), names

    def ask(self, name: str, key: str | None = None, body: bytes | None = None) -> Response:
        """Send an example as it stands, under an idempotency key of its own."""
        one = ASKED[name]
        method = name.partition(" ")[0]
        headers = dict(self.headers)
        if one.body is not None:
            text = "application/xml" if str(one.body).startswith("<") else "text/csv"
            headers["Content-Type"] = text if isinstance(one.body, str) else "application/json"
        if method != "GET":
            headers[KEY_HEADER] = key or f"example of {name}"
        path, _ = self.path_of(name)
        sent = one.bytes if body is None else body
        return self.client.request(method, path, params=one.query, headers=headers, content=sent or None)


def things_of(scene: Scene) -> dict[str, str]:
    """A day in the house: sessions that were paid, declined, written off and go on, and what else the examples name."""
    wire = scene.wire()
    scene.do(boot_station, wire.booted())
    paid = scene.session(wire.charge(8_420_000, token="CARD1"))
    scene.collect()
    complaint = scene.session(wire.charge(6_000_000, meter=8_420_000, token="CARD1"))
    scene.collect()
    complained = complaint["payments"][0]["id"]
    debts = collected(scene)
    disputed_payment, _ = paid_there(scene)
    halted = scene.session(wire.charge(5_000_000, meter=14_420_000, token="CARD2"))
    scene.collect(lambda _: Declined("insufficient_funds", "later", "no"))
    asked_by, asked, asked_too = asked_again(scene)
    for meter in (27_420_000, 28_420_000):
        wire.charge(1_000_000, meter=meter, token="NOBODY")
    waiting, decided = scene.house.ask_now(scene.house.views.inbox, scene.operator)["items"][:2]
    scene.do(resolve_item, ResolveItem(decided["id"], Decision.WRITE_OFF))
    scene.do(put_rule, PutRule("one-session", "unknown_transaction", Decision.MATCH, 0))
    scene.do(put_profile, PutProfile("per-session", vendor="Maker", habits={"counts": "session"}))
    scene.wire("CP2").start(token="CARD3")
    scene.knock("CP9")
    scene.client().post("/evse/GB*TWA*ECP3*1/pay", headers={"Accept": "application/json"})
    hold = scene.do(lambda work, _: work.payments.by(session_id=None)[0].payment_id, None)
    command = scene.do(order_station, CommandStation(scene.station("CP1")["id"], Action.UNLOCK))
    report = told_by_name(scene)
    logged_at(scene, "CP1")
    endpoint = scene.do(add_webhook_endpoint, AddWebhookEndpoint("https://erp.example.org/hooks")).endpoint.endpoint_id
    scene.do(try_webhook, TryWebhook(endpoint))
    asyncio.run(scene.house.spread_events())
    scene.house.store.run_now("", roll_up_revenue, None, actor="test")
    scene.do(add_circle, AddCircle(CircleKind.GROUP, "residents", "Residents of the Greenmarket"))
    belonging = scene.do(join_circle, JoinCircle("group:residents", "C1"))
    welcome = scene.do(add_coupon, AddCoupon("WELCOME", {"percent": "20"}, "For new customers", most_uses=500))
    scene.do(keep_coupon_of, KeepCouponOf("WELCOME", "C2"))
    for provider in ("prepaid", "invoice"):
        scene.do(add_provider_account, AddProviderAccount(provider, provider, ("GBP",), "", ()))
    begins = instant(datetime(2026, 11, 23, 23, tzinfo=UTC))
    scene.do(put_market_prices, PutMarketPrices((Told("DE-LU", 60, "EUR", begins, Decimal("79.90")),)))
    taken, waits, audit = later_of(scene)
    detail = scene.house.ask_now(scene.house.views.session, scene.operator, paid["id"])
    assert detail is not None
    correction = scene.correction("wrong price per kWh")
    unwise = scene.correction("wrong tariff")
    cheaper = PricedAgain(paid["id"], 100)
    scene.do(note_priced, NotePriced(correction, (cheaper,), 1))
    speaks(scene, "CP1")
    kept = reserved(scene, "CP2", "C1")
    counting_and_moving(scene, paid["id"])
    second = StationId(scene.station("CP2")["id"])
    scene.do(switch_lists, SwitchLists(second, is_on=True))
    scene.do(replace_key, ReplaceKey(second))
    return {
        **debts,
        "dispute": disputed(scene, disputed_payment, "D8HV", 250),
        "small_dispute": disputed(scene, disputed_payment, "D9KT", 38),
        "asked": asked,
        "asked_by": asked_by,
        "asked_too": asked_too,
        "correction": correction,
        "unwise_correction": unwise,
        "approval": scene.waiting_refund(complained, 20, "stiff"),
        "unwise": scene.waiting_refund(complained, 30, "again"),
        "audit": audit,
        "import": taken,
        "waiting_import": waits,
        "account": scene.account.account_id,
        "assignment": scene.do(lambda work, _: work.tariff_assignments.by()[0].assignment_id, None),
        "belonging": belonging.belonging_id,
        "circle": belonging.circle_id,
        "reader": a_reader(scene, "CP2", "tmr_F5XZ0bXq8y"),
        "reservation": kept,
        "coupon": welcome.coupon_id,
        "api_key": scene.do(create_api_key, CreateApiKey("station import", ("sessions",))).key.api_key_id,
        "command": command.command_id,
        "delivery": scene.do(lambda work, _: work.webhook_deliveries.by()[0].delivery_id, None),
        "endpoint": endpoint,
        "frame": detail["frames"][0]["id"],
        "halted": halted["payments"][0]["id"],
        "hold": hold,
        "invoice": detail["invoice"],
        "meter_key": scene.do(register_meter_key, RegisterMeterKey("1EMH0099887766", METER.key)).key_id,
        "item": waiting["id"],
        "job": scene.do(lambda work, _: work.stored_jobs.by(kind="print_invoice")[0].job_id, None),
        "payment": detail["payments"][0]["id"],
        "certificate": certified(scene),
        "report": report,
        "running": scene.session("1", "CP2")["id"],
        "session": paid["id"],
        "tariff": detail["offer"]["tariff_version_id"],
        "token": scene.do(lambda work, _: work.tokens.by(uid="CARD4")[0].token_id, None),
    }


def counting_and_moving(scene: Scene, session_id: str) -> None:
    """A station that counts for itself, a cost that another one has counted, and one that is moved to another profile."""
    told_to_count(scene, "CP3")
    has_counted(scene, session_id, "4.99")
    scene.do(move_profile, MoveProfile(StationId(scene.station("CP1")["id"]), 2))


def collected(scene: Scene) -> dict[str, str]:
    """A customer who buys on invoice in euros and has signed a mandate: a batch, something due since, a line of the bank."""
    put = scene.do(put_tariff, PutTariff({**TARIFF, "id": "euros", "currency": "EUR"}))
    scene.do(add_customer, AddCustomer("E-1", name="Van 1"))
    scene.do(add_token, AddToken("EURO1", "E-1"))
    assigned = AssignTariff(put.version.tariff_version_id, valid_from=Instant(0), audience="customer:E-1")
    scene.do(assign_tariff, assigned)
    scene.do(add_provider_account, AddProviderAccount("terms", "invoice", ("EUR",), "", ()))
    scene.do(allow_invoice, AllowInvoice("E-1", money("500.00", "EUR"), 14))
    scene.do(set_creditor, SetCreditor("DE98ZZZ09999999999", "Dundee", "DE89370400440532013000"))
    signed_on = local_date(scene.house.business_now(), "UTC").isoformat()
    mandate = scene.do(sign_mandate, SignMandate("E-1", "NL91ABNA0417164300", signed_on, reference="M-1"))
    wire = scene.wire("CP3")
    wire.charge(4_000_000, token="EURO1")
    scene.collect()
    batch = scene.do(prepare_debits, PrepareDebits(key="first run"))
    wire.charge(5_000_000, meter=4_000_000, token="EURO1")
    scene.collect()
    line = ToldBankLine("8d6f2a51", "DE..3000", "2026-11-19", "BANK0", scene.now, 1250, "EUR", remittance="thank you")
    scene.do(take_statement, TakeStatement((line,), "ab12"))
    return {"mandate": mandate.mandate_id, "debit_batch": batch.batch_id, "bank_line": line.line_id}


def asked_again(scene: Scene) -> tuple[str, str, str]:
    """Two sessions that were charged too little, and whose payers' cards were declined; first, what asked them."""
    wire = scene.wire()
    since = scene.now
    sessions = [
        scene.session(wire.charge(4_000_000, meter=meter, token="CARD4"))["id"] for meter in (19_420_000, 23_420_000)
    ]
    scene.collect()
    version = scene.do(put_tariff, PutTariff(DEARER)).version.tariff_version_id
    order = OpenCorrection(version, Instant(since), Instant(scene.now + 1), "wrong price per kWh")
    correction = scene.do(open_correction, order).correction_id
    correct(scene)
    scene.do(order_correction, OrderCorrection(correction, None, 0))
    correct(scene)
    scene.collect(lambda _: Declined("insufficient_funds", "later", "no"))
    correct(scene)
    return correction, sessions[0], sessions[1]


def correct(scene: Scene) -> None:
    """The worker does what corrections ask for."""
    workers = Workers(scene.house, ())
    while workers.step(LANES["corrections"]):
        pass


def logged_at(scene: Scene, identity: str) -> str:
    """A station's message log with a conversation in it."""
    station, at = StationId(scene.station(identity)["id"]), scene.house.machine.now()
    said = (
        b'[2,"7","StatusNotification",{"connectorId":1,"status":"Available","errorCode":"NoError"}]',
        b'[3,"7",{}]',
        b'[2,"8","NoSuchThing",{"words":"' + b"long " * 60 + b'"}]',
        b'[4,"8","NotImplemented","",{}]',
        b"no message at all",
    )
    ways = (Direction.IN, Direction.OUT, Direction.IN, Direction.OUT, Direction.IN)
    told = [(at, way, text) for way, text in zip(ways, said, strict=True)]
    scene.do(keep_traffic, KeepTraffic((gathered(station, told, OpenCalls()),)))
    return f"/console/stations/{identity}/log"


def told_by_name(scene: Scene) -> str:
    """A station has told its configuration, sends its diagnostics, and has noticed something: the id of the command."""
    station = StationId(scene.station("CP1")["id"])

    def heard(action: str) -> Heard:
        return Heard(station, "ocpp1.6", action, action, b"[]", scene.house.machine.now())

    def asked(name: str, content: dict[str, Any]) -> CommandId:
        wanted = CommandStation(station, Action.MESSAGE, {"name": name, "content": content})
        made: CommandId = scene.do(order_station, wanted).command_id
        return made

    keys = {"configurationKey": [{"key": "MeterValueSampleInterval", "readonly": False, "value": "60"}]}
    scene.do(hear_answer, CommandAnswered(asked("GetConfiguration", {}), LinkAnswer("accepted", None, keys)))
    asked_for = asked("GetDiagnostics", {"location": "ftp://files.example.org/in"})
    scene.do(hear_answer, CommandAnswered(asked_for, LinkAnswer("accepted", None, {"fileName": "cp1.zip"})))
    step, status = "DiagnosticsStatusNotification", "Uploading"
    told = Reported(heard(step), step, None, 0, is_last=False, status=status, content={"status": status})
    scene.do(hear_report, told)
    moment = scene.house.machine.now()
    scene.do(hear_security_event, SecurityTold(heard("SecurityEventNotification"), moment, "SettingSystemTime", None))
    alarm = {"component": {"name": "Cooling"}, "variable": {"name": "Temperature"}, "trigger": "Alerting"}
    told_so = {"eventData": [{**alarm, "eventId": 7, "actualValue": "91", "severity": 3}]}
    scene.do(hear_notice, Noticed(heard("NotifyEvent"), tuple(notices_of("NotifyEvent", told_so))))
    return asked_for


def certified(scene: Scene) -> str:
    """The operator has an authority, which has signed the key of a station: the certificate's id."""
    now = scene.house.machine.now()
    until = Instant(now + 365 * 24 * 3_600_000)
    pem = "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n"
    scene.do(put_authority, PutAuthority("Dundee City Charging", pem, "sealed at once", "5e" * 32, now, until))
    row = scene.do(ask_certificate, AskCertificate("CP1", ANOTHER_REQUEST))
    issued = Issued(pem, pem, "1f04", "7a" * 32, now, until)
    made: str = scene.do(keep_certificate, KeepCertificate(row.certificate_id, issued)).certificate_id
    return made


def later_of(scene: Scene) -> tuple[str, str, str]:
    """An upload that was taken, one that waits, and an audit, by their ids."""
    client, headers, workers = scene.client(), scene.key(), Workers(scene.house, ())

    def send(name: str) -> str:
        asked = {"kind": "tokens", "name": name}
        made: str = client.post("/imports", params=asked, content=CARDS, headers=headers).json()["id"]
        return made

    taken = send("cards of last week.csv")
    audit: str = client.post("/audits", headers=headers).json()["id"]
    for lane in ("imports", "audits"):
        while workers.step(LANES[lane]):
            pass
    return taken, send("cards of this week.csv"), audit


_SECRETS: Final = (
    (re.compile(r"twk_[a-z0-9]{12}_[a-z0-9]{52}"), f"twk_{'0' * 12}_{'0' * 52}"),
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), f"whsec_{'A' * 43}="),
)
"""What opens something, and what stands for it in the file: nobody should wonder whether it still does."""


def recorded(examples: Examples) -> dict[str, Any]:
    """Every example, asked, with what was answered."""
    return {name: _recorded(examples, name) for name in ASKED}


def _recorded(examples: Examples, name: str) -> dict[str, Any]:
    answer = examples.ask(name)
    assert answer.is_success, (name, answer.status_code, answer.text)
    told = answer.text
    for pattern, instead in _SECRETS:
        told = pattern.sub(instead, told)
    body = json.loads(told)
    if "items" in body:
        body["items"] = body["items"][:1]
    one, (_, names) = ASKED[name], examples.path_of(name)
    found = {"names": names, "query": one.query, "request": one.body}
    return {
        **{key: value for key, value in found.items() if value},
        "status": answer.status_code,
        "answer": body,
    }


def main() -> None:
    """Ask all of them in a fresh house, and write down what was said."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/house.db"
        upgrade(url)
        scene = Scene.open(Path(folder), url).furnish()
        try:
            found = recorded(Examples(scene))
        finally:
            scene.close()
            end_loop()
    EXAMPLES_FILE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
