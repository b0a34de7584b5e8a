"""Messages of stations go into the log in chunks, and come out of it in the order in which they were said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.adapters.storage.vault import Vault
from tallywatt.adapters.storage.views.traffic import traffic
from tallywatt.kernel.clock import Instant
from tallywatt.stations.traffic import Chunk, Direction, OpenCalls, gathered
from tallywatt.workflows.keep_traffic import KeepTraffic, keep_traffic
from tests.workflows.house_of import INSTALLATION_KEY

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

ROUNDS = 12
"""With ties broken by chance all of them would come out right once in four thousand runs."""


def test_what_was_said_in_one_millisecond_keeps_its_order_over_chunks(house: HouseOf) -> None:
    """A quick station ends one chunk and fills the next within a millisecond: an answer must not stand before its question."""
    station = house.wire().station_id
    chunks: list[Chunk] = []
    said = []
    for number in range(ROUNDS):
        moment = house.now + 1000 * number
        for part, moments in enumerate(((moment - 9, moment), (moment, moment))):
            told = []
            for place, at in enumerate(moments):
                said.append(f"{number}-{part}-{place}")
                told.append((Instant(at), Direction.IN, f'[2,"{said[-1]}","Heartbeat",{{}}]'.encode()))
            chunks.append(gathered(station, told, OpenCalls()))
    house.do(keep_traffic, KeepTraffic(tuple(chunks)))

    read: list[str] = []
    cursor = None
    vault = Vault(INSTALLATION_KEY)
    while True:
        page = traffic(house.reader, house.operator, vault, station_id=station, most=5, cursor=cursor)
        read += [one["message_id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert read == said[::-1]
