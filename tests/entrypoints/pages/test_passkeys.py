"""Passkeys in a real browser with a virtual authenticator: made, used, renamed, removed, and refused when they must be."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.roles import Role
from tests.entrypoints.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, CDPSession, Page

    from tests.entrypoints.scene import Scene


class Authenticator:
    """A virtual authenticator of a page's browser."""

    def __init__(self, page: Page, *, verifies: bool = True) -> None:
        self.page = page
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": verifies, "automaticPresenceSimulation": True,
        }  # fmt: skip
        self._id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """What it holds."""
        found = self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(found["credentials"])

    def clone(self, credential: dict[str, Any], sign_count: int) -> None:
        """Put a copy of a key in place of the original, with an older counter."""
        self._cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self._id})
        copied = {**credential, "signCount": sign_count}
        self._cdp.send("WebAuthn.addCredential", {"authenticatorId": self._id, "credential": copied})

    def verify(self, value: bool) -> None:
        """Whether the finger is the right one from now on."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": value})


@contextmanager
def at_home(scene: Scene, chromium: Browser) -> Iterator[tuple[Page, Authenticator]]:
    """A browser at a house that has a name: passkeys belong to names, not to addresses."""
    with served(scene.house) as base:
        port = base.rpartition(":")[2]
        scene.house.settings.public_url = f"http://localhost:{port}"
        context = chromium.new_context(base_url=scene.house.settings.public_url)
        context.set_default_timeout(30_000)
        page = context.new_page()
        yield page, Authenticator(page)
        context.close()


def enter(page: Page, link: str) -> None:
    """Come in by a link."""
    page.goto(link)
    page.get_by_role("button", name="Open").click()
    page.wait_for_url("**/console")


def make(page: Page, name: str = "My desk") -> None:
    """Add a passkey on the own page."""
    page.goto("/account")
    page.locator("#passkey-name").fill(name)
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text(name, exact=True).first.wait_for()


def leave(page: Page) -> None:
    """Forget the session, as another browser would never have had it."""
    page.context.clear_cookies()


def come_in(page: Page) -> None:
    """Sign in with a passkey."""
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()


def test_a_passkey_is_made_on_the_own_page_and_lets_in_without_a_name(scene: Scene, chromium: Browser) -> None:
    """No name is typed, no letter is waited for; and the session says how somebody came in."""
    with at_home(scene, chromium) as (page, authenticator):
        enter(page, scene.link(Role.FINANCE))
        make(page)
        [credential] = authenticator.credentials()
        assert credential["isResidentCredential"] is True
        leave(page)
        come_in(page)
        page.wait_for_url("**/console")
        page.goto("/account")
        page.get_by_text("With a passkey").first.wait_for()
    [kept] = scene.do(lambda work, _: work.passkeys.by(), None)
    assert kept.sign_count > 0
    assert kept.last_used_at is not None


def test_a_driver_with_a_passkey_comes_to_the_own_page(scene: Scene, chromium: Browser) -> None:
    """The same way in for everybody."""
    with at_home(scene, chromium) as (page, _):
        page.goto(scene.link(Role.DRIVER, "C1"))
        page.get_by_role("button", name="Open").click()
        make(page, "Phone")
        leave(page)
        come_in(page)
        page.wait_for_url("**/me")
        assert page.get_by_role("heading", level=1).count() == 1


def test_a_passkey_is_renamed_and_removed(scene: Scene, chromium: Browser) -> None:
    """A removed one opens nothing, though the device still has it."""
    with at_home(scene, chromium) as (page, _):
        enter(page, scene.link(Role.FINANCE))
        make(page, "Old name")
        page.get_by_role("button", name="Rename").click()
        page.get_by_role("dialog").get_by_label("Name").fill("New name")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        page.get_by_text("New name", exact=True).wait_for()
        page.locator("#passkeys .row").get_by_role("button", name="Remove").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        page.get_by_text("instead of a letter").wait_for()
        leave(page)
        come_in(page)
        page.get_by_text("not known here").wait_for()
        assert page.goto("/console").status == 401  # type: ignore[union-attr]  # a page was asked for


def test_a_device_makes_one_passkey_for_a_person_not_two(scene: Scene, chromium: Browser) -> None:
    """The browser is told which ones are known."""
    with at_home(scene, chromium) as (page, authenticator):
        enter(page, scene.link(Role.FINANCE))
        make(page)
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_text("has a passkey for you already").wait_for()
        assert len(authenticator.credentials()) == 1


def test_the_wrong_finger_opens_nothing(scene: Scene, chromium: Browser) -> None:
    """Having the device is not enough: its user is verified."""
    with at_home(scene, chromium) as (page, authenticator):
        enter(page, scene.link(Role.FINANCE))
        make(page)
        leave(page)
        authenticator.verify(False)
        come_in(page)
        page.get_by_text("No passkey was shown").wait_for()
        assert page.goto("/console").status == 401  # type: ignore[union-attr]  # a page was asked for


def test_a_copied_key_is_noticed_by_its_counter(scene: Scene, chromium: Browser) -> None:
    """Whoever copied it uses it with a counter that the original has passed."""
    with at_home(scene, chromium) as (page, authenticator):
        enter(page, scene.link(Role.FINANCE))
        make(page)
        [credential] = authenticator.credentials()
        leave(page)
        come_in(page)
        page.wait_for_url("**/console")
        leave(page)
        authenticator.clone(credential, sign_count=0)
        come_in(page)
        page.get_by_role("alert").filter(has_text="does not hold").wait_for()
        assert page.goto("/console").status == 401  # type: ignore[union-attr]  # a page was asked for


TAPPED = """async (path) => {
  // What passkeys.js sends, kept so that it can be sent again.
  const asked = await (await fetch(path + "/ask", { method: "POST" })).json();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.options);
  const credential = await navigator.credentials.get({ publicKey });
  return { challenge: asked.challenge, credential: credential.toJSON() };
}"""
SENT = """async (body) => (await fetch("/sign-in/passkey", {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).status"""


@pytest.mark.parametrize("what", ["replayed", "other challenge", "altered", "another site"])
def test_an_answer_holds_once_and_for_its_own_challenge(scene: Scene, chromium: Browser, what: str) -> None:
    """Whoever overheard it, or has it from another page, cannot use it."""
    with at_home(scene, chromium) as (page, _):
        enter(page, scene.link(Role.FINANCE))
        make(page)
        leave(page)
        page.goto("/sign-in")
        answer = page.evaluate(TAPPED, "/sign-in/passkey")
        if what == "replayed":
            assert page.evaluate(SENT, answer) == 200
            leave(page)
        elif what == "other challenge":
            answer["challenge"] = page.evaluate(TAPPED, "/sign-in/passkey")["challenge"]
        elif what == "another site":
            scene.house.settings.public_url = "http://tallywatt.localhost"
        else:
            signature = answer["credential"]["response"]["signature"]
            answer["credential"]["response"]["signature"] = signature[:-8] + "AAAAAAAA"
        assert page.evaluate(SENT, answer) == 401
        assert page.goto("/console").status == 401  # type: ignore[union-attr]  # a page was asked for


def test_under_an_address_in_figures_there_are_no_passkeys_and_the_page_says_why(
    scene: Scene, chromium: Browser
) -> None:
    """Browsers refuse to make one; a button that always fails would be worse than none."""
    with served(scene.house) as base:
        context = chromium.new_context(base_url=base)
        page = context.new_page()
        page.goto("/sign-in")
        assert page.get_by_role("button", name="Sign in with a passkey").count() == 0
        enter(page, scene.link(Role.FINANCE))
        page.goto("/account")
        page.get_by_text("TALLYWATT_PUBLIC_URL").wait_for()
        context.close()
