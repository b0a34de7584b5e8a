"""Pages on their real routes in both languages, and what somebody hears who does not see them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tallywatt.customers.roles import Role
from tests.entrypoints.pages.test_live_session import opened
from tests.entrypoints.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

EVSE = "/evse/GB*TWA*ECP1*2"
ENGLISH_LEFT = re.compile(r"\b(the|your|and|with|this|from|paid|station|session|price)\b", re.IGNORECASE)
"""Words that are in no German sentence. Names that people gave (tariffs, places) are taken out before."""
GIVEN = ("City day and night", "Queen Street Car Park", "Greenmarket Car Park", "Dundee City Charging")


def text_of(html: str) -> str:
    """What a page shows, without its code, its names and its addresses."""
    bare = re.sub(r"<(script|style|code|pre|svg|head)\b.*?</\1>", " ", html, flags=re.DOTALL)
    bare = re.sub(r'<[a-z]+[^>]*\b(lang="en"|class="code")[^>]*>[^<]*<', "<", bare)
    told = " ".join([re.sub(r"<[^>]*>", " ", bare), *re.findall(r'aria-label="([^"]*)"', bare)])
    for name in GIVEN:
        told = told.replace(name, "")
    return told


def asked(client: TestClient, path: str, accepted: str | None = None, **more: Any) -> Any:
    """A page as a browser with that preference asks for it."""
    headers = {"Accept": "text/html", **({"Accept-Language": accepted} if accepted is not None else {})}
    return client.get(path, headers=headers, **more)


def test_a_page_is_in_the_language_of_the_browser_and_says_so(scene: Scene) -> None:
    """For the reader, for a screen reader's voice, and for whatever stores pages on the way."""
    client = scene.client()
    for accepted, language, said in (
        ("de-AT,de;q=0.9", "de", "Mit Karte zahlen"),
        ("fr,en;q=0.5", "en", "Pay by card"),
    ):
        answer = asked(client, EVSE, accepted)
        assert f'<html lang="{language}"' in answer.text
        assert said in answer.text
        assert answer.headers["content-language"] == language
        assert "Accept-Language" in answer.headers["vary"]


def test_the_switch_is_kept_and_is_worth_more_than_the_browser(scene: Scene) -> None:
    """Chosen once, spoken on every page; a language that we do not speak changes nothing."""
    client = scene.client()
    answer = asked(client, f"{EVSE}?lang=de", "en-GB")
    assert "Mit Karte zahlen" in answer.text
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "Wo möchten Sie laden?" in asked(client, "/go", "en-GB").text
    assert "Wo möchten Sie laden?" in asked(client, "/go?lang=xx", "en-GB").text
    assert "Where do you want to charge?" in asked(client, "/go?lang=en", "de").text
    assert "Where do you want to charge?" in asked(client, "/go", "de").text


def test_who_asks_for_no_language_hears_the_operators(scene: Scene) -> None:
    """The operator of the scene is British; without a word from the browser its page is English."""
    assert '<html lang="en"' in asked(scene.client(), EVSE).text


def test_no_english_is_left_on_a_german_page(scene: Scene) -> None:
    """The driver's way, the console and the problems on it, with something on every page."""
    wire = scene.wire()
    wire.charge(10_000_000)
    wire.charge(4_000_000, meter=10_000_000, token="NOBODY")
    scene.collect()
    running = wire.start(meter=14_000_000, token="CARD2")
    done = scene.session("1")
    own, desk = scene.signed_in(Role.DRIVER, "C1"), scene.signed_in()
    pages = [
        (own, EVSE), (own, "/me"), (own, "/go"), (own, "/go?code=nowhere"), (own, f"/s/{done['driver_secret']}"),
        (own, f"/s/{scene.session(running)['driver_secret']}"), (own, "/s/unknown"), (own, "/pay/unknown"),
        (own, "/evse/NONE"), (own, "/console"), (scene.client(), "/console"), (scene.client(), "/sign-in"),
        (desk, "/console"), (desk, "/console/sessions"), (desk, f"/console/sessions/{done['id']}"),
        (desk, "/console/stations"), (desk, "/console/payments"), (desk, "/console/invoices"), (desk, "/console/jobs"),
        (desk, "/console/imports"), (desk, "/console/audits"),
        (desk, "/console/tariffs"), (desk, "/console/customers"), (desk, "/console/sessions/nobody"),
    ]  # fmt: skip
    left = {
        path: sorted(found)
        for client, path in pages
        if (found := set(ENGLISH_LEFT.findall(text_of(asked(client, path, "de").text))))
    }
    assert left == {}


def outline(page: Page) -> list[tuple[str, str]]:
    """The headings in the order in which a screen reader comes to them."""
    told: list[list[str]] = page.evaluate(
        "() => [...document.querySelectorAll('h1, h2, h3')].filter(one => one.checkVisibility())"
        ".map(one => [one.tagName, one.innerText.trim()])"
    )
    return [(tag, text) for tag, text in told]


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_session_is_heard_in_a_good_order(scene: Scene, chromium: Browser, language: str) -> None:
    """What happens, then the figures, the stop, the cost; one main part, one first heading, no level left out."""
    wire = scene.wire()
    running = wire.start(meter=0, token="CARD1")
    scene.later(20)
    wire.sample(running, (scene.now, 4_000_000))
    with served(scene.house) as base, opened(chromium, base) as page:
        page.goto(f"/s/{scene.session(running)['driver_secret']}?lang={language}")
        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("contentinfo").count() == 1
        levels = [int(tag[1]) for tag, _ in outline(page)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert max(levels[1:]) == 2
        order = page.evaluate(
            "() => [...document.querySelectorAll('#head, #dials, #stop, #drawn, #cost')].map(one => one.id)"
        )
        assert order == ["head", "dials", "stop", "drawn", "cost"]
        expect(page.locator("html")).to_have_attribute("lang", language)


def test_the_figures_are_said_aloud_at_most_once_a_minute(scene: Scene, chromium: Browser) -> None:
    """They change with every reading on the screen; a voice that reads each of them would never end."""
    wire = scene.wire()
    running = wire.start(meter=0, token="CARD1")
    scene.later(5)
    wire.sample(running, (scene.now, 1_000_000))
    with served(scene.house) as base, opened(chromium, base) as page:
        page.clock.install()
        page.goto(f"/s/{scene.session(running)['driver_secret']}")
        told = page.locator("#told")
        expect(told).to_contain_text("1.0 kWh so far")
        assert told.get_attribute("role") == "status"
        scene.later(5)
        wire.sample(running, (scene.now, 2_000_000))
        page.clock.run_for(2000)
        expect(page.locator("#dials")).to_contain_text("2.000")
        expect(told).to_contain_text("1.0 kWh so far")
        scene.later(5)
        page.clock.run_for(61_000)
        wire.sample(running, (scene.now, 3_000_000))
        expect(page.locator("#events, #dials")).to_contain_text("2.000")
        page.clock.run_for(2000)
        expect(page.locator("#dials")).to_contain_text("3.000")
        expect(told).to_contain_text("3.0 kWh so far")
