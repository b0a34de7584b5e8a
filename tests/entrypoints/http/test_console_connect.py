"""The way from a name to the first frame: the key is made here, shown once, and opens the gateway's door."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.roles import Role
from tallywatt.stations.credentials import opens
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

PAGE = "/console/connect"
NEW = {"identity": "MY-1", "location": "greenmarket", "evses": "2", "current": "dc", "max_kw": "62,5"}


def test_a_new_station_gets_an_address_and_a_key_that_opens_the_door(scene: Scene) -> None:
    """The key is in this answer alone; what is kept is a hash."""
    with scene.signed_in() as client:
        made = client.post(PAGE, data={"csrf": csrf(client, PAGE), **NEW})
        again = client.get(PAGE, params={"station": "MY-1"})
    [key] = set(re.findall(r"\b[0-9a-f]{32}\b", made.text))
    assert f"ws://testserver:{scene.house.settings.ocpp_port}/ocpp/dundee/MY-1" in made.text
    assert key not in again.text
    [kept] = scene.house.ask_now(scene.house.views.station_credentials, "MY-1")
    assert opens(key, kept["key_hash"], scene.house.pepper)
    assert opens(bytes.fromhex(key), kept["key_hash"], scene.house.pepper), (
        "as text or as the bytes that a station makes of it"
    )
    evses = scene.station("MY-1")["evses"]
    assert [(one["current"], one["max_watts"]) for one in evses] == [("dc", 62_500), ("dc", 62_500)]


def test_the_page_tells_what_was_heard(scene: Scene) -> None:
    """Nothing, then the maker and the first frames."""
    with scene.signed_in() as client:
        client.post(PAGE, data={"csrf": csrf(client, PAGE), **NEW})
        assert "Waiting for MY-1" in client.get(PAGE, params={"station": "MY-1"}).text
        scene.wire("MY-1").start(meter=0)
        assert "StartTransaction" in client.get(PAGE, params={"station": "MY-1"}).text
        assert client.get(PAGE, params={"station": "nobody"}).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"identity": ""}, 400),
        ({"identity": "x" * 49}, 400),
        ({"identity": "CP1"}, 409),
        ({"evses": "0"}, 400),
        ({"evses": "many"}, 400),
        ({"current": "steam"}, 400),
        ({"max_kw": "-1"}, 400),
        ({"max_kw": "1e9"}, 400),
        ({"location": "moon"}, 404),
    ],
)
def test_what_cannot_be_meant_comes_back_with_the_reason(scene: Scene, wrong: dict[str, str], status: int) -> None:
    """And with what was typed."""
    with scene.signed_in() as client:
        answer = client.post(PAGE, data={"csrf": csrf(client, PAGE), **NEW, **wrong})
    assert answer.status_code == status
    assert 'role="alert"' in answer.text


def test_who_only_reads_makes_no_station(scene: Scene) -> None:
    """The page explains; the form is for those who may."""
    with scene.signed_in(Role.READ_ONLY) as client:
        assert "Make address and key" not in client.get(PAGE).text
        assert client.post(PAGE, data={"csrf": csrf(client, PAGE), **NEW}).status_code == 403
