"""Every page in a real browser, on a phone and on a desk, by day and by night. The list of pages comes from the routes."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.access import secret_hash
from tallywatt.customers.circle import CircleKind
from tallywatt.customers.roles import Role
from tallywatt.entrypoints.pages.render import STATIC, static
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.evidence.findings import Finding
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.imports import ImportKind
from tallywatt.workflows.invite_person import InvitePerson, invite_person
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, add_circle, join_circle
from tallywatt.workflows.replay_webhook import TryWebhook, try_webhook
from tallywatt.workflows.run_audit import AskAudit, BeginAudit, KeepAudit, ask_audit, begin_audit, keep_audit
from tallywatt.workflows.take_import import BeginImport, KeepPart, OpenImport, begin_import, keep_part, open_import
from tallywatt.workflows.use_coupon import AddCoupon, KeepCouponOf, add_coupon, keep_coupon_of
from tests.entrypoints.http.commanded import displayed, limited
from tests.entrypoints.http.counted import has_counted, told_to_count
from tests.entrypoints.http.disputed import disputed, paid_there
from tests.entrypoints.http.examples import logged_at, told_by_name
from tests.entrypoints.http.test_console_debits import batch_ready
from tests.entrypoints.http.test_doors import routes
from tests.entrypoints.pages.test_live_session import SIZES, opened
from tests.entrypoints.scene import Scene
from tests.entrypoints.served import served
from tests.parts import part

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

DAY = 24 * 3600 * 1000
FAINT = (Path(__file__).parent / "faint.js").read_text(encoding="utf-8")
"""Lists the texts of a page whose contrast against what is behind them is less than WCAG 2.2 AA asks for."""
AXE = """async contrast => (await axe.run({
        resultTypes: ["violations"], preload: false, rules: { "color-contrast": { enabled: contrast } }
    })).violations.flatMap(one => one.nodes.map(node => `${one.id} at ${node.target.join(' ')}: ${node.failureSummary}`))"""
EVERY_LOOK = os.environ.get("TALLYWATT_EVERY_LOOK") == "1"
"""axe-core's own rule about contrast takes longer than all its others together, and FAINT looks at the same texts on every
screen by day and by night: so it has one screen of each page in turn, and all of them in `make pages`."""
SHARES = 3
"""The pages are looked at in so many tests, so that those who run beside each other share the work."""
AT_ONCE = "document.getAnimations().forEach(one => one instanceof CSSTransition && one.finish())"
"""Colours that change slowly are at their end."""

NO_PAGES = frozenset(
    {
        "/", "/console/feed", "/s/{secret}/feed", "/s/{secret}.json", "/s/{secret}.pdf", "/s/{secret}.xml",
        "/pay/{secret}.json", "/console/invoices/{number}.pdf", "/console/sessions/{session_id}/signed.xml",
        "/console/disputes/{dispute_id}/evidence.zip", "/console/disputes/{dispute_id}/evidence.pdf",
        "/static/{path:path}", "/openapi.json", "/sign-in/sso/{provider_id}",
    }
)  # fmt: skip
"""What answers with data, a document or a stream, or leads elsewhere."""

WITH_PARTS: dict[str, Callable[[Scene], str]] = {
    "/console/enter/{secret}": lambda scene: scene.link(),
    "/console/sessions/{session_id}": lambda scene: f"/console/sessions/{scene.session('1')['id']}",
    "/console/frames/{frame_id}": lambda scene: f"/console/frames/{scene.session('1')['frames'][0]['id']}",
    "/console/stations/{identity}": lambda _: "/console/stations/CP1",
    "/console/stations/{identity}/log": lambda scene: logged_at(scene, "CP1"),
    "/console/stations/{identity}/power": lambda scene: limited(scene, "CP1"),
    "/console/stations/{identity}/display": lambda scene: displayed(scene, "CP2"),
    "/console/stations/{identity}/messages": lambda _: "/console/stations/CP1/messages",
    "/console/commands/{command_id}": lambda scene: f"/console/commands/{_command(scene)}",
    "/console/tariffs/{version}": lambda scene: f"/console/tariffs/{_tariff(scene)}",
    "/console/customers/{reference:path}": lambda _: "/console/customers/C1",
    "/console/corrections/{correction_id}": lambda scene: f"/console/corrections/{scene.correction('Wrong price')}",
    "/console/disputes/{dispute_id}": lambda scene: f"/console/disputes/{_disputed(scene)}",
    "/console/debits/{batch_id}": lambda scene: f"/console/debits/{batch_ready(scene)}",
    "/console/circles/{circle_id}": lambda scene: f"/console/circles/{_circle(scene)}",
    "/console/coupons/{coupon_id}": lambda scene: f"/console/coupons/{_coupon(scene)}",
    "/console/imports/{import_id}": lambda scene: f"/console/imports/{_upload(scene)}",
    "/console/audits/{audit_id}": lambda scene: f"/console/audits/{_audit(scene)}",
    "/console/payments/{payment_id}": lambda scene: f"/console/payments/{_payment(scene)['id']}",
    "/console/settings/people/{membership_id}": lambda scene: f"/console/settings/people/{_member(scene)}",
    "/console/settings/webhooks/{endpoint_id}": lambda scene: f"/console/settings/webhooks/{_endpoint(scene)}",
    "/console/settings/webhooks/{endpoint_id}/deliveries/{delivery_id}": lambda scene: (
        f"/console/settings/webhooks/{_delivery(scene)}"
    ),
    "/sign-in/link/{secret}": lambda scene: scene.link(Role.SUPPORT).replace("/console/enter/", "/sign-in/link/"),
    "/invitation/{secret}": lambda scene: f"/invitation/{_invited(scene)}",
    "/s/{secret}": lambda scene: f"/s/{scene.session('1')['driver_secret']}",
    "/evse/{code}": lambda _: "/evse/GB*TWA*ECP1*1",
    "/pay/{secret}": lambda scene: f"/pay/{_ad_hoc(scene)}",
}
"""An address for each page whose address has parts. A page that is missing here fails the first test below."""
MORE: tuple[Callable[[Scene], str], ...] = (
    lambda scene: told_to_count(scene, "CP3"),
    lambda scene: f"/console/sessions/{has_counted(scene, scene.session('1')['id'], '9.99')}",
    lambda _: "/console/enter/spent",
    lambda _: "/console/sessions/nobody-knows-it",
    lambda _: "/console/inbox?state=resolved",
    lambda scene: f"/s/{scene.session('3')['driver_secret']}",
    lambda scene: f"/console/tariffs/new?version={_tariff(scene)}",
    lambda _: "/console/tariffs/new?mode=json",
    lambda _: "/console/connect?station=CP1",
    lambda _: "/console/search?q=CP",
    lambda _: "/console/search?q=nothing",
    lambda _: "/console/customers?q=nobody",
    lambda _: "/s/unknown",
    lambda _: "/go?code=CP1",
    lambda _: "/go?code=nowhere",
    lambda _: "/sign-in/link/spent",
    lambda _: "/invitation/spent",
)
"""Other states of pages that are worth a look of their own: empty, running, not found."""


def page_routes(scene: Scene) -> list[str]:
    """The paths of all pages: what is got, is no part of the API, and is no data."""
    told = set(scene.app.openapi()["paths"])
    return sorted(
        {path for method, path in routes(scene.app) if method == "GET" and path not in told and path not in NO_PAGES}
    )


def _disputed(scene: Scene) -> str:
    payment, _ = paid_there(scene)
    return disputed(scene, payment, "D8HV", 250)


def _command(scene: Scene) -> str:
    """A message that a station has answered, and what followed it."""
    return told_by_name(scene)


def _upload(scene: Scene) -> str:
    """An upload that was taken, with a row that was refused."""
    import_id = scene.house.new_id("import")
    scene.do(open_import, OpenImport(import_id, ImportKind.CUSTOMERS, "members.csv"))
    scene.do(keep_part, KeepPart(import_id, 0, b"reference\nuploaded\n-" + b"x" * 100))
    scene.do(begin_import, BeginImport(import_id))
    workers = Workers(scene.house, ())
    while workers.step(LANES["imports"]):
        pass
    return import_id


def _circle(scene: Scene) -> str:
    """A membership with somebody in it, and somebody who is to leave it."""
    made = scene.do(add_circle, AddCircle(CircleKind.MEMBER, "gold", "Gold members"))
    scene.do(join_circle, JoinCircle("member:gold", "C1", valid_until=Instant(scene.now + DAY)))
    return str(made.circle_id)


def _coupon(scene: Scene) -> str:
    """A coupon that somebody keeps and somebody has used."""
    made = scene.do(add_coupon, AddCoupon("WELCOME", {"percent": "20"}, "For new customers", most_uses=500))
    for customer in ("C1", "C2"):
        scene.do(keep_coupon_of, KeepCouponOf("WELCOME", customer))
    return str(made.coupon_id)


def _audit(scene: Scene) -> str:
    """An audit with a finding."""
    audit_id = scene.do(ask_audit, AskAudit()).audit_id
    scene.do(begin_audit, BeginAudit(audit_id))
    report = scene.house.audit(scene.operator)
    finding = Finding("session.energy", "S1", "the bill differs from the meter", "8000", "9000")
    figures = {**report.summary(), "frames": report.frames, "erased_frames": report.erased_frames}
    scene.do(keep_audit, KeepAudit(audit_id, (finding,), figures))
    return audit_id


def _tariff(scene: Scene) -> str:
    return str(scene.house.ask_now(scene.house.views.tariffs, scene.operator)[0]["id"])


def _member(scene: Scene) -> str:
    """Somebody with a role and an open session."""
    scene.signed_in(Role.SUPPORT)
    [found] = scene.do(lambda work, _: work.memberships.by(role="support"), None)
    return str(found.membership_id)


def _endpoint(scene: Scene) -> str:
    """Where a partner listens, with something in its log."""
    made = scene.do(add_webhook_endpoint, AddWebhookEndpoint("https://hooks.example.org/", description="the till"))
    endpoint_id: str = made.endpoint.endpoint_id
    scene.do(try_webhook, TryWebhook(endpoint_id))
    with ThreadPoolExecutor(1) as beside:  # this thread may have a loop already: the browser's
        beside.submit(asyncio.run, scene.house.spread_events()).result()
    return endpoint_id


def _delivery(scene: Scene) -> str:
    """An endpoint, and a delivery to it."""
    endpoint_id = _endpoint(scene)
    [found] = scene.do(lambda work, key: work.webhook_deliveries.by(endpoint_id=key), endpoint_id)
    return f"{endpoint_id}/deliveries/{found.delivery_id}"


def _invited(scene: Scene) -> str:
    """The secret of an open invitation."""
    secret = scene.house.letter_secret("I1")
    order = InvitePerson("ben@dundee.example", Role.DRIVER, ("C1",), "I1", secret_hash(secret))
    scene.do(invite_person, order)
    return secret


def _payment(scene: Scene) -> dict[str, Any]:
    rows = scene.house.ask_now(scene.house.views.payments, scene.operator, 100)["items"]
    return next(row for row in rows if row["session_id"])


def _ad_hoc(scene: Scene) -> str:
    """The page of a payment that a driver has begun at an EVSE."""
    with scene.client() as client:
        answer = client.post("/evse/GB*TWA*ECP2*1/pay", headers={"Accept": "text/html"})
    return str(answer.headers["location"]).partition("/pay/")[2]


def busy(scene: Scene) -> Scene:
    """Something on every page: what is over and paid, what waits for somebody, what runs, what knocks."""
    wire = scene.wire()
    wire.charge(10_000_000)
    wire.charge(4_000_000, meter=10_000_000, token="NOBODY")
    scene.collect()
    scene.waiting_refund(_payment(scene)["id"], 100, "stiff")
    wire.report("Charging")
    wire.start(meter=14_000_000, token="CARD2")
    scene.knock("A-STATION-WITH-A-VERY-LONG-IDENTITY-OF-48-LETTERS")
    return scene


def addresses(scene: Scene) -> list[str]:
    """An address for each page, and for some of their other states."""
    paths = page_routes(scene)
    return [WITH_PARTS[path](scene) if "{" in path else path for path in paths] + [one(scene) for one in MORE]


def test_every_page_is_looked_at(scene: Scene) -> None:
    """A new page with parts in its address gets a line in WITH_PARTS; one without is found by itself."""
    paths = page_routes(scene)
    assert {path for path in paths if "{" in path} == set(WITH_PARTS)
    assert {"/console", "/console/design", "/console/settings"} <= set(paths)


@pytest.mark.parametrize("share", range(SHARES))
def test_every_page_is_whole_quiet_and_open_to_everybody(scene: Scene, chromium: Browser, share: int) -> None:
    """No error, nothing from elsewhere, nothing wider than its screen, no text too faint, no rule of axe-core broken.

    Only styles know how wide a screen is, and night changes nothing but colours: a page is loaded once, and looked at again.
    """
    axe = part("axe-core").read_text(encoding="utf-8")
    paths = addresses(busy(scene))[share::SHARES]
    found: list[str] = []
    with served(scene.house) as base, opened(chromium, base, missing=True) as page:
        page.goto(scene.link())
        page.get_by_role("button", name="Open").click()
        for place, path in enumerate(paths):
            answer = page.goto(path)
            assert answer is not None
            assert answer.status < 500, path
            assert "text/html" in answer.headers["content-type"], f"{path} is no page: name it in NO_PAGES"
            for turn, (size, (width, height)) in enumerate(SIZES.items()):
                page.set_viewport_size({"width": width, "height": height})
                in_turn = (place + turn) % len(SIZES) == 0
                found += [f"{path} on a {size}: {one}" for one in faults(page, axe, contrast=in_turn or EVERY_LOOK)]
                found += [f"{path} on a {size} by night: {one}" for one in faults_by_night(page)]
    assert found == []


def test_an_empty_house_says_what_to_do_next(scene: Scene, chromium: Browser) -> None:
    """The first hour of a new operator: nothing on any list, nothing wrong with any page."""
    axe = part("axe-core").read_text(encoding="utf-8")
    new = Scene.beside(scene, "new")
    new.do(add_operator, AddOperator("new", "New"))
    paths = [path for path in page_routes(scene) if path.startswith("/console") and "{" not in path]
    found: list[str] = []
    with served(scene.house) as base, opened(chromium, base) as page:
        page.goto(new.link())
        page.get_by_role("button", name="Open").click()
        for path in paths:
            page.goto(path)
            found += [f"{path}: {one}" for one in faults(page, axe, contrast=EVERY_LOOK)]
        page.goto("/console")
        assert page.locator(".first-step a").count() == 4
    assert found == []


def faults(page: Page, axe: str, *, contrast: bool = True) -> list[str]:
    """What is wrong with the page as it stands; `contrast` asks axe-core about it, too."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    return [
        *([f"{wide} px wider than its screen"] if wide > 0 else []),
        *page.evaluate(FAINT),
        *page.evaluate(AXE, contrast),
    ]


def faults_by_night(page: Page) -> list[str]:
    """What is wrong with the same page in its dark colours; it is light again afterwards."""
    page.emulate_media(color_scheme="dark")
    page.evaluate(AT_ONCE)
    found: list[str] = page.evaluate(FAINT)
    page.emulate_media(color_scheme="light")
    page.evaluate(AT_ONCE)
    return found


def test_styles_name_the_letters_as_pages_do() -> None:
    """Under two addresses they would be loaded twice."""
    assert static("inter.woff2").removeprefix("/static/") in (STATIC / "app.css").read_text(encoding="utf-8")


def test_night_is_the_same_whether_the_device_or_the_reader_wants_it() -> None:
    """The dark colours stand twice in app.css, because a media query and an attribute cannot share a rule."""
    css = (STATIC / "app.css").read_text(encoding="utf-8")
    by_device = css.partition(":root:not([data-theme]) {")[2].partition("}")[0]
    by_choice = css.partition('[data-theme="dark"] {')[2].partition("}")[0]
    assert "--paper" in by_choice
    assert by_device.split() == by_choice.split()


def test_the_first_page_is_light(scene: Scene, chromium: Browser) -> None:
    """On a phone in a car park: page, styles, script and letters together stay under 100 kB."""
    with served(scene.house) as base, opened(chromium, base) as page:
        page.goto(busy(scene).link())
        page.get_by_role("button", name="Open").click()
        page.goto("/console")
        sizes = page.evaluate(
            """() => performance.getEntries().filter(one => one.entryType === 'navigation' || one.entryType === 'resource')
                .map(one => [one.name, one.encodedBodySize])"""
        )
    assert sum(size for _, size in sizes) < 100_000, sizes
