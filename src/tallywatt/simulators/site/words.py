"""Pure: the steps of a play in the words of OCPP 1.6 and 2.0.1, as the payload classes of the `ocpp` package.

Figures go out as texts (1.6) and floats (2.0.1): the package rounds every Decimal to one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ocpp.v16 import call as call16
from ocpp.v201 import call as call201

from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.energy import wh
from tallywatt.simulators.site.plan import Protocol
from tallywatt.simulators.site.timeline import Kind

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.simulators.site.plan import Play, Reading
    from tallywatt.simulators.site.timeline import Step

UNKNOWN_TRANSACTION = -1
CARD_TYPE = "ISO14443"

STATUS_16 = {
    Kind.PREPARING: "Preparing",
    Kind.CHARGING: "Charging",
    Kind.SUSPENDED: "SuspendedEV",
    Kind.FINISHING: "Finishing",
    Kind.AVAILABLE: "Available",
}
STATUS_201 = {Kind.PREPARING: "Occupied", Kind.AVAILABLE: "Available"}
CONTEXTS = {
    Kind.START: "Transaction.Begin",
    Kind.SAMPLE: "Sample.Periodic",
    Kind.STOP: "Transaction.End",
}


@dataclass(slots=True)
class Speaking:
    """A play that is being told: what the station learned while it told it."""

    play: Play
    tag: str
    token_type: str = CARD_TYPE
    remote_start_id: int | None = None
    transaction_16: int | None = None
    begun: bool = False
    refused: bool = False


def payload_of(speaking: Speaking, step: Step) -> Any | None:
    """What the station sends for a step, or None where its protocol has no words for it."""
    if speaking.play.protocol is Protocol.V16:
        return _in_16(speaking, step)
    return _in_201(speaking, step)


def boot(protocol: Protocol, model: str, station: str) -> Any:
    """A station reports that it has started."""
    vendor, serial = model.partition(" ")[0], f"SIM-{station}"
    name = model[:20]
    if protocol is Protocol.V16:
        return call16.BootNotification(
            charge_point_model=name,
            charge_point_vendor=vendor,
            charge_point_serial_number=serial,
            firmware_version="1.0.0",
        )
    station_type = {"model": name, "vendor_name": vendor, "serial_number": serial, "firmware_version": "1.0.0"}
    return call201.BootNotification(charging_station=station_type, reason="PowerUp")


def status(protocol: Protocol, connector: int, name: str, at: Instant) -> Any:
    """A station reports the state of a connector: a name of 1.6, or of 2.0.1 on EVSEs with one connector each."""
    if protocol is Protocol.V16:
        return call16.StatusNotification(
            connector_id=connector, error_code="NoError", status=name, timestamp=rfc3339(at)
        )
    return call201.StatusNotification(timestamp=rfc3339(at), connector_status=name, evse_id=connector, connector_id=1)


def heartbeat(protocol: Protocol) -> Any:
    """A station says that it is there."""
    return call16.Heartbeat() if protocol is Protocol.V16 else call201.Heartbeat()


# OCPP 1.6


def _in_16(speaking: Speaking, step: Step) -> Any | None:
    connector = speaking.play.row.connector
    if step.kind is Kind.AUTHORIZE:
        return call16.Authorize(id_tag=speaking.tag)
    if step.kind in STATUS_16:
        return status(Protocol.V16, connector, STATUS_16[step.kind], step.at)
    if step.reading is None:
        return None
    if step.kind is Kind.START:
        return call16.StartTransaction(
            connector_id=connector, id_tag=speaking.tag, meter_start=_whole_wh(step.reading), timestamp=rfc3339(step.at)
        )
    if step.kind is Kind.SAMPLE:
        return call16.MeterValues(
            connector_id=connector, transaction_id=_transaction_16(speaking), meter_value=[_meter_value_16(step)]
        )
    return _stop_16(speaking, step)


def _stop_16(speaking: Speaking, step: Step) -> Any:
    assert step.reading is not None, "a stop has a reading"
    known = step.kind is Kind.STOP
    return call16.StopTransaction(
        transaction_id=_transaction_16(speaking) if known else UNKNOWN_TRANSACTION,
        id_tag=speaking.tag,
        meter_stop=_whole_wh(step.reading),
        timestamp=rfc3339(step.at),
        reason="Remote" if speaking.play.stopped_remotely else "EVDisconnected",
    )


def _transaction_16(speaking: Speaking) -> int:
    return UNKNOWN_TRANSACTION if speaking.transaction_16 is None else speaking.transaction_16


def _whole_wh(reading: Reading) -> int:
    assert reading.register % 1000 == 0, "a 1.6 meter counts whole Wh"
    return reading.register // 1000


def _meter_value_16(step: Step) -> dict[str, Any]:
    assert step.reading is not None, "a sample has a reading"
    common = {"context": CONTEXTS[step.kind]}
    values = [
        {"value": wh(step.reading.register), "measurand": "Energy.Active.Import.Register", "unit": "Wh", **common}
    ]
    if step.reading.watts is not None:
        values.append({"value": str(step.reading.watts), "measurand": "Power.Active.Import", "unit": "W", **common})
    if step.reading.charge_percent is not None:
        values.append({"value": str(step.reading.charge_percent), "measurand": "SoC", "unit": "Percent", **common})
    return {"timestamp": rfc3339(step.reading.at), "sampled_value": values}


# OCPP 2.0.1


def _in_201(speaking: Speaking, step: Step) -> Any | None:
    if step.kind is Kind.AUTHORIZE:
        return call201.Authorize(id_token=_id_token(speaking))
    if step.kind in STATUS_201:
        return status(Protocol.V201, speaking.play.row.connector, STATUS_201[step.kind], step.at)
    told = _told_201(speaking, step)
    return None if told is None else _event(speaking, step, *told)


def _told_201(speaking: Speaking, step: Step) -> tuple[str, str, dict[str, Any]] | None:
    """Event, trigger and what is said about the transaction."""
    suspended_at, remote = speaking.play.suspended_at, speaking.play.stopped_remotely
    state = "Charging" if suspended_at is None or step.at < suspended_at else "SuspendedEV"
    if step.kind is Kind.START:
        return "Started", "Authorized" if speaking.remote_start_id is None else "RemoteStart", {"charging_state": state}
    if step.kind is Kind.SAMPLE:
        return "Updated", "MeterValuePeriodic", {"charging_state": state}
    if step.kind is Kind.SUSPENDED:
        return "Updated", "ChargingStateChanged", {"charging_state": state}
    if step.kind is Kind.STOP:
        reason = "Remote" if remote else "EVDisconnected"
        return "Ended", "RemoteStop" if remote else "EVDeparted", {"stopped_reason": reason}
    return None


def _event(speaking: Speaking, step: Step, event: str, trigger: str, info: dict[str, Any]) -> Any:
    started = event == "Started"
    remote = {"remote_start_id": speaking.remote_start_id} if started and speaking.remote_start_id is not None else {}
    return call201.TransactionEvent(
        event_type=event,
        timestamp=rfc3339(step.at),
        trigger_reason=trigger,
        seq_no=step.number,
        transaction_info={"transaction_id": speaking.play.transaction, **info, **remote},
        meter_value=None if step.reading is None else [_meter_value_201(step)],
        offline=True if step.offline else None,
        evse={"id": speaking.play.row.connector, "connector_id": 1},
        id_token=None if event == "Updated" else _id_token(speaking),
    )


def _id_token(speaking: Speaking) -> dict[str, Any]:
    return {"id_token": speaking.tag, "type": speaking.token_type}


def _meter_value_201(step: Step) -> dict[str, Any]:
    assert step.reading is not None, "a meter value has a reading"
    common = {"context": CONTEXTS[step.kind]}
    values: list[dict[str, Any]] = [
        {
            "value": float(wh(step.reading.register)),
            "measurand": "Energy.Active.Import.Register",
            "unit_of_measure": {"unit": "Wh"},
            **common,
        }
    ]
    if step.reading.watts is not None:
        unit = {"unit": "W"}
        values.append(
            {"value": float(step.reading.watts), "measurand": "Power.Active.Import", "unit_of_measure": unit, **common}
        )
    if step.reading.charge_percent is not None:
        unit = {"unit": "Percent"}
        values.append(
            {"value": float(step.reading.charge_percent), "measurand": "SoC", "unit_of_measure": unit, **common}
        )
    return {"timestamp": rfc3339(step.reading.at), "sampled_value": values}
