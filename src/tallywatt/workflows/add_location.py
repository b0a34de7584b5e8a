"""A new location."""

from __future__ import annotations

from dataclasses import dataclass

from tallywatt.kernel.clock import zone
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import LocationId
from tallywatt.stations.station import Location
from tallywatt.workflows.ports import UnitOfWork
from tallywatt.workflows.record_action import record_action


@dataclass(frozen=True, slots=True)
class AddLocation:
    """Where stations stand. Zone and country are the operator's when they are not given."""

    reference: str
    name: str
    address: str = ""
    city: str = ""
    postal_code: str = ""
    country: str | None = None
    zone: str | None = None
    latitude: str | None = None
    longitude: str | None = None


def add_location(work: UnitOfWork, command: AddLocation) -> Location:
    """Write down a location, or Conflict when the reference is taken."""
    operator = work.operators.get()
    zone_name = command.zone or operator.zone
    zone(zone_name)
    row = Location(
        location_id=LocationId(work.draw.id(f"location/{command.reference}")),
        reference=command.reference,
        name=command.name,
        address=command.address,
        city=command.city,
        postal_code=command.postal_code,
        country=command.country or operator.country,
        zone=zone_name,
        latitude=command.latitude,
        longitude=command.longitude,
        created_at=work.now,
    )
    if not work.locations.add(row):
        msg = f"there is a location {command.reference!r} already"
        raise Conflict(msg, code="locations.reference_taken")
    work.events.append(Event("location", row.location_id, "LocationAdded"))
    record_action(work, "location.add", "location", row.location_id, after={"reference": row.reference})
    return row
