"""A reservation at a station of a scene that has told in which version it speaks, and a card reader beside one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tallywatt.stations.messages import OLD
from tallywatt.workflows.add_customer import AddToken, add_token
from tallywatt.workflows.keep_reader import AddReader, add_reader
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


def a_reader(scene: Any, identity: str, ref: str) -> str:
    """A card reader at which the first EVSE of a station is paid for; its id."""
    station = scene.do(lambda work, named: work.stations.one_by(identity=named), identity)
    [evse, *_] = scene.do(lambda work, one: work.evses.by(station_id=one, number=1), station.station_id)
    [account, *_] = scene.do(
        lambda work, _: [one for one in work.provider_accounts.by() if one.provider == "stripe"], None
    )
    return str(scene.do(add_reader, AddReader(account.name, ref, "Post 1", None, (evse.code,))).reader_id)
