"""Change where a location says it is, and how it is called."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import zone
from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.events import Event
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.stations.station import Location
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class ChangeLocation:
    """What is to be as told; None: as it was. Sessions that were offered a price keep the zone that they were offered it in."""

    reference: str
    name: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None
    zone: str | None = None
    latitude: str | None = None
    longitude: str | None = None


def change_location(work: UnitOfWork, command: ChangeLocation) -> Location:
    """The location as it is from now on."""
    location = lock_location(work, command.reference)
    if command.zone is not None:
        zone(command.zone)
    wanted = {name: value for name, value in asdict(command).items() if value is not None}
    after = {name: value for name, value in wanted.items() if getattr(location, name) != value}
    if not after:
        return location
    before = {name: getattr(location, name) for name in after}
    work.events.append(Event("location", location.location_id, "LocationChanged", {"fields": " ".join(sorted(after))}))
    record_action(work, "location.change", "location", location.location_id, before=before, after=after)
    return work.locations.put(replace(location, **after))


def lock_location(work: UnitOfWork, reference: str) -> Location:
    """The location of that reference, held until the transaction ends, or NotFound."""
    found = work.locations.lock_by(reference=reference)
    if found is None:
        msg = f"there is no location {reference!r}"
        raise NotFound(msg, code="locations.not_found", remedy="add it first: tallywatt location add")
    return found
