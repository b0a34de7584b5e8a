"""The record of actions on the console: who, what, when, before, after; of this operator alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.customers.roles import Role
from tallywatt.workflows.add_customer import AddCustomer, add_customer
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key
from tests.entrypoints.http.test_doors import token_of
from tests.entrypoints.scene import Scene

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PAGE = "/console/audit-trail"


def text(client: TestClient, path: str = PAGE) -> str:
    """The page."""
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.text


def test_what_a_person_and_a_key_did_is_read_with_their_names(scene: Scene) -> None:
    """Not with ids that nobody knows."""
    scene.knock("NEW1")
    owner = scene.signed_in(Role.OWNER)
    owner.post("/console/stations/NEW1/adopt", data={"csrf": token_of(owner), "evses": "1"})
    made = scene.do(create_api_key, CreateApiKey("Depot importer", ("sell",)))
    headers = {"Authorization": f"Bearer {made.text}"}
    assert (
        scene.client().post("/locations", json={"reference": "depot", "name": "Depot"}, headers=headers).status_code
        == 201
    )
    shown = text(owner)
    assert "Adopted a station" in shown
    assert "<del>quarantined</del>" in shown
    assert "<ins>adopted</ins>" in shown
    assert "Depot importer" in shown
    assert "Added a location" in shown
    assert "Owner" in shown


def test_the_trail_of_one_thing_is_shown_alone(scene: Scene) -> None:
    """What happened to this key?"""
    key = scene.do(create_api_key, CreateApiKey("one")).key
    scene.do(create_api_key, CreateApiKey("two"))
    browser = scene.signed_in()
    shown = text(browser, f"{PAGE}?subject={key.api_key_id}")
    assert shown.count("Made an API key") == 1
    assert "<ins>one</ins>" in shown


def test_a_long_trail_goes_on_page_by_page(scene: Scene) -> None:
    """Every action once, however many there are."""
    for number in range(60):
        scene.do(add_customer, AddCustomer(f"many-{number}"))
    browser = scene.signed_in()
    first = text(browser)
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = text(browser, following)
    ids = [{part.split('"')[0] for part in page.split("subject=")[1:]} for page in (first, second)]
    assert len(ids[0]) == 50
    assert not ids[0] & ids[1]


def test_nothing_of_another_operator_is_in_it(scene: Scene) -> None:
    """Not their names, not their things."""
    other = Scene.beside(scene, "perth").furnish()
    key = other.do(create_api_key, CreateApiKey("secret project of perth")).key
    browser = scene.signed_in()
    assert "secret project of perth" not in text(browser)
    assert "secret project of perth" not in text(browser, f"{PAGE}?subject={key.api_key_id}")


def test_what_somebody_typed_is_shown_as_text(scene: Scene) -> None:
    """A name is no markup."""
    scene.do(create_api_key, CreateApiKey("<script>alert(1)</script>"))
    assert "<script>alert" not in text(scene.signed_in())
