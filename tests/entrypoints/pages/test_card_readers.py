"""What drivers and operators see of card readers: the offer beside the charging point, the wait for the card, the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.entrypoints.http.reserved import a_reader
from tests.entrypoints.http.test_card_readers import CONSOLE, EVSE, asks
from tests.entrypoints.pages.test_every_page import faults, faults_by_night
from tests.entrypoints.pages.test_live_session import SIZES, opened
from tests.entrypoints.served import served
from tests.parts import part

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.entrypoints.scene import Scene


def test_a_driver_at_a_kiosk_is_led_to_the_reader_and_may_give_up(scene: Scene, chromium: Browser) -> None:
    """By hand: the price, the button, "hold your card", the red key on the page; each of them whole, by day and by night."""
    a_reader(scene, "CP1", "tmr_1")
    axe = part("axe-core").read_text(encoding="utf-8")
    found: list[str] = []
    with served(scene.house) as base, opened(chromium, base) as page:

        def look(at: str) -> None:
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                found.extend(f"{at} on a {size}: {one}" for one in faults(page, axe) + faults_by_night(page))

        page.goto(f"/evse/{EVSE}")
        look("evse")
        page.get_by_role("button", name="Pay at the reader: Post 1").click()
        page.get_by_text("The card reader is being asked.").wait_for()
        scene.collect(asks)
        page.get_by_role("heading", name="Hold your card to the reader").wait_for()
        look("reader")
        page.get_by_role("button", name="Cancel").click()
        scene.collect(asks)
        page.get_by_text("It was cancelled.").wait_for()
        look("given-up")
        page.goto(scene.link())
        page.get_by_role("button", name="Open").click()
        page.goto(CONSOLE)
        look("settings")
    assert found == []
