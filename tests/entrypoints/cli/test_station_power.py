"""Limits of power and texts on displays, from the command line: what goes to a station, and what it has afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.settings import Settings
from tallywatt.wiring import House
from tallywatt.workflows.command_station import CommandAnswered, command_answered
from tallywatt.workflows.ports import LinkAnswer

if TYPE_CHECKING:
    from tests.entrypoints.cli.conftest import CommandLine

CP = "CP-17"


@pytest.fixture
def spoken(shop: CommandLine, request: pytest.FixtureRequest) -> CommandLine:
    """Its station has told in which version it speaks."""
    protocol = getattr(request, "param", "ocpp2.0.1")

    def tell(work: Any, _: None) -> None:
        [row] = work.stations.by(identity=CP)
        work.stations.put(replace(work.stations.lock(row.station_id), protocol=protocol))

    in_house(tell, None)
    return shop


def in_house(workflow: Any, command: Any) -> Any:
    house = House(Settings())
    house.store.start()
    try:
        [operator] = house.ask_now(house.views.operators)
        return house.write_now(operator["id"], workflow, command, actor="test")
    finally:
        house.store.close()


def told(shop: CommandLine, *arguments: str) -> tuple[str, Any]:
    """The message that a command line sends; the station says yes to it."""
    row = shop.good("station", *arguments, "--json").json
    in_house(command_answered, CommandAnswered(row["id"], LinkAnswer("accepted", "Accepted")))
    return row["name"], in_house(lambda work, key: work.station_commands.get(key).payload["content"], row["id"])


@pytest.mark.parametrize("spoken", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"], indirect=True)
def test_a_limit_is_set_seen_and_cleared(spoken: CommandLine) -> None:
    """In each version, at one EVSE and at the station as a whole."""
    assert spoken.good("station", "power", CP).out.strip() == "No limit is known of."
    assert told(spoken, "limit", CP, "7.4", "--evse", "1", "--minutes", "60")[0] == "SetChargingProfile"
    assert told(spoken, "limit", CP, "16", "--unit", "A")[0] == "SetChargingProfile"
    found = spoken.good("station", "power", CP, "--json").json
    assert [(one["number"], one["evse"], one["limit"], one["unit"]) for one in found["profiles"]] == [
        (8400, 0, "16", "A"),
        (8501, 1, "7400", "W"),
    ]
    shown = spoken.good("station", "power", CP).out
    assert ("8501" in shown, "7400" in shown) == (True, True)
    assert told(spoken, "limit", CP, "--clear", "8501")[0] == "ClearChargingProfile"
    assert [one["number"] for one in spoken.good("station", "power", CP, "--json").json["profiles"]] == [8400]
    told(spoken, "limit", CP, "--clear-all")
    assert spoken.good("station", "power", CP, "--json").json["profiles"] == []
    assert told(spoken, "power", CP, "--ask", "--evse", "2")[0] == "GetCompositeSchedule"


def test_a_text_is_shown_and_taken_away(spoken: CommandLine) -> None:
    """With its times, and in which state it is shown."""
    name, content = told(spoken, "text", CP, "7", "Closed", "--while", "Idle", "--until", "2126-01-01T00:00:00Z")
    assert (name, content["message"]["id"], content["message"]["state"]) == ("SetDisplayMessage", 7, "Idle")
    found = spoken.good("station", "texts", CP, "--json").json["texts"]
    assert [(one["number"], one["text"], one["state"]) for one in found] == [(7, "Closed", "Idle")]
    assert "Closed" in spoken.good("station", "texts", CP).out
    assert told(spoken, "text", CP, "7", "--clear") == ("ClearDisplayMessage", {"id": 7})
    assert spoken.good("station", "texts", CP).out.strip() == "No text is known of."
    assert told(spoken, "texts", CP, "--ask")[0] == "GetDisplayMessages"
    assert told(spoken, "power", CP, "--ask-profiles")[0] == "GetChargingProfiles"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("limit", CP), "charging.bad_limit"),
        (("limit", CP, "much"), "charging.bad_limit"),
        (("limit", CP, "NaN"), "charging.bad_limit"),
        (("limit", CP, "99999999"), "charging.bad_limit"),
        (("limit", CP, "11", "--evse", "9"), "stations.no_such_evse"),
        (("limit", CP, "11", "--clear-all"), "stations.two_wishes"),
        (("power", CP, "--ask", "--ask-profiles"), "stations.two_wishes"),
        (("text", CP, "1"), "displays.bad_text"),
        (("text", CP, "1", " "), "displays.bad_text"),
        (("limit", "CP-NONE", "11"), "stations.not_found"),
    ],
)
def test_a_wish_that_cannot_be_sent_says_why(spoken: CommandLine, arguments: tuple[str, ...], code: str) -> None:
    """And nothing is sent."""
    ran = spoken("station", *arguments)
    assert (ran.code != 0, code in ran.err) == (True, True), ran.err
    assert in_house(lambda work, _: work.station_commands.by(), None) == []


@pytest.mark.parametrize("spoken", ["ocpp1.6"], indirect=True)
def test_what_a_version_has_not_is_said(spoken: CommandLine) -> None:
    """Its displays take no texts, and it lists no profiles."""
    for arguments in (("text", CP, "1", "Closed"), ("texts", CP, "--ask"), ("power", CP, "--ask-profiles")):
        ran = spoken("station", *arguments)
        assert ran.code != 0, arguments


def test_a_station_that_never_connected_cannot_be_told(shop: CommandLine) -> None:
    """Its version is not known."""
    ran = shop("station", "limit", CP, "11")
    assert "stations.never_connected" in ran.err
