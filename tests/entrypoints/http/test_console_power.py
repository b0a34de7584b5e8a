"""Limits of power, texts on displays and a station's key, on the console: asked for by a person, followed by the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.customers.roles import Role
from tallywatt.stations.messages import NEW, OLD
from tests.entrypoints.http.commanded import displayed, limited, speaks
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def told(scene: Scene, identity: str) -> list[dict[str, Any]]:
    """What the station was asked for, newest first."""
    found: list[dict[str, Any]] = scene.house.ask_now(
        scene.house.views.told_of, scene.operator, scene.station(identity)["id"]
    )
    return found


def test_a_limit_is_set_shown_and_cleared(scene: Scene) -> None:
    """A comma is a point; what does not fit comes back with what was typed, and nothing is asked."""
    here = "/console/stations/CP1/power"
    with scene.signed_in() as client:
        token = csrf(client, here)
        typed = {"csrf": token, "do": "limit", "evse": "1", "amount": "7,4", "unit": "kW", "minutes": "30"}
        refused = client.post(here, data=typed)
        assert (refused.status_code, "has not told yet" in refused.text) == (400, True)
        speaks(scene, "CP1", OLD)
        for wrong in ({"amount": "much"}, {"amount": "-1"}, {"evse": "9"}, {"minutes": "0"}, {"minutes": "soon"}):
            answer = client.post(here, data={**typed, **wrong})
            assert (answer.status_code, 'role="alert"' in answer.text) == (400, True), wrong
        assert told(scene, "CP1") == []
        for form in (
            typed,
            {**typed, "do": "schedule"},
            {**typed, "do": "clear", "profile": "8501"},
            {**typed, "do": "clear_all"},
        ):
            assert client.post(here, data=form).status_code == 303
        names = [one["name"] for one in told(scene, "CP1")]
        assert names == ["ClearChargingProfile", "ClearChargingProfile", "GetCompositeSchedule", "SetChargingProfile"]
        period = told(scene, "CP1")[-1]["payload"]["content"]["csChargingProfiles"]["chargingSchedule"]
        assert period["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 7400}]
        assert "Requested" in client.get(here).text


def test_what_it_keeps_to_and_what_that_comes_to_is_shown(scene: Scene) -> None:
    """What was refused is not there; the answer to the last question is."""
    here = limited(scene, "CP1")
    with scene.signed_in(Role.FINANCE) as client:
        page = client.get(here).text
        assert ("profile 8400" in page, "profile 8501" in page, "profile 8502" in page) == (True, True, False)
        assert "43.5" in page
        assert "Ask the station" not in page
        refused = client.post(here, data={"csrf": csrf(client, "/console"), "do": "clear_all"})
        assert refused.status_code == 403


def test_a_text_is_shown_and_taken_away(scene: Scene) -> None:
    """What the station told itself stands beside what it said yes to; OCPP 1.6 has no texts."""
    here = displayed(scene, "CP2")
    with scene.signed_in() as client:
        token = csrf(client, here)
        page = client.get(here).text
        assert ("Welcome" in page, "Bay 2 is closed" in page) == (True, True)
        typed = {"csrf": token, "do": "show", "text": "Hello", "priority": "InFront", "state": ""}
        for wrong in ({"text": " "}, {"priority": "Loud"}, {"number": "x"}, {"begins": "soon"}):
            answer = client.post(here, data={**typed, **wrong})
            assert (answer.status_code, 'role="alert"' in answer.text) == (400, True), wrong
        for form in (typed, {**typed, "do": "clear", "number": "7"}, {**typed, "do": "list"}):
            assert client.post(here, data=form).status_code == 303
        names = [one["name"] for one in told(scene, "CP2")][:3]
        assert names == ["GetDisplayMessages", "ClearDisplayMessage", "SetDisplayMessage"]
        speaks(scene, "CP3", OLD)
        assert "No texts for this station" in client.get("/console/stations/CP3/display").text
        old = client.post("/console/stations/CP3/display", data=typed)
        assert (old.status_code, 'role="alert"' in old.text) == (400, True)


def test_a_key_is_replaced_by_a_button_and_never_shown(scene: Scene) -> None:
    """Pressed twice it is asked for once; who only looks has no button."""
    speaks(scene, "CP1", NEW)
    here = "/console/stations/CP1"
    with scene.signed_in() as client:
        token = csrf(client, here)
        assert client.post(f"{here}/key/give-up", data={"csrf": token}).status_code == 409
        for _ in range(2):
            assert client.post(f"{here}/key", data={"csrf": token}).status_code == 303
        page = client.get(here).text
        assert ("On its way" in page, "Give the new key up" in page) == (True, True)
        commands = [one for one in scene.station("CP1")["commands"] if one["name"] == "SetVariables"]
        assert len(commands) == 1
        assert client.post(f"{here}/key/give-up", data={"csrf": token}).status_code == 303
        assert "Given up" in client.get(here).text
    with scene.signed_in(Role.FINANCE) as client:
        assert "Replace the key" not in client.get(here).text
        refused = client.post(f"{here}/key", data={"csrf": csrf(client, "/console")})
        assert refused.status_code == 403
