"""From the code on the station to the receipt, by hand in a real browser: real server, real station, the provider's page."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tallywatt.stations.credentials import hash_key
from tallywatt.stations.station import Current
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tests.entrypoints.served import browser
from tests.parts import part
from tests.simulators.psp.running import KEY as PSP_KEY
from tests.simulators.psp.running import RunningPsp
from tests.whole.processes import ANSWERS_WITHIN_SECONDS, KEY, Installation, Station, free_port
from tests.whole.test_killed import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

HOOK = "whsec_by_hand"
CODE = "GB*TWA*EQR1*1"
MINUTES = count(1, 60)
"""Of the station's clock: each thing that happens is an hour after the one before it."""


class Street:
    """A furnished installation with its server, the provider beside it, and one station on the kerb."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(folder / "data")
        self._book = folder / "psp.jsonl"
        self.psp = RunningPsp(self._book)

    def furnish(self) -> None:
        """What an operator does before the first driver comes."""
        folder, port = self.installation.settings.data_dir, free_port()
        self.installation.furnish()
        house = self.installation.house()
        try:
            (folder / "psp.key").write_text(PSP_KEY, encoding="utf-8")
            (folder / "psp.hook").write_text(HOOK, encoding="utf-8")
            secrets = f"file:{folder / 'psp.key'}", (f"file:{folder / 'psp.hook'}",)
            account = AddProviderAccount("cards", "stripe", ("GBP",), *secrets, base_url=f"http://127.0.0.1:{port}")
            evse = NewEvse(1, Current.AC, 22_000, CODE)
            commands: list[tuple[Any, Any]] = [
                (add_station, AddStation("QR1", None, hash_key(KEY, house.pepper), (evse,))),
                (add_provider_account, account),
            ]
            for workflow, command in commands:
                house.write_now(self.installation.operator, workflow, command, actor="test")
            [shown] = house.ask_now(house.views.provider_accounts, self.installation.operator)
        finally:
            house.close()
        news = f"{self.installation.settings.base_url}/webhooks/stripe/{shown['id']}"
        self.psp = RunningPsp(self._book, webhook_secret=HOOK, webhook=news)
        self.psp.port = port
        self.psp.start()
        self.installation.start()
        self.installation.until_healthy()

    def holds(self) -> list[str]:
        """How the provider says that each hold stands."""
        return [one.status for one in self.psp.client().payment_intents.list({"limit": 100}).data]

    def close(self) -> None:
        """End what was started."""
        self.installation.kill()
        self.psp.stop()


class Kerb:
    """The station, on a thread of its own: it starts when the house asks it to, and stops when the driver wants."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._station = Station(installation, "QR1")
        self.do(self._arrive())

    def do(self, what: Any) -> Any:
        """Let it happen there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(ANSWERS_WITHIN_SECONDS * 2)

    def soon(self, what: Any) -> Future[Any]:
        """Let it happen there meanwhile."""
        return asyncio.run_coroutine_threadsafe(what, self._loop)

    async def _arrive(self) -> None:
        await self._station.plug_in()
        await self._station.ask("BootNotification", {"chargePointVendor": "Sim", "chargePointModel": "QR"})
        await self._status("Available")

    async def _status(self, status: str) -> None:
        told = {"connectorId": 1, "status": status, "errorCode": "NoError", "timestamp": at(next(MINUTES))}
        await self._station.ask("StatusNotification", told)

    async def begin(self) -> int:
        """Wait until the house asks for a start, plug in, begin."""
        socket = self._station.socket
        assert socket is not None
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            while True:
                message = json.loads(await socket.recv())
                if message[0] == 2:
                    await socket.send(json.dumps([3, message[1], {"status": "Accepted"}]))
                    if message[2] == "RemoteStartTransaction":
                        break
        await self._status("Charging")
        start = {"connectorId": 1, "idTag": message[3]["idTag"], "meterStart": 1000, "timestamp": at(next(MINUTES))}
        answer = await self._station.ask("StartTransaction", start)
        number: int = answer["transactionId"]
        return number

    async def end(self, number: int) -> None:
        """Ten kilowatt-hours later."""
        stop = {"transactionId": number, "meterStop": 11_000, "timestamp": at(next(MINUTES)), "reason": "Local"}
        await self._station.ask("StopTransaction", stop)
        await self._status("Available")

    def close(self) -> None:
        """Cut the line."""
        self.do(self._station.unplug())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """One for all drivers, as in life."""
    made = Street(tmp_path_factory.mktemp("street"))
    try:
        made.furnish()
        yield made
    finally:
        made.close()


@pytest.fixture
def page() -> Iterator[Page]:
    """A phone."""
    with browser(part("chromium")) as chromium:
        context = chromium.new_context(viewport={"width": 390, "height": 844})
        context.set_default_timeout(ANSWERS_WITHIN_SECONDS * 1000)
        yield context.new_page()
        context.close()


def to_the_provider(page: Page, street: Street) -> None:
    """The code on the station leads to its page; the price is there before anything is asked; then to the provider."""
    page.goto(f"{street.installation.settings.base_url}/evse/{CODE}")
    expect(page.locator(".prices")).to_contain_text("£0.30")
    page.get_by_role("button", name="Pay by card").click()
    page.wait_for_url(f"{street.psp.url}/**")
    expect(page.get_by_role("heading", level=1)).to_contain_text("45.00")


def pay(page: Page, card: str) -> None:
    """Choose a test card, and go on."""
    page.get_by_role("radio", name=card).check()
    page.get_by_role("button", name="Hold").click()


def charged(page: Page, kerb: Kerb) -> str:
    """The hold is there: plug in, charge, unplug; what it cost, as the driver reads it."""
    number = kerb.soon(kerb.begin())
    expect(page.get_by_role("heading", level=1)).to_have_text("Charging")
    kerb.do(kerb.end(number.result(ANSWERS_WITHIN_SECONDS)))
    expect(page.locator("#cost")).to_contain_text("What it cost")
    expect(page.get_by_text("All is paid")).to_be_visible()
    return page.locator("#dials .strong .dial-value").inner_text()


@pytest.mark.timeout(180)
def test_a_driver_approves_at_the_bank_charges_and_takes_the_receipt_along(street: Street, page: Page) -> None:
    """No account, no app: the page, the bank, the cable, the paper."""
    kerb = Kerb(street.installation)
    try:
        to_the_provider(page, street)
        pay(page, "3D Secure required")
        expect(page.get_by_role("heading", level=1)).to_have_text("Your bank asks")
        page.get_by_role("button", name="Approve").click()
        assert charged(page, kerb) == "£3.00"
        address = page.get_by_role("link", name="Open the invoice").get_attribute("href")
        receipt = page.request.get(f"{street.installation.settings.base_url}{address}")
        assert receipt.body().startswith(b"%PDF")
    finally:
        kerb.close()

    assert "requires_capture" not in street.holds()


@pytest.mark.timeout(180)
def test_a_card_that_is_declined_costs_nothing_and_another_one_may_be_tried(street: Street, page: Page) -> None:
    """Also when the bank was asked, and the driver said no."""
    kerb = Kerb(street.installation)
    try:
        to_the_provider(page, street)
        pay(page, "Insufficient funds")
        expect(page.get_by_role("alert")).to_contain_text("insufficient funds")
        pay(page, "3D Secure required")
        page.get_by_role("button", name="Reject").click()
        expect(page.get_by_role("alert")).to_be_visible()
        pay(page, "Mastercard")
        assert charged(page, kerb) == "£3.00"
    finally:
        kerb.close()

    assert "requires_capture" not in street.holds()


@pytest.mark.timeout(180)
def test_a_driver_who_goes_away_has_nothing_held_and_the_next_one_may_pay(street: Street, page: Page) -> None:
    """The EVSE is not kept for somebody who has left."""
    before = len(street.holds())
    kerb = Kerb(street.installation)
    try:
        to_the_provider(page, street)
        page.get_by_role("link", name="Cancel and go back").click()
        page.wait_for_url(f"{street.installation.settings.base_url}/**")
        expect(page.get_by_role("status")).to_contain_text("Nothing was taken")
        to_the_provider(page, street)
    finally:
        kerb.close()

    states = street.holds()
    assert set(states[: len(states) - before]) <= {"requires_payment_method", "canceled"}
