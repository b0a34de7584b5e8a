"""Limits of power and texts on displays, from a program: seen, set, cleared and asked for in the words of every version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.stations.messages import NEW, OLD
from tests.entrypoints.http.commanded import displayed, limited, speaks

if TYPE_CHECKING:
    from tallywatt.stations.command import StationCommand
    from tests.entrypoints.scene import Scene


def asked(scene: Scene, path: str, **body: Any) -> dict[str, Any]:
    """What the station is sent for a request."""
    answer = scene.client().post(path, json=body, headers=scene.key("operate"))
    assert answer.status_code == 202, answer.text
    command: StationCommand = scene.do(lambda work, key: work.station_commands.get(key), answer.json()["id"])
    return command.payload


def test_a_limit_is_seen_set_and_cleared(scene: Scene) -> None:
    """What a program sets is what the console shows, in the message of the version that the station speaks."""
    page = limited(scene, "CP1")
    path = "/stations/CP1/power-limits"
    seen = scene.client().get(path, headers=scene.key("read")).json()
    assert [(one["evse"], one["limit"], one["unit"]) for one in seen["profiles"]] == [
        (0, "43500", "W"),
        (1, "11000", "W"),
    ]
    assert [step["limit"] for step in seen["schedules"][0]["steps"]] == ["11000", "43500"]
    made = asked(scene, path, amount="7.4", evse=1, minutes=60)
    assert made["name"] == "SetChargingProfile"
    assert made["content"]["csChargingProfiles"]["chargingSchedule"]["duration"] == 3600
    assert asked(scene, f"{path}/clear", profile=8400)["content"] == {"id": 8400}
    assert asked(scene, f"{path}/clear")["content"] == {}
    assert asked(scene, f"{path}/ask", evse=1, unit="A")["content"]["chargingRateUnit"] == "A"
    with scene.signed_in() as client:
        assert "SetChargingProfile" in client.get(page).text

    speaks(scene, "CP1", NEW)
    assert asked(scene, f"{path}/ask", profiles=True)["name"] == "GetChargingProfiles"
    assert asked(scene, f"{path}/clear")["content"] == {"chargingProfileCriteria": {}}


def test_a_text_is_seen_set_and_taken_away(scene: Scene) -> None:
    """Its number is the program's own: the same again replaces it."""
    displayed(scene, "CP2")
    path = "/stations/CP2/display-texts"
    seen = scene.client().get(path, headers=scene.key("read")).json()
    assert {one["number"]: one["text"] for one in seen["texts"]} == {
        1: "Welcome",
        7: "Bay 2 is closed on Monday for works.",
    }
    made = asked(scene, path, number=7, text="Open again", language="en", ends="2099-01-01T00:00:00Z")
    assert made["content"]["message"]["message"]["content"] == "Open again"
    assert asked(scene, f"{path}/clear", number=7)["content"] == {"id": 7}
    assert asked(scene, f"{path}/ask")["name"] == "GetDisplayMessages"


def test_what_a_station_cannot_do_is_refused(scene: Scene) -> None:
    """With the reason, and nothing is sent."""
    client, headers = scene.client(), scene.key("operate")
    speaks(scene, "CP1", OLD)
    for path, body, code in (
        ("/stations/CP1/power-limits", {"amount": "10001"}, "charging.bad_limit"),
        ("/stations/CP1/power-limits", {"amount": "11", "evse": 9}, "stations.no_such_evse"),
        ("/stations/CP1/display-texts", {"number": 1, "text": "x"}, "displays.not_in_version"),
        ("/stations/CP3/power-limits/clear", {}, "stations.version_unknown"),
    ):
        refused = client.post(path, json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, code), path
