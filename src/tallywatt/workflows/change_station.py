"""Change where a station stands, which key it shows, and what is known of its EVSEs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.events import Event
from tallywatt.stations.certificates import PROFILES
from tallywatt.stations.messages import PROTOCOLS
from tallywatt.stations.metrology import Metrology
from tallywatt.stations.station import Current
from tallywatt.workflows.record_action import record_action
from tallywatt.workflows.replace_key import end_key_change

if TYPE_CHECKING:
    from tallywatt.stations.station import Evse, Station
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class ChangeStation:
    """What is to be as told; None: as it was. `key_hash` is made by the caller: a key never enters a command."""

    identity: str
    location_reference: str | None = None
    key_hash: str | None = None
    security_profile: int | None = None
    """The least with which it may connect; 0: any."""
    preferred_protocol: str | None = None
    """Spoken when it offers several; empty: whatever it offers first."""


def change_station(work: UnitOfWork, command: ChangeStation) -> Station:
    """The station as it is from now on. A new key is asked for at its next connection; sessions keep their location's zone."""
    station = lock_station(work, command.identity)
    changed = station
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if command.location_reference is not None:
        location = work.locations.one_by(reference=command.location_reference)
        if location is None:
            msg = f"there is no location {command.location_reference!r}"
            raise NotFound(msg, code="locations.not_found", remedy="add it first: tallywatt location add")
        if location.location_id != station.location_id:
            changed = replace(changed, location_id=location.location_id)
            before, after = {"location_id": station.location_id}, {"location_id": location.location_id}
    if command.key_hash is not None and command.key_hash != station.key_hash:
        changed = replace(changed, key_hash=command.key_hash)
        after = {**after, "key": "replaced"}
        end_key_change(work, station.station_id, "another key was set by hand")
        # The gateways of all processes read their table of keys again.
        work.events.append(Event("station", station.station_id, "StationKeyChanged"))
    changed, more_before, more_after = _doorway(work, changed, command)
    before, after = {**before, **more_before}, {**after, **more_after}
    if changed == station:
        return station
    work.events.append(Event("station", station.station_id, "StationChanged", {"fields": " ".join(sorted(after))}))
    record_action(work, "station.change", "station", station.station_id, before=before, after=after)
    return work.stations.put(changed)


def _doorway(
    work: UnitOfWork, station: Station, command: ChangeStation
) -> tuple[Station, dict[str, Any], dict[str, Any]]:
    """How it may connect from now on, and what is otherwise."""
    wanted: dict[str, Any] = {}
    if command.security_profile is not None:
        if command.security_profile not in PROFILES:
            msg = "OCPP has the security profiles 1, 2 and 3; 0 stands for any"
            raise BadInput(msg, code="stations.bad_profile")
        wanted["security_profile"] = command.security_profile
    if command.preferred_protocol is not None:
        if command.preferred_protocol not in {"", *PROTOCOLS}:
            msg = f"{command.preferred_protocol!r} is not spoken here"
            raise BadInput(msg, code="stations.unknown_protocol", remedy=f"use one of: {', '.join(PROTOCOLS)}")
        wanted["preferred_protocol"] = command.preferred_protocol or None
    new = {name: value for name, value in wanted.items() if value != getattr(station, name)}
    if not new:
        return station, {}, {}
    # As with a key: gateways read their tables again.
    work.events.append(Event("station", station.station_id, "StationKeyChanged"))
    return replace(station, **new), {name: getattr(station, name) for name in new}, new


def lock_station(work: UnitOfWork, identity: str) -> Station:
    """The station of that identity, held until the transaction ends, or NotFound."""
    found = work.stations.lock_by(identity=identity)
    if found is None:
        msg = f"there is no station {identity!r}"
        raise NotFound(msg, code="stations.not_found")
    return found


@dataclass(frozen=True, slots=True)
class ChangeEvse:
    """What is to be as told; None: as it was. The code stays: it is on stickers, on receipts, and with partners."""

    code: str
    current: Current | None = None
    max_watts: int | None = None
    deployed_on: str | None = None
    metrology: Metrology | None = None
    """The law of measurement there, for sessions that start from now on."""


def change_evse(work: UnitOfWork, command: ChangeEvse) -> Evse:
    """The EVSE as it is from now on. Sessions that run keep the price that they were offered."""
    evse = work.evses.lock_by(code=command.code)
    if evse is None:
        msg = "there is no such EVSE"
        raise NotFound(msg, code="evses.not_found")
    if command.max_watts is not None and command.max_watts < 1:
        msg = "an EVSE gives at least one watt"
        raise BadInput(msg, code="stations.bad_power")
    wanted: dict[str, Any] = {
        name: getattr(command, name)
        for name in ("current", "max_watts", "deployed_on")
        if getattr(command, name) not in {None, getattr(evse, name)}
    }
    if command.metrology not in {None, evse.metrology}:
        wanted |= {"metrology": command.metrology, "metrology_since": work.machine_now}
    if not wanted:
        return evse
    before = {name: getattr(evse, name) for name in wanted}
    work.events.append(Event("evse", evse.evse_id, "EvseChanged", {"fields": " ".join(sorted(wanted))}))
    record_action(work, "evse.change", "evse", evse.evse_id, before=before, after=wanted)
    return work.evses.put(replace(evse, **wanted))
