"""Light, dark or as the device: a choice that the browser keeps and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def test_a_theme_is_kept_until_another_is_chosen(scene: Scene) -> None:
    """The page says it to its styles; `auto` leaves it to the device again."""
    with scene.signed_in() as client:
        token = csrf(client)
        answer = client.post(
            "/console/theme", data={"csrf": token, "theme": "dark", "back": "/console/sessions?state=billed"}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sessions?state=billed")
        assert 'data-theme="dark"' in client.get("/console").text
        client.post("/console/theme", data={"csrf": token, "theme": "auto"})
        assert '<html lang="en">' in client.get("/console").text


@pytest.mark.parametrize("back", ["https://elsewhere.example", "//elsewhere.example", "/consolex", "/\\elsewhere"])
def test_the_switch_leads_nowhere_but_back_to_the_console(scene: Scene, back: str) -> None:
    """Else a link to us could be made that ends on somebody else's page."""
    with scene.signed_in() as client:
        answer = client.post("/console/theme", data={"csrf": csrf(client), "theme": "light", "back": back})
    assert answer.headers["location"] == "/console"


def test_a_made_up_theme_is_none(scene: Scene) -> None:
    """A cookie is typed by whoever likes to."""
    with scene.signed_in() as client:
        client.cookies.set("tallywatt_theme", '"><script>')
        assert "<script>" not in client.get("/console").text


def test_what_was_done_is_said_by_a_code_and_not_by_an_address(scene: Scene) -> None:
    """Nobody can make a link that puts words into the console's mouth."""
    with scene.signed_in() as client:
        assert 'class="toast"' in client.get("/console?said=saved").text
        assert 'class="toast"' not in client.get("/console?said=You+owe+us+money").text
