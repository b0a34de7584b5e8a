"""Stations: added by hand, or knocking unknown, kept in quarantine, and adopted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import EvseId, LocationId, StationId
from tallywatt.stations.credentials import Knocked, StationCredential
from tallywatt.stations.station import Current, Evse, EvseRole, Role, Station, StationState, TransactionCounter
from tallywatt.workflows.add_operator import OWN_PARTY
from tallywatt.workflows.ports import UnitOfWork
from tallywatt.workflows.record_action import record_action

MOST_EVSES = 64
"""A station with more is a typing error or an attack (RULES: bound every integer)."""
MOST_QUARANTINED = 1000
LONGEST_IDENTITY = 48
"""OCPP 2.0.1 Identity: 48 characters; 1.6 has 20 in practice."""


@dataclass(frozen=True, slots=True)
class NewEvse:
    """One EVSE of a new station. Without a code it gets one from country, party and station."""

    number: int
    current: Current = Current.AC
    max_watts: int | None = None
    code: str | None = None
    deployed_on: str | None = None


@dataclass(frozen=True, slots=True)
class AddStation:
    """A station that is to connect. `key_hash` is made by the caller: a key never enters a command."""

    identity: str
    location_reference: str | None = None
    key_hash: str | None = None
    evses: tuple[NewEvse, ...] = (NewEvse(1),)


def add_station(work: UnitOfWork, command: AddStation) -> Station:
    """Write down an adopted station with its EVSEs; one that waits in quarantine under this identity is adopted."""
    known = work.stations.one_by(identity=command.identity)
    if known is not None:
        if known.state is not StationState.QUARANTINED:
            msg = f"there is a station {command.identity!r} already"
            raise Conflict(msg, code="stations.identity_taken")
        adoption = AdoptStation(command.identity, command.location_reference, command.key_hash, command.evses)
        return adopt_station(work, adoption)
    row = _station(
        work, command.identity, StationState.ADOPTED, command.key_hash, _location_id(work, command.location_reference)
    )
    add_evses(work, row, command.evses)
    record_action(work, "station.add", "station", row.station_id, after={"identity": row.identity})
    return row


def knock(work: UnitOfWork, fact: Knocked) -> StationCredential | None:
    """Keep an unknown station in quarantine: it may connect, its boot is answered Pending, and the console lists it.

    None: it may not even knock, for its identity is none, or the quarantine is full.
    """
    known = work.stations.one_by(identity=fact.identity)
    if known is None:
        if not 0 < len(fact.identity) <= LONGEST_IDENTITY or not fact.identity.isprintable():
            return None
        if len(work.stations.by(state=StationState.QUARANTINED.value)) >= MOST_QUARANTINED:
            return None
        known = _station(work, fact.identity, StationState.QUARANTINED, fact.key_hash, None)
    slug = work.operators.get().slug
    return StationCredential(work.operator, slug, known.station_id, known.identity, known.state, known.key_hash,
        known.security_profile, known.preferred_protocol,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AdoptStation:
    """Take a station out of quarantine. Without a key the one that it showed first stays valid."""

    identity: str
    location_reference: str | None = None
    key_hash: str | None = None
    evses: tuple[NewEvse, ...] = (NewEvse(1),)


def adopt_station(work: UnitOfWork, command: AdoptStation) -> Station:
    """Make a quarantined station one of ours."""
    known = work.stations.one_by(identity=command.identity)
    if known is None:
        msg = f"no station {command.identity!r} has knocked"
        raise NotFound(
            msg, code="stations.not_found", remedy="list who waits: tallywatt station list --state quarantined"
        )
    station = work.stations.lock(known.station_id)
    if station.state is StationState.ADOPTED:
        return station
    if command.key_hash is None and station.key_hash is None:
        msg = "the station showed no key; give it one"
        raise BadInput(msg, code="stations.no_key", remedy="pass --key, and set the same key at the station")
    adopted = work.stations.put(
        replace(
            station,
            state=StationState.ADOPTED,
            key_hash=command.key_hash or station.key_hash,
            location_id=_location_id(work, command.location_reference) or station.location_id,
        )
    )
    if not work.evses.by(station_id=station.station_id):
        add_evses(work, adopted, command.evses)
    work.events.append(Event("station", station.station_id, "StationAdopted", {"identity": station.identity}))
    record_action(
        work,
        "station.adopt",
        "station",
        station.station_id,
        before={"state": "quarantined"},
        after={"state": "adopted"},
    )
    return adopted


def add_evses(work: UnitOfWork, station: Station, evses: tuple[NewEvse, ...]) -> None:
    """Write down the EVSEs of a station, each with the operator in all three roles."""
    if not 0 < len(evses) <= MOST_EVSES or len({one.number for one in evses}) != len(evses):
        msg = f"a station has 1 to {MOST_EVSES} EVSEs, each with a number of its own"
        raise BadInput(msg, code="stations.bad_evses")
    operator = work.operators.get()
    own = work.parties.one_by(reference=OWN_PARTY)
    assert own is not None, "the operator is a party since it moved in"
    for new in evses:
        if new.number < 1:
            msg = "EVSE numbers start at 1; 0 is the station itself"
            raise BadInput(msg, code="stations.bad_evses")
        code = new.code or f"{operator.country}*{operator.party_code}*E{_alphanumeric(station.identity)}*{new.number}"
        evse = Evse(
            evse_id=EvseId(work.draw.id(f"evse/{station.station_id}/{new.number}")),
            station_id=station.station_id,
            number=new.number,
            code=code,
            current=new.current,
            max_watts=new.max_watts,
            deployed_on=new.deployed_on,
            created_at=work.now,
        )
        if not work.evses.add(evse):
            msg = f"the EVSE id {code} is in use"
            raise Conflict(msg, code="stations.evse_code_taken")
        work.evse_roles.add_all(EvseRole(evse.evse_id, role, Instant(0), own.party_id, None) for role in Role)


def _alphanumeric(identity: str) -> str:
    return "".join(one for one in identity.upper() if one.isascii() and one.isalnum()) or "X"


def _location_id(work: UnitOfWork, reference: str | None) -> LocationId | None:
    if reference is None:
        return None
    found = work.locations.one_by(reference=reference)
    if found is None:
        msg = f"there is no location {reference!r}"
        raise NotFound(msg, code="locations.not_found", remedy="add it first: tallywatt location add")
    return found.location_id


def _station(
    work: UnitOfWork, identity: str, state: StationState, key_hash: str | None, location_id: LocationId | None
) -> Station:
    station_id = StationId(work.draw.id(f"station/{identity}"))
    row = Station(
        station_id=station_id,
        identity=identity,
        location_id=location_id,
        state=state,
        protocol=None,
        vendor=None,
        model=None,
        serial_number=None,
        firmware=None,
        key_hash=key_hash,
        booted_at=None,
        created_at=work.now,
    )
    work.stations.add(row)
    counter = TransactionCounter(station_id, 0)
    for _ in work.restorations.by():
        # It may have been here in a time that is lost, and may still speak of the ids of then.
        counter = counter.moved_on()
    work.transaction_counters.add(counter)
    event = "StationAdded" if state is StationState.ADOPTED else "StationKnocked"
    work.events.append(Event("station", station_id, event, {"identity": identity}))
    return row
