"""What stations count by and may do offline, on the console: seen, told again, cleared, decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.stations.messages import OLD
from tests.entrypoints.http.commanded import speaks
from tests.entrypoints.http.counted import has_counted, told_to_count
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def test_a_person_sees_what_a_station_counts_by_and_clears_it_until_it_is_told_again(scene: Scene) -> None:
    """The display of a station is part of its price: it must be seen where it stands."""
    here = told_to_count(scene, "CP3")
    with scene.signed_in() as client:
        page = client.get(here).text
        assert "Counts by it" in page
        token = csrf(client, "/console")
        assert client.post(f"{here}/tariffs/clear", data={"csrf": token}).status_code == 303
        page = client.get(here).text
        assert "Clear its tariffs?" not in page
        assert client.post(f"{here}/tariffs/tell", data={"csrf": token}).status_code == 303
        assert "Clear its tariffs?" in client.get(here).text
        speaks(scene, "CP1", OLD)
        assert "What it counts by" not in client.get("/console/stations/CP1").text
        assert client.post("/console/stations/CP1/tariffs/tell", data={"csrf": token}).status_code == 409


def test_what_may_happen_offline_is_said_of_all_of_a_site_and_of_a_station(scene: Scene) -> None:
    """With the money that it risks, before it is lost."""
    with scene.signed_in() as client:
        token = csrf(client, "/console")
        assert "Nobody has said anything yet" in client.get("/console/offline").text
        said = {"csrf": token, "starts": "anybody", "refused_wh": "5000"}
        assert client.post("/console/offline", data=said).status_code == 303
        said |= {"starts": "nobody", "location": "queen-street"}
        assert client.post("/console/offline", data=said).status_code == 303
        page = client.get("/console/offline").text
        assert " an hour are lost at one EVSE." in page
        assert "Said of its site" in client.get("/console/stations/CP1").text
        assert client.post("/console/stations/CP1/offline", data=said | {"starts": "known"}).status_code == 303
        page = client.get("/console/stations/CP1").text
        assert "Said of this station" in page
        assert client.post("/console/offline", data=said | {"location": "nowhere"}).status_code == 404
        assert client.post("/console/offline", data=said | {"refused_wh": "-1"}).status_code == 422


def test_what_was_said_is_taken_back_and_the_next_wider_rule_holds(scene: Scene) -> None:
    """Of the station, then of its site, then of all: each time what a person reads is what holds; from a program too."""
    headers, program = scene.key("operate"), scene.client()
    with scene.signed_in() as client:
        said = {"csrf": csrf(client, "/console"), "refused_wh": "0"}
        here = "/console/stations/CP1/offline"
        client.post("/console/offline", data=said | {"starts": "anybody"})
        client.post("/console/offline", data=said | {"starts": "nobody", "location": "queen-street"})
        client.post(here, data=said | {"starts": "known"})
        for remove, form, now in (
            (f"{here}/remove", {}, "Said of its site"),
            ("/console/offline/remove", {"location": "queen-street"}, "Said of all stations"),
            ("/console/offline/remove", {}, "nobody has said anything"),
        ):
            page = client.get("/console/stations/CP1").text
            assert now not in page
            assert client.post(remove, data=said | form).status_code == 303
            assert now in client.get("/console/stations/CP1").text
        assert "Remove this rule?" not in client.get("/console/offline").text
        assert client.post("/console/stations/CP2/offline/remove", data=said).status_code == 404

    for path in ("/offline", "/locations/queen-street/offline", "/stations/CP1/offline"):
        assert program.post(path, json={"starts": "anybody"}, headers=headers).json()["removed_at"] is None
        for _ in range(2):
            told = program.delete(path, headers=headers)
            assert (told.status_code, told.json()["starts"]) == (200, "anybody")
            assert told.json()["removed_at"] is not None
    again = program.post("/offline", json={"refused_wh": 500}, headers=headers).json()
    assert (again["starts"], again["refused_wh"]) == ("known", 500), "what was taken back is not said again"
    assert program.delete("/stations/CP2/offline", headers=headers).json()["code"] == "stations.no_offline_rule"


def test_a_cost_that_a_station_counted_otherwise_stands_beside_the_bill(scene: Scene) -> None:
    """Whoever answers a driver sees both sums, and which one was charged."""
    wire = scene.wire()
    session = scene.session(wire.charge(8_420_000, token="CARD1"))
    has_counted(scene, session["id"], "4.99")
    with scene.signed_in() as client:
        listed = client.get("/console/counted").text
        assert session["id"] in listed
        assert "4.99 GBP" in listed
        page = client.get(f"/console/sessions/{session['id']}").text
        assert "Counted by the station" in page
        assert "4.99 GBP" in page
