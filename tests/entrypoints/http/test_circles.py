"""Fleets, groups and memberships through the API and on the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

CIRCLES = "/console/circles"


def test_a_program_makes_a_fleet_and_sells_to_it(scene: Scene) -> None:
    """From the fleet to the tariff that asks for it, by what the API answers alone."""
    client, headers = scene.client(), scene.key()
    made = client.post("/circles", json={"kind": "fleet", "name": "north"}, headers=headers).json()
    assert (made["title"], client.get("/circles?kind=fleet", headers=headers).json()["items"]) == ("north", [made])
    order = {"customer": "C1", "valid_until": "2999-01-01T00:00:00Z"}
    joined = client.post(f"/circles/{made['id']}/customers", json=order, headers=headers)
    assert joined.status_code == 201
    of_customer = client.get("/customers/C1/circles", headers=headers).json()["items"]
    listed = client.get(f"/circles/{made['id']}/customers", headers=headers).json()["items"]
    assert of_customer == listed
    assert listed[0]["customer"] == "C1"
    again = client.post(f"/circles/{made['id']}/customers", json={"customer": "C1"}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "circles.belongs_already")
    ended = client.post(f"/belongings/{listed[0]['id']}/end", json={}, headers=headers)
    assert ended.json()["valid_until"] < "2999"
    both = {"reference": "C-77", "circles": ["fleet:north"]}
    assert client.post("/customers", json=both, headers=headers).status_code == 201
    assert client.get("/customers/C-77/circles", headers=headers).json()["items"][0]["name"] == "north"


def test_the_console_makes_one_and_shows_who_belongs_to_it(scene: Scene) -> None:
    """Each step comes back to the page that shows it; what cannot be meant comes back with its reason."""
    with scene.signed_in() as client:
        token = csrf(client, CIRCLES)
        wrong = client.post(CIRCLES, data={"csrf": token, "kind": "club", "name": "x", "title": "Typed before"})
        assert (wrong.status_code, "Typed before" in wrong.text) == (400, True)
        made = client.post(CIRCLES, data={"csrf": token, "kind": "group", "name": "taxis", "title": "Taxis"})
        page = made.headers["location"].partition("?")[0]
        nobody = client.post(f"{page}/customers", data={"csrf": token, "customer": "C99"})
        assert (nobody.status_code, "C99" in nobody.text) == (404, True)
        assert client.post(f"{page}/customers", data={"csrf": token, "customer": "C1"}).status_code == 303
        scene_tariff = client.post(
            "/console/tariffs/" + _tariff(scene) + "/assign",
            data={"csrf": token, "place": "operator/", "audience": "group:taxis"},
        )
        assert scene_tariff.status_code == 303
        shown = client.get(page).text
        assert "group:taxis" in shown
        assert "/console/tariffs/" in shown
        assert "Taxis" in client.get("/console/customers/C1").text
        assert "Taxis" in client.get(CIRCLES).text
        [belonging] = scene.do(lambda work, _: work.belongings.by(), None)
        ended = client.post(f"{page}/belongings/{belonging.belonging_id}/end", data={"csrf": token})
        assert "said=left" in ended.headers["location"]
        strange = client.post(f"{page}/belongings/nobody/end", data={"csrf": token})
        assert strange.status_code == 404
        assert "Over" in client.get(page).text


def _tariff(scene: Scene) -> str:
    found: str = scene.house.ask_now(scene.house.views.tariffs, scene.operator)[0]["id"]
    return found
