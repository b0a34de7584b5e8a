"""A reservation at a station of a scene that has told in which version it speaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tallywatt.stations.messages import OLD
from tallywatt.workflows.add_customer import AddToken, add_token
from tallywatt.workflows.reserve import Reserve, reserve


def speaks(scene: Any, identity: str) -> Any:
    """The station, as if it had connected once."""

    def note(work: Any, named: str) -> Any:
        station = work.stations.one_by(identity=named)
        return work.stations.put(replace(work.stations.lock(station.station_id), protocol=OLD))

    return scene.do(note, identity)


def reserved(scene: Any, identity: str, customer: str) -> str:
    """Asked for; its id."""
    station = speaks(scene, identity)
    [evse, *_] = scene.do(lambda work, one: work.evses.by(station_id=one), station.station_id)
    scene.do(add_token, AddToken(f"KEEP-{customer}", customer))
    command = Reserve(station.station_id, 30, evse.evse_id, customer_reference=customer)
    return str(scene.do(reserve, command).reservation_id)
