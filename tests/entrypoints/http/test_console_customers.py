"""Customers and cards through the console's forms, and the search that finds them."""

from __future__ import annotations

from typing import Any

import pytest

from tallywatt.customers.roles import Role
from tests.entrypoints.http.test_console_tariffs import csrf
from tests.entrypoints.scene import Scene

CUSTOMERS = "/console/customers"


def card_of(scene: Scene, reference: str) -> dict[str, Any]:
    """The only card of a customer."""
    row = scene.house.ask_now(scene.house.views.customer, scene.operator, reference)
    assert row is not None
    [card] = row["tokens"]
    found: dict[str, Any] = card
    return found


def test_a_customer_is_added_and_gets_a_card_that_is_blocked_and_accepted_again(scene: Scene) -> None:
    """Each step comes back to the customer's page, which says what was done."""
    with scene.signed_in() as client:
        token = csrf(client, CUSTOMERS)
        added = client.post(f"{CUSTOMERS}/new", data={"csrf": token, "reference": "A/1 ü", "name": "Reid", "email": ""})
        page = added.headers["location"].partition("?")[0]
        assert client.post(f"{page}/tokens", data={"csrf": token, "uid": "ABC1"}).status_code == 303
        card = card_of(scene, "A/1 ü")
        blocked = client.post(f"{page}/tokens/{card['id']}", data={"csrf": token})
        assert "said=blocked" in blocked.headers["location"]
        assert "Blocked: the next start" in client.get(blocked.headers["location"]).text
        client.post(f"{page}/tokens/{card['id']}", data={"csrf": token, "blocked": "no"})
        card = card_of(scene, "A/1 ü")
    assert card["state"] == "active"


@pytest.mark.parametrize(
    ("form", "status"),
    [({"reference": ""}, 400), ({"reference": "C1"}, 409), ({"reference": "x", "email": "nobody"}, 400)],
)
def test_a_form_that_cannot_be_meant_comes_back_with_what_was_typed(
    scene: Scene, form: dict[str, str], status: int
) -> None:
    """And with the reason above it."""
    with scene.signed_in() as client:
        data = {"csrf": csrf(client, CUSTOMERS), "name": "Typed before", **form}
        answer = client.post(f"{CUSTOMERS}/new", data=data)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert "Typed before" in answer.text


def test_a_card_of_somebody_else_is_not_given_twice(scene: Scene) -> None:
    """In whatever case it is written."""
    with scene.signed_in() as client:
        token = csrf(client, CUSTOMERS)
        answer = client.post(f"{CUSTOMERS}/C1/tokens", data={"csrf": token, "uid": "card2"})
        assert answer.status_code == 409
        assert (
            client.post(f"{CUSTOMERS}/C1/tokens", data={"csrf": token, "uid": "x", "kind": "SPELL"}).status_code == 400
        )
        assert client.post(f"{CUSTOMERS}/C1/tokens/nobody", data={"csrf": token}).status_code == 404
        assert client.get(f"{CUSTOMERS}/nobody").status_code == 404


def test_who_only_reads_adds_nobody(scene: Scene) -> None:
    """Neither by a button nor by an address."""
    with scene.signed_in(Role.READ_ONLY) as client:
        assert "New customer" not in client.get(CUSTOMERS).text
        assert client.get(f"{CUSTOMERS}/new").status_code == 403


@pytest.mark.parametrize("text", ["C3", "river 3", "card3"])
def test_a_customer_is_found_by_reference_name_and_card(scene: Scene, text: str) -> None:
    """The list narrows to whom the text may mean."""
    with scene.signed_in() as client:
        page = client.get(CUSTOMERS, params={"q": text}).text
    assert 'href="/console/customers/C3"' in page
    assert 'href="/console/customers/C4"' not in page


def test_the_search_opens_the_only_thing_that_a_number_can_mean(scene: Scene) -> None:
    """An invoice's number, a station's, a customer's, a card's, a whole id."""
    scene.wire().charge(10_000_000, token="CARD4")
    done = scene.session("1")
    with scene.signed_in() as client:
        for text, page in (
            (done["invoice"], f"/console/sessions/{done['id']}"),
            (done["id"], f"/console/sessions/{done['id']}"),
            (done["payments"][0]["id"], f"/console/payments/{done['payments'][0]['id']}"),
            ("CP3", "/console/stations/CP3"),
            ("GB*TWA*ECP3*2", "/console/stations/CP3"),
            ("card5", "/console/customers/C5"),
        ):
            answer = client.get("/console/search", params={"q": text})
            assert (answer.status_code, answer.headers.get("location")) == (303, page), text


def test_the_search_lists_what_a_text_may_mean_and_finds_nothing_calmly(scene: Scene) -> None:
    """CP begins three stations; a per cent sign is a letter like any other."""
    with scene.signed_in() as client:
        page = client.get("/console/search", params={"q": "CP"}).text
        assert page.count('href="/console/stations/CP') == 3
        for text in ("%", "_", "nothing of the kind", "'; --", "\\"):
            assert "Nothing found" in client.get("/console/search", params={"q": text}).text


def test_the_search_finds_nothing_of_another_operator(scene: Scene) -> None:
    """Not even that it exists."""
    other = Scene.beside(scene, "rival").furnish()
    with other.signed_in() as client:
        answer = client.get("/console/search", params={"q": scene.account.account_id})
        assert "Nothing found" in answer.text
        scene.wire().charge(10_000_000)
        answer = client.get("/console/search", params={"q": scene.session("1")["id"]})
        assert "Nothing found" in answer.text
