"""Where the law asks for signatures, a session is billed by what its meter has signed, and not without that proof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR
from typing import TYPE_CHECKING

from tallywatt.metering.measure import Measured
from tallywatt.metering.metered import Reading
from tallywatt.metering.signed.judge import judge
from tallywatt.metering.signed.reasons import OF_TIME, Code, Signature
from tallywatt.metering.signed.record import SYNCHRONISED
from tallywatt.metering.signed.registry import (
    MeterPage,
    RegisteredKeys,
    SignatureVerdict,
    fold_serial,
    of_one_transaction,
    page_key,
)
from tallywatt.metering.signed.unwrap import unwrap
from tallywatt.stations.metrology import DEMANDS

if TYPE_CHECKING:
    from decimal import Decimal

    from tallywatt.metering.session import Session
    from tallywatt.metering.signed.judge import Verdict
    from tallywatt.metering.signed.record import SignedRecord
    from tallywatt.metering.signed.registry import MeterKey, SignedValue
    from tallywatt.workflows.ports import UnitOfWork

CLOCKS_MAY_DIFFER = 15 * 60_000
"""A meter's synchronised clock and the station's are not one clock."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the meter's signatures allow of a session."""

    energy_is_billable: bool
    time_is_billable: bool
    milliwatt_hours: int
    reasons: tuple[str, ...]
    milliseconds: int = 0
    """How long it took by the meter's clock, which may know of a start that the station never told."""

    def applied(self, measured: Measured, session: Session) -> Measured:
        """The session's curve, ending at what was signed: a plain register tells when it flowed, and no more."""
        curve = [replace(one, milliwatt_hours=min(one.milliwatt_hours, self.milliwatt_hours)) for one in measured.curve]
        ended_at = measured.energy_ended_at or session.transaction_ended_at or session.started_at
        if not curve:
            curve = [Reading(session.started_at, 0)]
        if curve[-1].milliwatt_hours != self.milliwatt_hours:
            end = max(ended_at, curve[-1].at)
            curve = [one for one in curve if one.at < end] or [Reading(session.started_at, 0)]
            curve.append(Reading(end, self.milliwatt_hours))
        return Measured(self.milliwatt_hours, tuple(curve), measured.flags, ended_at)


def needs_proof(work: UnitOfWork, session: Session) -> bool:
    """Whether the law at its EVSE asks for signatures."""
    evse = work.evses.find(session.evse_id) if session.evse_id else None
    return evse is not None and DEMANDS[evse.metrology_at(session.received_at)].needs_signature


def prove(work: UnitOfWork, session: Session) -> Proof | None:
    """Judge what its meter has signed, and write the verdict down; None where no signature is asked for."""
    if not needs_proof(work, session):
        return None
    values = work.signed_values.by(session_id=session.session_id)
    records = of_one_transaction([record for value in values for record in _records(value)])
    keys = RegisteredKeys(_keys_of(work, records), session.started_at, session.evse_id)
    verdict = judge(records, keys)
    doubts = [] if not records else _doubts(work, session, verdict)
    reasons = tuple(dict.fromkeys((*_missing(values), *verdict.reasons, *doubts)))
    energy_is_billable = verdict.billable_energy and not doubts and verdict.milliwatt_hours is not None
    time_is_billable = verdict.billable_time and not doubts
    row = _row(work, session, verdict, keys.used)
    row = replace(
        row,
        energy_is_billable=energy_is_billable,
        time_is_billable=time_is_billable,
        reasons=tuple(one.value for one in reasons),
    )
    _keep(work, session, row)
    lasted = (row.ended_at or 0) - (row.began_at or 0)
    return Proof(energy_is_billable, time_is_billable, verdict.milliwatt_hours or 0, row.reasons, lasted)


def _records(value: SignedValue) -> list[SignedRecord]:
    """Its record again, with the key that came with it. What a station calls it decides nothing: it says itself what it is."""
    return [
        replace(one, delivered_key=one.delivered_key or value.delivered_key, context=None)
        for one in unwrap(value.data).records
    ]


def _missing(values: list[SignedValue]) -> list[Code]:
    """Why there is nothing to judge, where there is not."""
    found = [unwrap(value.data) for value in values]
    if any(one.records for one in found):
        return []
    return [problem for one in found for problem in one.problems] or [Code.DATA_MISSING]


def _keys_of(work: UnitOfWork, records: list[SignedRecord]) -> list[MeterKey]:
    serials = {fold_serial(one) for record in records for one in (record.meter_serial, record.gateway_serial) if one}
    return [key for serial in sorted(serials) for key in work.meter_keys.by(serial_folded=serial)]


def _doubts(work: UnitOfWork, session: Session, verdict: Verdict) -> list[Code]:
    """What only the house can know: whether a record was used before, and whether its times are those of the session."""
    doubts = []
    began, ended = verdict.begin, verdict.end
    if began is not None and ended is not None and began.clock == ended.clock == SYNCHRONISED:
        last = session.transaction_ended_at or session.started_at
        if began.at is not None and ended.at is not None:
            apart = ended.at < session.started_at - CLOCKS_MAY_DIFFER or began.at > last + CLOCKS_MAY_DIFFER
            doubts += [Code.SESSION_DIFFERS] if apart else []
    against = [one for one in verdict.reasons if one not in OF_TIME]
    if verdict.signature is not Signature.VALID or against or doubts:
        return doubts
    for record, _ in verdict.records:
        page = MeterPage(page_key(record), session.session_id, work.machine_now)
        if not work.meter_pages.add(page) and work.meter_pages.get(page.natural_key).session_id != session.session_id:
            return [Code.RECORD_REPLAYED]
    return []


def _row(work: UnitOfWork, session: Session, verdict: Verdict, key: MeterKey | None) -> SignatureVerdict:
    began, ended = verdict.begin, verdict.end
    pages = [f"{one.page_counter}{one.page}" for one, _ in verdict.records if one.page is not None]
    holds = verdict.signature is Signature.VALID
    meter = next((one.meter_serial for one, _ in verdict.records if one.meter_serial), None)
    gateway = next((one.gateway_serial for one, _ in verdict.records if one.gateway_serial), None)
    return SignatureVerdict(
        session_id=session.session_id,
        number=0,
        judged_at=work.machine_now,
        signature=verdict.signature,
        energy_is_billable=False,
        time_is_billable=False,
        reasons=(),
        warnings=tuple(one.value for one in verdict.warnings if one is not Code.PAGINATION_GAP),
        milliwatt_hours=verdict.milliwatt_hours,
        register_start=_register(began.watt_hours) if began and holds else None,
        register_stop=_register(ended.watt_hours) if ended and holds else None,
        began_at=began.at if began and holds else None,
        ended_at=ended.at if ended and holds else None,
        meter_serial=meter,
        gateway_serial=gateway,
        serial_folded=fold_serial(meter) if meter else None,
        gateway_folded=fold_serial(gateway) if gateway else None,
        pages=" ".join(dict.fromkeys(pages)) or None,
        curve=next((one.curve.name for _, one in verdict.records if one.curve is not None), None),
        fingerprint=key.fingerprint if key is not None else None,
    )


def _register(watt_hours: Decimal | None) -> int | None:
    return None if watt_hours is None else int((watt_hours * 1000).to_integral_value(ROUND_FLOOR))


def _keep(work: UnitOfWork, session: Session, row: SignatureVerdict) -> None:
    """A verdict that says what the last one said is not written again."""
    before = work.signature_verdicts.by(session_id=session.session_id)
    last = before[-1] if before else None
    if last is not None and replace(row, number=last.number, judged_at=last.judged_at) == last:
        return
    work.signature_verdicts.add(replace(row, number=len(before) + 1))
