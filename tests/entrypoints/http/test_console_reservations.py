"""Reservations on the console: made, shown with what became of them, given up, by whoever may help drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.customers.roles import Role
from tests.entrypoints.http.reserved import speaks
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

HERE = "/console/reservations"


def kept(scene: Scene) -> list[dict[str, Any]]:
    """All reservations."""
    found: list[dict[str, Any]] = scene.house.ask_now(scene.house.views.page, "reservations", scene.operator, 50)[
        "items"
    ]
    return found


def test_one_is_made_and_given_up(scene: Scene) -> None:
    """What does not fit comes back with what was typed; pressed twice, the station is asked once."""
    speaks(scene, "CP1")
    with scene.signed_in() as client:
        token = csrf(client, HERE)
        typed = {"csrf": token, "station": "CP1", "evse": "1", "customer": "C1", "minutes": "30"}
        for wrong, status in (
            ({"station": "nowhere"}, 404),
            ({"evse": "9"}, 404),
            ({"minutes": "soon"}, 400),
            ({"minutes": "0"}, 400),
            ({"customer": ""}, 400),
            ({"customer": "nobody"}, 404),
            ({"evse": ""}, 409),
        ):
            answer = client.post(HERE, data={**typed, **wrong})
            assert (answer.status_code, 'role="alert"' in answer.text) == (status, True), wrong
            assert 'name="station"' in answer.text
        assert kept(scene) == []
        assert client.post(HERE, data=typed).status_code == 303
        [row] = kept(scene)
        assert (row["station"], row["state"], row["customer"]) == ("CP1", "requested", "C1")
        assert client.post(HERE, data=typed).status_code == 409
        for _ in range(2):
            assert client.post(f"{HERE}/{row['id']}/cancel", data={"csrf": token}).status_code == 303
        assert [one["cancel_state"] for one in kept(scene)] == ["requested"]
        assert "Asked to give it up" in client.get(HERE).text
        assert client.post(f"{HERE}/nobody/cancel", data={"csrf": token}).status_code == 404


def test_the_list_is_narrowed_and_a_reader_changes_nothing(scene: Scene) -> None:
    """By station and state; a state that there is not is refused; who only reads sees no button and may not press one."""
    speaks(scene, "CP1")
    with scene.signed_in() as client:
        token = csrf(client, HERE)
        client.post(HERE, data={"csrf": token, "station": "CP1", "evse": "1", "customer": "C1", "minutes": "30"})
        assert "No reservations here" in client.get(f"{HERE}?state=used").text
        assert "No reservations here" in client.get(f"{HERE}?station=CP2").text
        assert "No answer yet" in client.get(f"{HERE}?state=requested&station=CP1").text
        assert client.get(f"{HERE}?state=eternal").status_code == 400
    with scene.signed_in(Role.FINANCE) as client:
        page = client.get(HERE)
        assert (page.status_code, "Keep an EVSE" in page.text) == (200, False)
        refused = client.post(HERE, data={"csrf": csrf(client, "/console"), "station": "CP1"})
        assert refused.status_code == 403
