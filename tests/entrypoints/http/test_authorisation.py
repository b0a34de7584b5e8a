"""Every route of the app, asked by everybody, about things of their own, of another operator, of another driver, of nobody.

The routes come from the app and what a role may from the table of roles: a new route is in here without anybody thinking of it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from tallywatt.customers.access import ALL_SCOPES, Caller, Scope
from tallywatt.customers.circle import CircleKind
from tallywatt.customers.roles import ROLES, Role
from tallywatt.entrypoints.http.app import build_app
from tallywatt.entrypoints.http.doors import CSRF_HEADER, OPEN, scope_of
from tallywatt.entrypoints.http.once import KEY_HEADER
from tallywatt.entrypoints.http.reference import leaves, methods_of
from tallywatt.kernel.clock import Instant, local_date
from tallywatt.kernel.identity import StationId
from tallywatt.metering.signed.registry import SignedValue
from tallywatt.payments.bank import ToldBankLine
from tallywatt.payments.debit import DebitBatch
from tallywatt.payments.dispute import DisputeState, ToldDispute
from tallywatt.payments.settlement import LineKind, ToldLine
from tallywatt.stations.command import Action
from tallywatt.workflows.add_customer import AddCustomer, add_customer
from tallywatt.workflows.add_identity_provider import AddIdentityProvider, add_identity_provider
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key
from tallywatt.workflows.imports import ImportKind
from tallywatt.workflows.invite_person import InvitePerson, invite_person
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, add_circle, join_circle
from tallywatt.workflows.keep_mandate import SetCreditor, SignMandate, set_creditor, sign_mandate
from tallywatt.workflows.keep_passkey import KeepPasskey, keep_passkey
from tallywatt.workflows.move_profile import MoveProfile, move_profile
from tallywatt.workflows.order_station import order_station
from tallywatt.workflows.put_rule import PutRule, put_rule
from tallywatt.workflows.put_tariff import PutTariff, put_tariff
from tallywatt.workflows.register_meter_key import RegisterMeterKey, register_meter_key
from tallywatt.workflows.replace_key import ReplaceKey, replace_key
from tallywatt.workflows.replay_webhook import TryWebhook, try_webhook
from tallywatt.workflows.resolve_inbox import Decision
from tallywatt.workflows.run_audit import AskAudit, BeginAudit, ask_audit, begin_audit
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute
from tallywatt.workflows.take_import import BeginImport, KeepPart, OpenImport, begin_import, keep_part, open_import
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement
from tallywatt.workflows.take_statement import TakeStatement, take_statement
from tallywatt.workflows.use_coupon import AddCoupon, add_coupon
from tests.entrypoints.http.counted import has_counted
from tests.entrypoints.http.disputed import TakesAnswers
from tests.entrypoints.http.examples import certified
from tests.entrypoints.http.reserved import a_reader, reserved
from tests.entrypoints.scene import TARIFF, Scene
from tests.metering.signed.meter import Meter
from tests.migrated import copy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from httpx2 import Response
    from starlette.testclient import TestClient

BOUND = {Role.DRIVER: ("C1",), Role.FLEET_MANAGER: ("C1", "C2")}
"""Roles that are bound to customers, and whom the people of this test are bound to."""
_numbers = count(1)
HARMLESS: Final = frozenset(("GET",))
STREAM: Final = "StreamingResponse"
"""What never ends is asked only by those who are refused."""


# --- the routes ---


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path, what it asks for, and whether it asks at all."""

    method: str
    path: str
    scope: Scope | None
    is_stream: bool

    @property
    def name(self) -> str:
        """As it stands in the list of open routes."""
        return f"{self.method} {self.path}"

    @property
    def is_open(self) -> bool:
        """Whether it needs no credential."""
        return self.name in OPEN

    @property
    def parameters(self) -> list[str]:
        """The names in its address."""
        return re.findall(r"{([a-z_]+)(?::[a-z]+)?}", self.path)

    def filled(self, value: Callable[[str], str]) -> str:
        """The address with something in each place."""
        return re.sub(r"{([a-z_]+)(?::[a-z]+)?}", lambda found: quote(value(found[1]), safe=""), self.path)


def routes_of(scene: Scene) -> list[Route]:
    """Every route that the app answers, whatever it is made of."""
    found = []
    for route in leaves(scene.app.routes):
        path = f"{route.path}/{{path:path}}" if route.path == "/static" else route.path
        told = getattr(getattr(route, "endpoint", None), "__annotations__", {}).get("return")
        found += [Route(method, path, scope_of(route), told == STREAM) for method in methods_of(route)]
    return found


FOR_PEOPLE_ALONE: Final = ("/account",)
"""Whoever is signed in at a page may come here, whatever their role; a key may not."""
FOR_EVERYBODY: Final = ("/", "/console/leave", "/me")
"""Whoever shows a good credential."""


# --- what the names in an address stand for ---

UNKNOWN_ID: Final = "01890000-0000-7000-8000-00000000dead"
THINGS: Final[dict[str, str]] = {
    "approval_id": "approval",
    "correction_id": "correction",
    "holder": "holder",
    "currency": "currency",
    "account_id": "account",
    "audit_id": "audit",
    "import_id": "import",
    "api_key_id": "api_key",
    "assignment_id": "assignment",
    "belonging_id": "belonging",
    "certificate_id": "certificate",
    "circle_id": "circle",
    "code": "evse",
    "coupon_id": "coupon",
    "reservation_id": "reservation",
    "reader_id": "reader",
    "command_id": "command",
    "delivery_id": "delivery",
    "endpoint_id": "endpoint",
    "frame_id": "frame",
    "identity": "station",
    "invitation_id": "invitation",
    "item_id": "item",
    "job_id": "job",
    "key_id": "meter_key",
    "location_reference": "location",
    "membership_id": "membership",
    "name": "rule",
    "number": "invoice",
    "passkey_id": "passkey",
    "payment_id": "payment",
    "provider_id": "provider",
    "difference_id": "difference",
    "batch_id": "debit_batch",
    "line_id": "bank_line",
    "mandate_id": "mandate",
    "dispute_id": "dispute",
    "reference": "customer",
    "session_id": "session",
    "tariff_version_id": "tariff",
    "token_id": "token",
    "version": "tariff",
}
"""A name that is not here fails the test: say what it stands for, and make one in `things_of`."""
COMMON: Final = frozenset({"holder", "currency"})
"""Words that are the same at every operator's: what stands under them is one's own."""
ELSEWHERE: Final = {("/account/sessions/", "session_id"): "console_session"}
"""Where a name stands for something else."""
METER: Final = Meter()
BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /certificates/{certificate_id}/revoke": {},
    "POST /sessions/{session_id}/rest-page": {
        "title": "What was missing",
        "success_url": "https://x.example/",
        "cancel_url": "https://x.example/",
    },
    "POST /stations/{identity}/certificates": {"request": "-----BEGIN CERTIFICATE REQUEST-----"},
    "POST /approvals/{approval_id}/approve": {},
    "POST /approvals/{approval_id}/decline": {},
    "PUT /money-limits/{holder}/{currency}": {},
    "POST /stations/{identity}/adopt": {"key": "0123456789abcdef"},
    "POST /stations/{identity}/commands": {"action": "unlock"},
    "POST /stations/{identity}/commissioning": {"sets_values": True},
    "POST /stations/{identity}/reservations": {"customer": "C1", "minutes": 30},
    "POST /reservations/{reservation_id}/cancel": {},
    "POST /readers": {"account": "cards", "reader_ref": "tmr_2", "label": "Post 2", "location": "nowhere"},
    "POST /local-lists": {"is_on": True},
    "POST /stations/{identity}/local-list": {"is_on": True},
    "POST /stations/{identity}/local-list/send": {"whole": True},
    "POST /stations/{identity}/key": {},
    "POST /stations/{identity}/key/give-up": {},
    "POST /stations/{identity}/display": {"shows": "auto"},
    "POST /stations/{identity}/power-limits": {"amount": "11"},
    "POST /stations/{identity}/display-texts": {"number": 1, "text": "Closed"},
    "POST /stations/{identity}/display-texts/clear": {"number": 1},
    "POST /stations/{identity}/offline": {"starts": "known"},
    "POST /stations/{identity}/profile": {"profile": 2},
    "POST /stations/{identity}/profile/give-up": {},
    "POST /locations/{location_reference}/offline": {"starts": "known"},
    "POST /sessions/{session_id}/limit": {"seconds": 3600},
    "POST /payments/{payment_id}/refunds": {"amount_minor": 1},
    "POST /inbox/{item_id}/resolve": {"decision": "dismiss"},
    "PUT /provider-accounts/{account_id}/captures": {"several": False},
    "POST /tariffs/assignments/{assignment_id}/end": {},
    "POST /circles/{circle_id}/customers": {"customer": "C1"},
    "POST /belongings/{belonging_id}/end": {},
    "POST /coupons/{coupon_id}/end": {},
    "POST /customers/{reference}/coupons": {"code": "NEVER-MADE"},
    "POST /customers/{reference}/balance": {"currency": "GBP"},
    "POST /customers/{reference}/balance/payout": {"currency": "GBP"},
    "POST /customers/{reference}/credit": {"currency": "GBP", "limit_minor": 1},
    "POST /customers/{reference}/credit/end": {"currency": "GBP"},
    "POST /bank-lines/{line_id}/decide": {"nothing": True},
    "POST /bank-lines/{line_id}/undo": {"reason": "another customer's"},
    "POST /disputes/{dispute_id}/contest": {"ground": "ProofOfSale"},
    "POST /disputes/{dispute_id}/accept": {},
    "POST /customers/{reference}/top-ups": {
        "amount_minor": 500,
        "currency": "GBP",
        "title": "Top up",
        "success_url": "http://127.0.0.1:1/",
        "cancel_url": "http://127.0.0.1:1/",
    },
    "POST /meter-keys/{key_id}/end": {},
    "POST /api-keys/{api_key_id}/rotate": {},
    "POST /webhook-endpoints/{endpoint_id}/replay": {"after": 0},
}
"""What a route of the API must be sent before it looks for the thing in its address."""
FORMS: Final[dict[str, dict[str, str]]] = {
    "POST /console/approvals/{approval_id}": {"decision": "approve"},
    "POST /console/stations/{identity}/adopt": {"key": "0123456789abcdef"},
    "POST /console/stations/{identity}/commands": {"action": "unlock"},
    "POST /console/stations/{identity}/profile": {"profile": "2"},
    "POST /console/stations/{identity}/offline": {"starts": "known"},
    "POST /console/circles/{circle_id}/customers": {"customer": "C1"},
    "POST /console/inbox/{item_id}": {"decision": "dismiss"},
    "POST /console/payments/{payment_id}/refund": {"amount": "0.01", "once": "1"},
    "POST /console/settlements/{difference_id}": {"action": "dismiss"},
    "POST /console/bank/{line_id}": {"kind": "nothing"},
    "POST /console/bank/{line_id}/undo": {"reason": "another customer's"},
    "POST /console/customers/{reference:path}/mandates": {"iban": "NL91ABNA0417164300", "signed_on": "2026-01-01"},
    "POST /console/settings/people/{membership_id}/role": {"role": "read_only"},
    "POST /account/passkeys/{passkey_id}/rename": {"name": "Phone"},
}
"""Likewise on the console."""
TELLS_NOTHING_BY_ID: Final = frozenset(
    (
        "/account/sessions/{session_id}/leave",
        "/account/passkeys/{passkey_id}/rename",
        "/account/passkeys/{passkey_id}/remove",
    )
)
"""Routes that answer every id alike, one's own as well."""


def things_of(scene: Scene) -> dict[str, str]:
    """One of each thing of an operator, of which no other operator has one of that name."""
    own = f"{scene.slug}-own"
    scene.do(add_station, AddStation(own, "queen-street", "hash", (NewEvse(1),)))
    scene.do(add_customer, AddCustomer(own, name="Somebody"))
    circle = scene.do(add_circle, AddCircle(CircleKind.GROUP, own)).circle_id
    belonging = scene.do(join_circle, JoinCircle(circle, own)).belonging_id
    coupon = scene.do(add_coupon, AddCoupon(own, {"percent": "10"})).coupon_id
    put = scene.do(put_tariff, PutTariff({**TARIFF, "id": own, "name": own}))
    invited = InvitePerson(
        f"guest@{scene.slug}.example", Role.READ_ONLY, (), scene.house.new_id("invitation"), f"hash of {own}"
    )
    invitation = scene.do(invite_person, invited)
    key = scene.do(create_api_key, CreateApiKey(own))
    account = AddProviderAccount(own, "stripe", ("GBP",), "env:KEY", ())
    wire = scene.wire()
    numbers = [scene.session(wire.charge(5_000_000, token=f"CARD{place}"))["invoice"] for place in (1, 1, 2)]
    scene.collect()
    wire.charge(4_000_000, token="NOBODY")
    order = CommandStation(scene.station(own)["id"], Action.UNLOCK)
    command = scene.do(order_station, order)
    session = scene.session()
    ask, views = scene.house.ask_now, scene.house.views
    [item] = ask(views.inbox, scene.operator)["items"]
    job = scene.do(lambda work, _: work.stored_jobs.by()[0].job_id, None)
    member = scene.do(lambda work, _: work.memberships.by()[0], None)
    council = AddIdentityProvider("Council", f"https://{own}.example", own, "secret")
    provider = scene.do(add_identity_provider, council)
    passkey = scene.do(keep_passkey, KeepPasskey(member.person_id, f"credential of {own}", b"", 0, (), False, own))
    mine = scene.do(lambda work, _: work.console_sessions.by()[0].console_session_id, None)
    endpoint = scene.do(add_webhook_endpoint, AddWebhookEndpoint("https://hooks.example.org/"))
    scene.do(try_webhook, TryWebhook(endpoint.endpoint.endpoint_id))
    asyncio.run(scene.house.spread_events())
    delivery = scene.do(lambda work, _: work.webhook_deliveries.by()[0].delivery_id, None)
    upload = OpenImport(scene.house.new_id("import"), ImportKind.SESSIONS)
    scene.do(open_import, upload)
    scene.do(keep_part, KeepPart(upload.import_id, 0, b"{}"))
    scene.do(begin_import, BeginImport(upload.import_id))
    received_at = scene.house.machine.now()
    record = SignedValue(session["id"], own, scene.now, received_at, None, None, "OCMF", METER.transaction(), None)
    scene.do(lambda work, one: work.signed_values.note((one,)), record)
    audit = scene.do(ask_audit, AskAudit())
    scene.do(begin_audit, BeginAudit(audit.audit_id))
    kept = reserved(scene, own, own)
    has_counted(scene, session["id"], "9.99")
    scene.do(move_profile, MoveProfile(StationId(scene.station(own)["id"]), 2))
    scene.do(replace_key, ReplaceKey(StationId(scene.station(own)["id"])))
    return {
        "approval": scene.waiting_refund(session["payments"][0]["id"], 1, own),
        "correction": scene.correction(own),
        "holder": "support",
        "currency": "GBP",
        "audit": audit.audit_id,
        "import": upload.import_id,
        "account": scene.do(add_provider_account, account).account_id,
        "assignment": scene.do(lambda work, _: work.tariff_assignments.by()[0].assignment_id, None),
        "api_key": key.key.api_key_id,
        "belonging": belonging,
        "circle": circle,
        "coupon": coupon,
        "reader": a_reader(scene, own, f"tmr_{own}"),
        "reservation": kept,
        "delivery": delivery,
        "difference": _difference(scene, own),
        **_debits(scene, own),
        "dispute": _dispute(scene, session["payments"][0]["id"]),
        "endpoint": endpoint.endpoint.endpoint_id,
        "certificate": certified(scene),
        "command": command.command_id,
        "console_session": mine,
        "customer": own,
        "evse": scene.station(own)["evses"][0]["code"],
        "frame": session["frames"][0]["id"],
        "invitation": getattr(invitation, "invitation_id", invited.invitation_id),
        "invoice": max(one for one in numbers if one),
        "item": item["id"],
        "job": job,
        "location": scene.do(add_location, AddLocation(own, own)).reference,
        "meter_key": scene.do(register_meter_key, RegisterMeterKey(own, METER.key)).key_id,
        "membership": member.membership_id,
        "passkey": passkey.passkey_id,
        "provider": provider.provider_id,
        "payment": session["payments"][0]["id"],
        "rule": scene.do(put_rule, PutRule(own, "missing_energy", Decision.ACCEPT, 0)).name,
        "session": session["id"],
        "station": own,
        "tariff": put.version.tariff_version_id,
        "token": scene.do(lambda work, _: work.tokens.by(uid="CARD5")[0].token_id, None),
    }


def _debits(scene: Scene, name: str) -> dict[str, str]:
    """A mandate, a batch that is ready, and a line of the bank that nobody knows."""
    scene.do(set_creditor, SetCreditor("DE98ZZZ09999999999", "Mine", "DE89370400440532013000"))
    now = scene.house.business_now()
    signed_on = local_date(now, "UTC").isoformat()
    mandate = scene.do(sign_mandate, SignMandate(name, "NL91ABNA0417164300", signed_on))
    batch = DebitBatch(
        scene.house.new_id("batch"), name, f"DD{name}"[:35], "2026-12-07", "EUR", "DE98ZZZ09999999999", "Mine",
        "DE89370400440532013000", None, 0, 0, "", now, scene.house.machine.now(), None, None,
    )  # fmt: skip
    scene.do(lambda work, row: work.debit_batches.add_new(row), batch)
    line = ToldBankLine(f"line-{name}", "DE..3000", "S1", "1", Instant(0), 5, "EUR")
    scene.do(take_statement, TakeStatement((line,), "ab12"))
    return {"mandate": mandate.mandate_id, "debit_batch": batch.batch_id, "bank_line": line.line_id}


class AnswersToo(TakesAnswers):
    """Takes answers to disputes; what is told to it, the provider behind the account hears."""

    def __init__(self, real: Any) -> None:
        super().__init__()
        self._real, self._account = real, None

    def __call__(self, account: Any) -> AnswersToo:
        self._account = account
        return self

    def read_webhook(self, headers: Any, body: bytes) -> Any:
        """As it is signed for that account."""
        return self._real(self._account).read_webhook(headers, body)


def _dispute(scene: Scene, payment_id: str) -> str:
    """A payment of this operator that a bank has taken back."""
    asked: Any = AnswersToo(scene.house.providers)
    scene.house.providers = asked
    payment = scene.do(lambda work, key: work.payments.get(key), payment_id)
    told = ToldDispute(
        f"dp_{payment_id}", DisputeState.OPEN, 5, payment.currency, 5, "fraudulent", Instant(0), None, payment_id
    )
    made = scene.do(take_dispute, TakeDispute(payment.account_id, told))
    assert made is not None
    return str(made.dispute_id)


def _difference(scene: Scene, name: str) -> str:
    """A line of a provider that nobody knows."""
    account = scene.do(lambda work, _: work.provider_accounts.by()[0].account_id, None)
    line = ToldLine(f"txn_{name}", LineKind.OTHER, 5, 0, "GBP", Instant(0), 5, "GBP")
    scene.do(take_settlement, TakeSettlement(account, (line,)))
    found: str = scene.do(lambda work, _: work.settlement_differences.by()[0].difference_id, None)
    return found


# --- who asks ---


class Asker:
    """Somebody at the door, with what they may by the table of roles or by the scopes of their key."""

    def __init__(self, name: str, caller: Caller | None, client: TestClient, headers: dict[str, str]) -> None:
        self.name = name
        self.caller = caller
        self.client = client
        self.headers = headers
        self.is_spent = False
        """Something was changed by them: their session may have ended with it."""

    def ask(self, route: Route, path: str) -> Response:
        """Send a request that says as little as the route needs."""
        form = FORMS.get(route.name)
        body = None if route.method in HARMLESS or form is not None else BODIES.get(route.name, {})
        # Money is given back under a key of the caller's; each request here is a new one.
        headers = self.headers if route.method in HARMLESS else {**self.headers, KEY_HEADER: f"k{next(_numbers)}"}
        answer = self.client.request(route.method, path, headers=headers, json=body, data=form)
        self.is_spent |= route.method not in HARMLESS and answer.status_code < 400
        return answer

    def may(self, route: Route) -> bool:
        """What the table of roles says."""
        if route.is_open:
            return True
        if self.caller is None:
            return False
        if route.scope is not None:
            own = route.scope is Scope.OWN
            return self.caller.has(route.scope) and own == (self.caller.customers is not None)
        if route.path in FOR_EVERYBODY:
            return True
        assert route.path.startswith(FOR_PEOPLE_ALONE), f"{route.name} asks for no scope: say for whom it is"
        return self.caller.kind == "person"


@dataclass(frozen=True, slots=True)
class World:
    """Two operators in one house, with one of each thing."""

    scene: Scene
    other: Scene
    own: dict[str, str]
    foreign: dict[str, str]
    people: dict[Role | None, Asker] = field(default_factory=dict)
    """Who is signed in, and has changed nothing yet."""

    def value(self, route: Route, whose: dict[str, str] | None) -> Callable[[str], str]:
        """What to write into an address: somebody's thing, or nobody's."""

        def of(name: str) -> str:
            if route.is_open:
                return "nobody"
            apart = (thing for (start, one), thing in ELSEWHERE.items() if one == name and route.path.startswith(start))
            thing = next(apart, None) or THINGS.get(name, "session")  # the last test says what is missing
            if whose is not None:
                return whose[thing]
            return UNKNOWN_ID if re.fullmatch(r"[0-9a-f-]{36}", self.own[thing]) else "nobody"

        return of

    def paths(self, route: Route, *whose: dict[str, str] | None) -> list[str]:
        """The addresses of these people's things: one for all of them where an address names no thing."""
        return list(dict.fromkeys(route.filled(self.value(route, one)) for one in whose))

    def person(self, role: Role | None) -> Asker:
        """Somebody of that role who is signed in; without a role, whoever owns the machine."""
        known = self.people.get(role)
        if known is None or known.is_spent:
            known = self.people[role] = self._signed_in(role)
        return known

    def _signed_in(self, role: Role | None) -> Asker:
        bound = BOUND.get(role, ()) if role is not None else ()
        client = self.scene.signed_in(role, *bound)
        duties = ROLES[role] if role is not None else None
        scopes = duties.scopes if duties is not None else ALL_SCOPES
        caller = Caller(self.scene.operator, "person", "", scopes, customers=bound or None)
        page = "/account" if bound else "/console"
        found = re.search(r'name="csrf" value="([^"]+)"', client.get(page).text)
        assert found is not None, page
        return Asker(role.value if role else "machine", caller, client, {CSRF_HEADER: found[1]})

    def key(self, *scopes: str) -> Asker:
        """A program with these scopes."""
        caller = Caller(self.scene.operator, "key", "", scopes)
        return Asker(f"key {' '.join(scopes)}", caller, self.scene.client(), self.scene.key(*scopes))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[World]:
    """Made once: the tests below change nothing that another one of them looks at."""
    made = new_world(tmp_path_factory.mktemp("authorisation"), migrated_file)
    yield made
    made.scene.close()


def new_world(folder: Path, migrated_file: Path) -> World:
    """Two operators with one of each thing, and limits that nobody reaches."""
    scene = Scene.open(folder, copy_of(migrated_file, folder))
    wide = dict.fromkeys(("keys", "people", "pages", "sign_in", "pay", "webhooks", "refused"), "1000000/1")
    scene.house.settings = scene.house.settings.model_copy(
        update={f"limit_{name}": text for name, text in wide.items()}
    )
    scene.app = build_app(scene.house)
    scene.furnish()
    other = Scene.beside(scene, "perth").furnish()
    for one in (scene, other):
        one.signed_in(Role.SUPPORT)
    # The other operator has a longer history, so that its last invoice bears a number that is none of ours.
    other.wire("CP2").charge(1_000_000, token="CARD3")
    return World(scene, other, things_of(scene), things_of(other))


# --- the tests ---


def test_whoever_shows_no_credential_is_let_in_at_the_open_routes_alone(world: World) -> None:
    """A new route is closed unless somebody writes it into the list, where it is seen."""
    nobody = Asker("nobody", None, world.scene.client(), {})
    for route in routes_of(world.scene):
        if route.is_stream and route.is_open:
            continue
        for path in world.paths(route, None, world.own):
            answer = nobody.ask(route, path)
            assert (answer.status_code in {401, 403}) == (not route.is_open) or _asks_for_a_link(route), (
                route.name,
                answer.status_code,
            )
            assert answer.status_code < 500, route.name


def _asks_for_a_link(route: Route) -> bool:
    """Routes whose credential is in the address: a wrong one is told as such."""
    return route.path.startswith(("/console/enter/", "/webhooks/", "/sign-in", "/invitation/", "/oauth/"))


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role.value if role else "machine")
def test_a_person_is_let_in_where_the_table_of_roles_says_so(world: World, role: Role | None) -> None:
    """At every route, for things of their own, of another operator, and of nobody."""
    for route in sorted(routes_of(world.scene), key=lambda one: (one.method not in HARMLESS, "leave" in one.path)):
        if route.is_open:
            continue
        check(world, route, world.person(role))


@pytest.mark.parametrize("scopes", [*((scope,) for scope in ALL_SCOPES), ALL_SCOPES], ids=" ".join)
def test_a_key_is_let_in_where_its_scopes_say_so(world: World, scopes: tuple[str, ...]) -> None:
    """Each scope alone, so that none opens what another one is for; and all together."""
    asker = world.key(*scopes)
    for route in routes_of(world.scene):
        if not route.is_open:
            check(world, route, asker)


def check(world: World, route: Route, asker: Asker) -> None:
    """Refused whoever asks about what, or let in and never broken."""
    if asker.may(route):
        if route.is_stream:
            return
        answer = asker.ask(route, route.filled(world.value(route, None)))
        told = (asker.name, route.name, answer.status_code, answer.text[:300])
        assert answer.status_code < 500, told
        assert answer.status_code not in {401, 403} or _refuses_itself(route, asker, answer), told
        return
    for path in world.paths(route, None, world.own, world.foreign):
        answer = asker.ask(route, path)
        told = (asker.name, route.name, answer.status_code, answer.text[:300])
        assert answer.status_code == 403, told
        assert answer.json()["code"] == "access.not_allowed", told


def _refuses_itself(route: Route, asker: Asker, answer: Response) -> bool:
    """Where somebody may come in, and may not do this: nobody hands out a key that may more than themselves."""
    assert asker.caller is not None
    narrow = not set(ALL_SCOPES) - {Scope.OWN.value} <= set(asker.caller.scopes)
    return route.path.endswith("keys") and narrow and answer.json()["code"] == "access.not_allowed"


def everybody(world: World) -> list[Asker]:
    """Who may the most: a key, an owner."""
    return [world.key(*ALL_SCOPES), world.person(Role.OWNER)]


def about_one_thing(world: World) -> list[Route]:
    """Routes whose address names a thing that belongs to somebody."""
    return [
        one for one in routes_of(world.scene) if set(one.parameters) - COMMON and not one.is_open and not one.is_stream
    ]


def test_what_is_another_operators_is_answered_like_what_is_not_there(world: World) -> None:
    """Nobody can find out what exists: not by status, not by a word, not by a header."""
    for asker in everybody(world):
        for route in about_one_thing(world):
            if not asker.may(route):
                continue
            foreign, nothing = (route.filled(world.value(route, whose)) for whose in (world.foreign, None))
            answers = [plain(asker.ask(route, path), path) for path in (foreign, nothing)]
            assert answers[0] == answers[1], route.name
            assert answers[0][0] == 404 or route.path in TELLS_NOTHING_BY_ID, (route.name, answers[0])


FOUND_BUT_NOT_THERE: Final = ("invoices.not_printed_yet",)
"""The thing is found; a part of it is not there yet, or at the provider alone."""


def test_what_is_ones_own_is_found(world: World) -> None:
    """Otherwise the test above would be true of an app that finds nothing at all."""
    for asker in everybody(world):
        for route in about_one_thing(world):
            if route.method not in HARMLESS or not asker.may(route):
                continue
            answer = asker.ask(route, route.filled(world.value(route, world.own)))
            assert answer.status_code == 200 or answer.json()["code"] in FOUND_BUT_NOT_THERE, (
                route.name,
                answer.status_code,
                answer.text[:300],
            )


def test_asking_about_another_operators_things_changes_none_of_them(world: World) -> None:
    """A refusal that came after the deed would be none."""
    before = marks_of(world.other)
    for asker in everybody(world):
        for route in about_one_thing(world):
            if route.method not in HARMLESS:
                asker.ask(route, route.filled(world.value(route, world.foreign)))
    assert marks_of(world.other) == before


def marks_of(scene: Scene) -> tuple[list[Any], list[Any], int]:
    """What would differ if anything had been done in an operator's name."""
    rows = scene.do(lambda work, _: (work.actions.by(), work.station_commands.by(), len(work.operations.by())), None)
    found: tuple[list[Any], list[Any], int] = rows
    return found


def test_what_is_another_customers_is_answered_like_what_is_not_there(world: World) -> None:
    """For drivers and managers of a fleet, within one operator."""
    for role in BOUND:
        for route in about_one_thing(world):
            asker = world.person(role)
            if route.scope is not Scope.OWN:
                continue
            foreign, nothing = (route.filled(world.value(route, whose)) for whose in (world.foreign, None))
            answers = [plain(asker.ask(route, path), path) for path in (foreign, nothing)]
            assert answers[0] == answers[1], (role, route.name)


@dataclass(frozen=True, slots=True)
class OtherDriver:
    """Somebody of the same operator, with a session at the pages, a passkey, a card, a charging session and its invoice."""

    client: TestClient
    things: dict[str, str]
    words: tuple[str, ...]
    """What no page of anybody else may hold."""

    def marks(self, scene: Scene) -> list[Any]:
        """What would differ if somebody else had done anything to what is theirs."""
        assert self.client.get("/me").status_code == 200, "still signed in"
        rows: list[Any] = scene.do(
            lambda work, key: [work.passkeys.get(key), work.customers.by(reference="C3"), work.tokens.by(uid="CARD3")],
            self.things["passkey"],
        )
        return rows


def other_driver(scene: Scene) -> OtherDriver:
    """The driver of the third customer, with one of everything that a driver has."""
    before = {one.console_session_id for one in scene.do(lambda work, _: work.console_sessions.by(), None)}
    client = scene.signed_in(Role.DRIVER, "C3")
    mine = scene.do(lambda work, _: work.console_sessions.by(), None)
    [session] = [one for one in mine if one.console_session_id not in before]
    number = f"p{next(_numbers)}"
    kept = scene.do(keep_passkey, KeepPasskey(session.person_id, number, b"", 0, (), False, f"passkey {number}"))
    charged = scene.session(scene.wire("CP3").charge(2_000_000, token="CARD3"), "CP3")
    scene.collect()
    detail = scene.session(charged["transaction_id"], "CP3")
    words = (detail["id"], detail["driver_secret"], detail["invoice"], "CARD3", f"passkey {number}", session.person_id)
    return OtherDriver(client, {"console_session": session.console_session_id, "passkey": kept.passkey_id}, words)


@pytest.mark.parametrize("role", list(BOUND), ids=lambda role: role.value)
def test_nobody_finds_or_changes_what_is_another_drivers(world: World, role: Role) -> None:
    """Within one operator, where the rows lie side by side: at every route that the role may use, by id and without one."""
    other = other_driver(world.scene)
    before, tried = other.marks(world.scene), set()
    for route in routes_of(world.scene):
        asker = world.person(role)
        if route.is_open or route.is_stream or not asker.may(route):
            continue
        nothing = world.value(route, None)

        def theirs(name: str, route: Route = route, nothing: Callable[[str], str] = nothing) -> str:
            apart = (thing for (start, one), thing in ELSEWHERE.items() if one == name and route.path.startswith(start))
            return other.things.get(next(apart, None) or THINGS[name]) or nothing(name)

        paths = [route.filled(value) for value in (theirs, nothing)]
        answers = [plain(world.person(role).ask(route, path), path) for path in paths]
        assert answers[0] == answers[1] or not route.parameters, (route.name, answers)
        assert not [word for word in other.words if word in answers[0][1]], route.name
        tried.add(route.path)
    assert {"/me", "/account", "/account/sessions/{session_id}/leave", "/account/passkeys/{passkey_id}/remove"} <= tried
    assert other.marks(world.scene) == before


def test_no_route_that_changes_something_asks_only_whether_one_may_look(world: World) -> None:
    """Whoever may read everything and change nothing, changes nothing: but the colours of their own pages."""
    writes = [one for one in routes_of(world.scene) if one.method not in HARMLESS and not one.is_open]
    assert {one.name for one in writes if one.scope is Scope.READ} <= {"POST /console/theme"}
    without = {one.path for one in writes if one.scope is None}
    assert all(path in FOR_EVERYBODY or path.startswith(FOR_PEOPLE_ALONE) for path in without), without


def test_every_name_in_an_address_is_known_to_this_test(world: World) -> None:
    """A new kind of thing is tried with ids of others, too."""
    names = {name for route in routes_of(world.scene) if not route.is_open for name in route.parameters}
    assert names <= set(THINGS), names - set(THINGS)
    assert len(routes_of(world.scene)) > 100


def plain(answer: Response, path: str) -> tuple[int, str, str | None]:
    """An answer without what was asked for in it."""
    text = answer.text
    for part in sorted(
        {piece for piece in path.split("/") if len(piece) > 5 or piece == "nobody"}, key=len, reverse=True
    ):
        text = text.replace(part, "…")
    return answer.status_code, text, answer.headers.get("content-type")
