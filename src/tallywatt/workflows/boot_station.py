"""A station has booted: keep what it says about itself, and tell it whether it belongs to us."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tallywatt.kernel.events import Event
from tallywatt.metering.facts import BootAnswer
from tallywatt.stations.station import StationState
from tallywatt.workflows.check_station import check_after_boot
from tallywatt.workflows.keep_tariff import tariffs_after_boot
from tallywatt.workflows.listen import keep_frame
from tallywatt.workflows.move_profile import profile_after_boot

if TYPE_CHECKING:
    from tallywatt.metering.facts import Booted
    from tallywatt.workflows.ports import UnitOfWork

HEARTBEAT_SECONDS = 300
PENDING_SECONDS = 30
"""A quarantined station asks again soon after it was adopted."""


def boot_station(work: UnitOfWork, fact: Booted) -> BootAnswer:
    """Accepted for an adopted station, Pending for one in quarantine, Rejected for a retired one.

    Nothing of its sessions is touched: stops that it queued while it was offline come after this.
    """
    keep_frame(work, fact.heard)
    station = work.stations.lock(fact.heard.station_id)
    work.stations.put(
        replace(
            station,
            protocol=fact.heard.protocol,
            vendor=fact.vendor,
            model=fact.model,
            serial_number=fact.serial_number,
            firmware=fact.firmware,
            booted_at=work.machine_now,
        )
    )
    work.events.append(Event("station", station.station_id, "StationBooted", {"protocol": fact.heard.protocol}))
    check_after_boot(work, station)
    tariffs_after_boot(work, fact)
    profile_after_boot(work, station)
    match station.state:
        case StationState.ADOPTED:
            return BootAnswer("Accepted", HEARTBEAT_SECONDS)
        case StationState.QUARANTINED:
            return BootAnswer("Pending", PENDING_SECONDS)
        case StationState.RETIRED:
            return BootAnswer("Rejected", HEARTBEAT_SECONDS)
