"""One session in a real browser, from plug-in to invoice: the pages follow what the station says, without a reload."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tallywatt.kernel.clock import Instant
from tallywatt.payments.provider import Succeeded, View, ViewStatus
from tallywatt.rating.records import Scope
from tallywatt.workflows.lose_stop import LoseStop, lose_stop
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.secure_hold import SecureHold, secure_hold
from tests.entrypoints.scene import TARIFF
from tests.entrypoints.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tallywatt.kernel.identity import SessionId
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome
    from tests.entrypoints.scene import Scene

SIZES = {"phone": (390, 844), "desk": (1440, 900)}
MOST_MS = 30_000


@contextmanager
def opened(
    chromium: Browser, base: str, size: str = "phone", scheme: str = "light", *, script: bool = True,
    missing: bool = False,
) -> Iterator[Page]:  # fmt: skip
    """A page that must not complain, and must not ask for anything from elsewhere. `missing`: it may not be found."""
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
        base_url=base,
    )
    context.set_default_timeout(MOST_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(base) else complaints.append(f"asked {asked.url}"))
    yield page
    context.close()
    refused = "Failed to load resource: the server responded with a status of 40"
    assert [one for one in complaints if not (missing and one.startswith(refused))] == []


def test_one_session_is_followed_live_from_plug_in_to_invoice(scene: Scene, chromium: Browser) -> None:
    """The driver sees the price, the cost while it grows, the end, the invoice and the payment; the operator sees it too."""
    wire = scene.wire()
    with served(scene.house) as base, opened(chromium, base) as phone, opened(chromium, base, "desk", "dark") as desk:
        desk.goto(scene.link())
        desk.get_by_role("button", name="Open").click()
        expect(desk.locator("#live")).to_contain_text("Nobody is charging")

        wire.report("Preparing")
        transaction = wire.start(meter=5_000_000, token="CARD3")
        wire.report("Charging")
        expect(desk.locator("#live")).to_contain_text("Queen Street")
        phone.goto(f"/s/{scene.session(transaction)['driver_secret']}")
        expect(phone.get_by_role("heading", level=1)).to_have_text("Charging")
        expect(phone.locator("#dials")).to_contain_text("0.000")
        expect(phone.locator(".prices")).to_contain_text("per kWh")

        phone.evaluate("window.untouched = true")
        scene.later(20)
        wire.sample(transaction, (scene.now, 9_000_000))
        expect(phone.locator("#dials")).to_contain_text("4.000")
        expect(phone.locator("#dials")).to_contain_text("so far")
        expect(phone.locator("#dials")).to_contain_text("12.0 kW now")
        expect(desk.locator("#energy")).to_contain_text("4.000")
        so_far = phone.locator("#dials .strong .dial-value").inner_text()

        scene.later(20)
        wire.report("SuspendedEV")
        expect(phone.get_by_role("heading", level=1)).to_have_text("Paused")

        wire.stop(transaction, 13_000_000)
        expect(phone.locator("#cost")).to_contain_text("What it cost")
        expect(phone.locator("#dials")).to_contain_text("8.000")
        total = phone.locator("#dials .strong .dial-value").inner_text()
        assert total != so_far
        expect(phone.locator("#paid")).to_contain_text("INV-")
        expect(phone.locator("#paid")).to_contain_text("Being collected")
        scene.collect()
        expect(phone.get_by_text("All is paid")).to_be_visible()
        expect(phone.locator("#paid")).to_contain_text("•••• 4243")
        expect(desk.locator("#recent")).to_contain_text("INV-")
        expect(desk.locator("#energy")).to_contain_text("Every watt-hour is billed or explained")
        assert phone.evaluate("window.untouched") is True, "the page was never loaded again"

        session = scene.session(transaction)
        assert (session["state"], session["energy_wh"]) == ("billed", "8000")
        assert total == f"£{session['total_minor'] / 100:.2f}"


def test_the_console_leads_from_a_figure_to_the_frame(scene: Scene, chromium: Browser) -> None:
    """Click by click, as an operator would look into a session."""
    scene.wire().charge(10_000_000)
    scene.collect()
    with served(scene.house) as base, opened(chromium, base, "desk") as page:
        page.goto(scene.link())
        page.get_by_role("button", name="Open").click()
        page.locator("#energy a.term.billed").click()
        page.locator("#rows tbody th a").first.click()
        expect(page.get_by_role("heading", name="Meter readings")).to_be_visible()
        page.locator("#readings tbody a").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("MeterValues")
        expect(page.locator("pre").first).to_contain_text("sampledValue")


def test_what_waits_for_a_person_is_worked_off_with_the_keyboard_and_without_script(
    scene: Scene, chromium: Browser
) -> None:
    """Forms are forms: a browser without our script does all that one with it does."""
    scene.wire().charge(4_000_000, token="NOBODY")
    with served(scene.house) as base, opened(chromium, base, "phone", script=False) as page:
        page.goto(scene.link())
        page.get_by_role("button", name="Open").press("Enter")
        page.goto("/console/inbox")
        page.get_by_label("Who owes").fill("C4")
        page.get_by_role("button", name="Release and bill").press("Enter")
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert scene.session()["state"] == "billed"


def test_a_driver_pays_before_the_start(scene: Scene, chromium: Browser) -> None:
    """From the price over the wait to the session, each page going on by itself."""
    with served(scene.house) as base, opened(chromium, base) as page:
        page.goto("/evse/GB*TWA*ECP2*1")
        expect(page.locator(".prices")).to_contain_text("£0.35")
        page.get_by_role("button", name="Pay by card").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("One moment")
        scene.collect()
        expect(page.get_by_role("heading", level=1)).to_have_text("Plug in now")
        scene.start_paid()
        [tag] = scene.do(lambda work, _: work.tokens.by(type="AD_HOC_USER"), None)
        wire = scene.wire("CP2")
        wire.start(meter=0, token=tag.uid)
        expect(page.get_by_role("heading", level=1)).to_have_text("Charging")
        assert "/s/" in page.url


def test_a_driver_sees_what_is_taken_and_what_is_still_held(scene: Scene, chromium: Browser) -> None:
    """While somebody looks at a session, a part of its hold is taken: the page says which, and what becomes of the rest."""
    # One price at every hour: this test runs at all of them.
    all_day = {**TARIFF, "id": "all-day", "elements": TARIFF["elements"][1:]}
    put = scene.do(put_tariff, PutTariff(all_day))
    scene.do(assign_tariff, AssignTariff(put.version.tariff_version_id, Scope.STATION, "CP2", Instant(0)))
    with served(scene.house) as base, opened(chromium, base) as page:
        page.goto("/evse/GB*TWA*ECP2*1")
        page.get_by_role("button", name="Pay by card").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("One moment")
        scene.collect()
        scene.start_paid()
        [tag] = scene.do(lambda work, _: work.tokens.by(type="AD_HOC_USER"), None)
        wire = scene.wire("CP2")
        transaction = wire.start(meter=0, token=tag.uid)
        wire.sample(transaction, (scene.later(20), 3_000_000), (scene.later(20), 1_000_000))
        scene.later(20)
        wire.stop(transaction, 2_000_000)
        _a_part_is_taken(scene, scene.session(transaction, "CP2")["id"])
        expect(page.get_by_role("heading", level=1)).to_have_text("Being checked")
        expect(page.get_by_text("What is certain of it is paid")).to_be_visible()
        expect(page.locator("#paid dl div")).to_have_text(["Paid£1.13", "Held on your card£43.87"])
        expect(page.locator("#paid")).to_contain_text("The rest is released as soon as the price is final.")


def _a_part_is_taken(scene: Scene, session_id: SessionId) -> None:
    [payment] = scene.do(lambda work, _: work.payments.by(session_id=session_id), None)
    scene.do(lambda work, one: work.payments.put(replace(one, several_captures=True)), payment)
    scene.do(secure_hold, SecureHold(session_id))

    def taken(operation: Operation) -> Outcome:
        held, sum_ = payment.authorised_minor, operation.amount_minor
        return Succeeded(View(ViewStatus.AUTHORISED, "GBP", payment.provider_ref, None, None, held, sum_))

    scene.collect_once(taken)


def test_a_lost_stop_is_told_calmly(scene: Scene, chromium: Browser) -> None:
    """The page changes by itself to what is known, and asks for nothing."""
    transaction = scene.wire().start(meter=0)
    session = scene.session(transaction)
    with served(scene.house) as base, opened(chromium, base) as page:
        page.goto(f"/s/{session['driver_secret']}")
        scene.do(lose_stop, LoseStop(session["id"]))
        expect(page.get_by_role("heading", level=1)).to_have_text("Being checked")
