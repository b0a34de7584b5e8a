"""A station of a scene that counts for itself: it was told a tariff, and has counted another cost than the one charged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tallywatt.kernel.identity import FrameId, SessionId
from tallywatt.metering.counted import ToldCost
from tallywatt.stations.command import Action
from tallywatt.stations.messages import NEWEST
from tallywatt.stations.told_tariff import SET
from tallywatt.workflows.close_gap import hear_answer
from tallywatt.workflows.command_station import CommandAnswered, NoteSent, note_sent
from tallywatt.workflows.hear_cost import compare_cost
from tallywatt.workflows.keep_tariff import KeepTariffs, keep_tariffs
from tests.entrypoints.http.commanded import YES, speaks


def told_to_count(scene: Any, identity: str) -> str:
    """It was told what to count by, and has said yes; its page."""
    station = speaks(scene, identity, NEWEST)
    scene.do(keep_tariffs, KeepTariffs(station))
    rows = scene.do(lambda work, _: work.station_commands.by(station_id=station, action=Action.MESSAGE.value), None)
    for one in rows:
        if one.name == SET and one.is_open:
            scene.do(note_sent, NoteSent(one.command_id, is_sent=True))
            scene.do(hear_answer, CommandAnswered(one.command_id, YES))
    return f"/console/stations/{identity}"


def has_counted(scene: Any, session_id: str, after_taxes: str, currency: str = "GBP") -> str:
    """Its station has told, with the end of a session, what it has counted; the session's id."""
    parts = {"energy": {"after_taxes": after_taxes, "quantity": "8420"}, "charging_time": {"quantity": "1800"}}

    def count(work: Any, of: SessionId) -> str:
        session = work.sessions.lock(of)
        row = ToldCost(
            of, currency, None, Decimal(after_taxes), "NormalCost", None, None, parts, 3, True, work.machine_now,
            FrameId("01890000-0000-7000-8000-00000000f4a3"),
        )  # fmt: skip
        work.told_costs.add(row)
        compare_cost(work, session)
        return str(of)

    return str(scene.do(count, SessionId(session_id)))
