"""A station whose meter signs: what it delivers with its messages, in the words of the workflows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import moment
from tallywatt.metering.facts import SignedSample
from tallywatt.stations.metrology import Metrology
from tallywatt.workflows.change_station import ChangeEvse, change_evse
from tallywatt.workflows.register_meter_key import ProveSession, RegisterMeterKey, prove_session, register_meter_key
from tallywatt.workflows.unplug import unplug
from tests.metering.signed.meter import Meter, reading
from tests.workflows.house_of import KWH, MINUTE, HouseOf, Wire

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.session import Session
    from tallywatt.metering.signed.registry import MeterKey


def asks_for_signatures(house: HouseOf, profile: Metrology = Metrology.DE_CALIBRATION_LAW, evse: int = 1) -> str:
    """The law of measurement at an EVSE; its code."""
    [one] = [one for one in house.rows.evses.by() if one.number == evse]
    house.do(change_evse, ChangeEvse(one.code, metrology=profile))
    return str(one.code)


def registered(house: HouseOf, meter: Meter, **more: Any) -> MeterKey:
    """The meter's key is in the registry, and what waited for it has been looked at."""
    key = house.do(register_meter_key, RegisterMeterKey(meter.serial, meter.key, **more))
    look_again(house)
    return key


def look_again(house: HouseOf) -> None:
    """The worker does what is to be proved."""
    for job in house.rows.stored_jobs.by(kind="prove_session"):
        house.do(prove_session, ProveSession(job.subject_id), actor="worker")  # type: ignore[arg-type]  # its subject


def at(instant: Instant, clock: str = "S") -> str:
    """A time as a meter writes it."""
    return f"{moment(instant):%Y-%m-%dT%H:%M:%S},000+0000 {clock}"


def signed_charge(
    house: HouseOf,
    meter: Meter,
    *,
    plain: int = 10 * KWH,
    signed: float = 10.0,
    clock: str = "S",
    wire: Wire | None = None,
    register: float = 100.0,
    **more: Any,
) -> Session:
    """An hour of charging: what the station tells by itself, and what its meter signed, in one record at the stop."""
    wire = wire or house.wire()
    began = house.now
    transaction = wire.start()
    ended = house.later(60)
    record = meter.record(
        reading("B", register, at(began, clock)), reading("E", register + signed, at(ended, clock)), **more
    )
    stop_with(house, wire, transaction, plain, record)
    return house.session(transaction)


def stop_with(house: HouseOf, wire: Wire, transaction: str, plain: int, *records: str) -> None:
    """A stop with the records that its meter signed; they are in its frame, too."""
    fact = wire.stopped(transaction, house.now, plain)
    frame = json.loads(fact.heard.payload)
    values = [
        {"value": one, "format": "SignedData", "context": "Transaction.End", "location": "Outlet"} for one in records
    ]
    frame[3]["transactionData"] = [{"timestamp": frame[3]["timestamp"], "sampledValue": values}]
    heard = replace(fact.heard, payload=json.dumps(frame).encode())
    delivered = tuple(SignedSample(house.now, one, "Transaction.End") for one in records)
    house.do(unplug, replace(fact, heard=heard, signed=delivered))


__all__ = ["MINUTE", "asks_for_signatures", "at", "look_again", "registered", "signed_charge", "stop_with"]
