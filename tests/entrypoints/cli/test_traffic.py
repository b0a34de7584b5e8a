"""`tallywatt station log`: what a station said and heard, on the command line."""

from __future__ import annotations

import json

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import StationId
from tallywatt.settings import Settings
from tallywatt.stations.traffic import Direction, OpenCalls, gathered
from tallywatt.wiring import House
from tallywatt.workflows.keep_traffic import KeepTraffic, keep_traffic
from tests.entrypoints.cli.conftest import CommandLine
from tests.entrypoints.cli.test_schemas import misfits

NOW = Instant(1_795_248_000_000)


def test_the_log_is_shown_newest_first_and_narrowed(shop: CommandLine) -> None:
    """Where there is no browser there is the same log, for people and for programs."""
    [station, *_] = shop.good("station", "list", "--json").json
    operator = shop.good("operator", "list", "--json").json[0]["id"]
    said = [
        (Direction.IN, b'[2,"1","StatusNotification",{"connectorId":1,"status":"Available","errorCode":"NoError"}]'),
        (Direction.OUT, b'[3,"1",{}]'),
        (Direction.IN, b'[2,"2","Authorize",{"idTag":"04AA"}]'),
    ]
    told = [(Instant(NOW + place), way, text) for place, (way, text) in enumerate(said)]
    house = House(Settings())
    house.store.start()
    chunk = gathered(StationId(station["id"]), told, OpenCalls())
    house.write_now(operator, keep_traffic, KeepTraffic((chunk,)), actor="test")
    house.store.close()

    identity = station["identity"]
    rows = shop.good("station", "log", identity, "--json").json
    assert [(one["direction"], one["kind"], one["action"]) for one in rows] == [
        ("in", "call", "Authorize"), ("out", "result", "StatusNotification"), ("in", "call", "StatusNotification"),
    ]  # fmt: skip
    assert misfits(rows, "station-log") == []
    assert json.loads(rows[0]["text"])[3] == {"idTag": "***"}
    assert shop.good("station", "log", identity, "--way", "out", "--json").json == rows[1:2]
    assert "StatusNotification result" in shop.good("station", "log", identity, "--action", "StatusNotification").out
    assert "No such message" in shop.good("station", "log", identity, "--until", "2020-01-01T00:00:00Z").out
    assert shop("station", "log", "NOBODY").code != 0
