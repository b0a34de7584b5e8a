"""Tariffs: put a version, assign it to a place and a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tallywatt.kernel.clock import Instant, local_date
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.events import Event
from tallywatt.rating.audience import Kind, read_audience
from tallywatt.rating.law import Site, refuse_unlawful
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.records import EVERYONE, Scope, TariffAssignment, TariffVersion
from tallywatt.workflows.keep_circle import find_circle
from tallywatt.workflows.keep_tariff import tariff_changes
from tallywatt.workflows.ports import UnitOfWork
from tallywatt.workflows.record_action import record_action

_CIRCLES: Final = frozenset({Kind.FLEET, Kind.GROUP, Kind.MEMBER})


@dataclass(frozen=True, slots=True)
class PutTariff:
    """A tariff in OCPI's JSON."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PutTariffAnswer:
    """The version, and the paths of what was in the source and is not carried."""

    version: TariffVersion
    unread: tuple[str, ...]


def put_tariff(work: UnitOfWork, command: PutTariff) -> PutTariffAnswer:
    """Write down a tariff version. The same content is the same version; another content is another one."""
    tariff = read_tariff(command.data)
    row = tariff.row(work.now)
    if work.tariff_versions.add(row):
        work.events.append(Event("tariff", row.tariff_version_id, "TariffVersionPut", {"reference": row.reference}))
        record_action(work, "tariff.put", "tariff", row.tariff_version_id, after={"reference": row.reference})
    return PutTariffAnswer(work.tariff_versions.get(row.tariff_version_id), tariff.unread)


@dataclass(frozen=True, slots=True)
class AssignTariff:
    """From when, where. `tariff` is a version id, or a reference: then its newest version."""

    tariff: str
    scope: Scope = Scope.OPERATOR
    target: str = ""
    """Location reference, station identity, EVSE id; empty for the whole estate."""
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    audience: str = EVERYONE
    """For whom and at which speed (`rating.audience`): `customer:C-1 & speed:dc_fast`."""
    sites: tuple[Site, ...] | None = None
    """What the gate of law asks: the charging points where it would hold. None: the gate is open."""


def assign_tariff(work: UnitOfWork, command: AssignTariff) -> TariffAssignment:
    """Let a tariff version hold at a place from a time on; now when none is given."""
    version = _version(work, command.tariff)
    valid_from = command.valid_from if command.valid_from is not None else work.now
    if command.valid_until is not None and command.valid_until <= valid_from:
        msg = "the assignment would end before it begins"
        raise BadInput(msg, code="tariffs.bad_validity")
    scope_id = _scope_id(work, command)
    if command.sites is not None:
        zone = work.operators.get().zone
        refuse_unlawful(read_tariff_text(version.canonical), command.sites, local_date(valid_from, zone))
    row = TariffAssignment(
        assignment_id=work.draw.id(f"assignment/{version.tariff_version_id}/{scope_id}"),
        tariff_version_id=version.tariff_version_id,
        scope=command.scope,
        scope_id=scope_id,
        audience=_audience(work, command.audience),
        valid_from=valid_from,
        valid_until=command.valid_until,
        created_at=work.now,
    )
    work.tariff_assignments.add(row)
    tariff_changes(work, row)
    data = {"scope": command.scope.value, "scope_id": scope_id}
    work.events.append(Event("tariff", version.tariff_version_id, "TariffAssigned", data))
    record_action(work, "tariff.assign", "tariff", version.tariff_version_id, after={**data, "audience": row.audience})
    return row


def _version(work: UnitOfWork, tariff: str) -> TariffVersion:
    found = work.tariff_versions.find(tariff)
    if found is not None:
        return found
    versions = work.tariff_versions.by(reference=tariff, frozen_of=None)
    if not versions:
        msg = f"there is no tariff {tariff!r}"
        raise NotFound(msg, code="tariffs.not_found", remedy="put it first: tallywatt tariff put FILE")
    return max(versions, key=lambda one: (one.created_at, one.tariff_version_id))


def _audience(work: UnitOfWork, text: str) -> str:
    """The audience as it is stored; whom it names must be there, since a price for nobody is a typing error."""
    audience = read_audience(text)
    for kind, names in audience.conditions:
        for name in names:
            if kind is Kind.CUSTOMER and work.customers.one_by(reference=name) is None:
                msg = f"there is no customer {name!r}"
                raise NotFound(msg, code="customers.not_found")
            if kind in _CIRCLES:
                find_circle(work, f"{kind}:{name}")
    return audience.text


def _scope_id(work: UnitOfWork, command: AssignTariff) -> str:
    match command.scope:
        case Scope.OPERATOR:
            return ""
        case Scope.LOCATION:
            location = work.locations.one_by(reference=command.target)
            found: str | None = location.location_id if location else None
        case Scope.STATION:
            station = work.stations.one_by(identity=command.target)
            found = station.station_id if station else None
        case Scope.EVSE:
            evse = work.evses.one_by(code=command.target)
            found = evse.evse_id if evse else None
    if found is None:
        msg = f"there is no {command.scope.value} {command.target!r}"
        raise NotFound(msg, code="tariffs.no_such_place")
    return found
