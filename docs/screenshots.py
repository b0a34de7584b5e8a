"""The pictures of the documentation, taken of the demonstration while it plays: `make screenshots` (needs Chromium)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

IMAGES = Path(__file__).parent / "images"
PLAY_SECONDS = 240
TRIES = 8
START_SECONDS = 90
DESK = (1440, 900)
PHONE = (390, 844)
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCHEMES = ("light", "dark")


def main() -> None:
    """Play, look, stop."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not here: apt install chromium")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Path(folder, "screen").open("w+", encoding="utf-8") as screen:
        demo = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tallywatt",
                "demo",
                "--data-dir",
                str(Path(folder, "demo")),
                "--seconds",
                str(PLAY_SECONDS),
            ],
            stdout=subprocess.DEVNULL,
            stderr=screen,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        )
        try:
            link = _said(Path(screen.name), demo, r"(http\S+/console/enter/\S+)")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
                _pictures(browser, link)
                browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=30)


def _said(screen: Path, demo: subprocess.Popen[bytes], pattern: str) -> str:
    """What the demonstration has printed, once it has."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and demo.poll() is None:
        found = re.search(pattern, screen.read_text(encoding="utf-8"))
        if found is not None:
            return found[1]
        time.sleep(0.2)
    sys.exit(f"The demonstration did not start:\n{screen.read_text(encoding='utf-8')}")


def _context(browser: Browser, size: tuple[int, int], scheme: str, state: str | None = None) -> BrowserContext:
    width, height = size
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2 if size == PHONE else 1,
        storage_state=state,
    )


def _pictures(browser: Browser, link: str) -> None:
    base = link.partition("/console")[0]
    state = str(IMAGES / ".session.json")
    try:
        with _context(browser, DESK, "light") as context:
            page = context.new_page()
            page.goto(link)
            page.get_by_role("button", name="Open").click()
            context.storage_state(path=state)
            _wait_for_a_busy_hour(page)
            _live(browser, page, base, state)
            _finished(browser, page, base, state)
    finally:
        Path(state).unlink(missing_ok=True)


def _wait_for_a_busy_hour(page: Page) -> None:
    """Until a dozen sessions run, and something waits for a person."""
    deadline = time.monotonic() + PLAY_SECONDS
    while time.monotonic() < deadline:
        if page.locator("#live tbody tr").count() >= 12 and page.locator("#waiting li").count() >= 1:
            return
        time.sleep(0.5)


def _live(browser: Browser, page: Page, base: str, state: str) -> None:
    """What is only to be seen while somebody charges."""
    _driver_live(browser, page, base)
    for scheme in SCHEMES:
        with _context(browser, DESK, scheme, state) as context:
            _shoot(context.new_page(), f"{base}/console", f"overview-{scheme}")
    with _context(browser, PHONE, "light", state) as context:
        _shoot(context.new_page(), f"{base}/console", "overview-phone")
        _shoot(context.new_page(), _free_evse(page, base), "evse")


def _driver_live(browser: Browser, page: Page, base: str) -> None:
    """A driver's page while it charges. Minutes are parts of a second here: the picture is taken again until it is in time."""
    for _ in range(TRIES):
        _go(page, f"{base}/console")
        rows = page.locator("#live tbody tr").all()
        drawing = [row for row in rows if 2 < _figure(row.locator("td").nth(2)) < 8]
        newest = next((row for row in drawing if 1 < _figure(row.locator("td").nth(1)) < 4), rows[0])
        _go(page, base + (newest.locator("th a").get_attribute("href") or ""))
        driver = base + (page.get_by_role("link", name="Driver's page").get_attribute("href") or "")
        in_time = []
        for scheme in SCHEMES:
            with _context(browser, PHONE, scheme) as context:
                in_time.append("Charging" in _shoot(context.new_page(), driver, f"driver-live-{scheme}"))
        if all(in_time):
            return


def _free_evse(page: Page, base: str) -> str:
    """The page at an EVSE where nobody charges."""
    _go(page, f"{base}/console/stations")
    free = page.locator("#rows tbody tr").filter(has_text="1 Free").filter(has_text="2 Free").last
    _go(page, base + (free.locator("th a").get_attribute("href") or ""))
    return base + (page.get_by_role("link", name="Driver's page").first.get_attribute("href") or "")


def _figure(cell: Locator) -> float:
    """The number in a cell, 0 where there is none."""
    found = re.search(r"[\d.]+", cell.inner_text())
    return float(found[0]) if found else 0.0


def _finished(browser: Browser, page: Page, base: str, state: str) -> None:
    """A session that is billed and paid, down to its frames."""
    _go(page, f"{base}/console/sessions?state=billed")
    rows = page.locator("#rows tbody tr").all()
    full = next((row for row in rows if _figure(row.locator("td").nth(2)) > 10), rows[0])
    session = base + (full.locator("th a").get_attribute("href") or "")
    _go(page, session)
    driver = page.get_by_role("link", name="Driver's page").get_attribute("href")
    with _context(browser, PHONE, "light") as context:
        _shoot(context.new_page(), f"{base}{driver}", "driver-invoice")
    with _context(browser, DESK, "light", state) as context:
        _shoot(context.new_page(), session, "session")
        _shoot(context.new_page(), f"{base}/console/sessions", "sessions")
        _shoot(context.new_page(), f"{base}/console/inbox", "inbox")
        _shoot(context.new_page(), f"{base}/console/tariffs", "tariffs")
        _shoot(context.new_page(), f"{base}/console/connect", "connect")
        _tariff(context.new_page(), base)
    with _context(browser, DESK, "dark", state) as context:
        _shoot(context.new_page(), f"{base}/console/design", "design")


def _tariff(page: Page, base: str) -> None:
    """A new price, looked at before it is kept."""
    _go(page, f"{base}/console/tariffs/new")
    for label, text in (
        ("Reference", "city-ac"),
        ("Name", "City AC"),
        ("Tax in percent", "20"),
        ("Per session", "0.50"),
    ):
        page.get_by_label(label).fill(text)
    page.get_by_label("Per kWh", exact=True).fill("0.45")
    page.get_by_label("Per hour idle").fill("6")
    page.get_by_role("button", name="Look at the price").click()
    page.screenshot(path=IMAGES / "tariff-new.png", animations="disabled")
    page.close()


def _go(page: Page, address: str) -> None:
    """Open a page; the demonstration kills its server now and then, and it is back in a moment."""
    for _ in range(60):
        try:
            page.goto(address)
        except Error:
            time.sleep(0.5)
        else:
            return
    sys.exit(f"{address} does not answer")


def _shoot(page: Page, address: str, name: str) -> str:
    """Take a picture; the heading of the page."""
    _go(page, address)
    heading = page.locator("h1").first.inner_text()
    page.evaluate("document.fonts.ready")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    print(
        f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}  {path.stat().st_size // 1024} kB"
    )
    page.close()
    return heading


if __name__ == "__main__":
    main()
