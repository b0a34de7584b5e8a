"""The registry of meters' public keys: a key is registered or ended; sessions that waited for it are billed by themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.metering.session import InboxState, Reason, SessionState
from tallywatt.metering.signed.keys import read_key
from tallywatt.metering.signed.registry import MeterKey, fingerprint, fold_serial
from tallywatt.workflows.finish import bill_or_hold
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import settle_inbox
from tallywatt.workflows.prove import prove
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.kernel.identity import EvseId, SessionId
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_SERIAL: Final = 64
ALWAYS: Final = Instant(0)


@dataclass(frozen=True, slots=True)
class RegisterMeterKey:
    """A key from a source that the operator trusts: the plate, the maker's list, the data sheet."""

    meter_serial: str
    public_key: str
    """In any way in which keys are written."""
    evse_code: str | None = None
    valid_from: Instant | None = None
    """When the meter was built in; None: it was always there."""
    valid_until: Instant | None = None


def register_meter_key(work: UnitOfWork, command: RegisterMeterKey) -> MeterKey:
    """Write down a key. The same key of the same meter again is the one that is there, with what is told anew."""
    serial = command.meter_serial.strip()
    if not 0 < len(serial) <= LONGEST_SERIAL or not serial.isprintable():
        msg = f"a meter's serial number has 1 to {LONGEST_SERIAL} printable characters"
        raise BadInput(msg, code="meter_keys.bad_serial")
    key = read_key(command.public_key)
    if key is None:
        msg = "this is no public key of a meter: no point of one of the seven curves"
        remedy = "copy it whole, as hex, base64 or PEM: 3059301306072A8648CE3D0201…"
        raise BadInput(msg, code="meter_keys.unreadable", remedy=remedy)
    valid_from = command.valid_from if command.valid_from is not None else ALWAYS
    _look_at_validity(valid_from, command.valid_until)
    text = (key.spki or key.octets).hex().upper()
    row = MeterKey(
        key_id=work.draw.id(f"meter-key/{fold_serial(serial)}/{fingerprint(text)}"),
        meter_serial=serial,
        serial_folded=fold_serial(serial),
        public_key=text,
        curve=key.curve.name if key.curve else None,
        fingerprint=fingerprint(text),
        evse_id=_evse_id(work, command.evse_code),
        valid_from=valid_from,
        valid_until=command.valid_until,
        added_at=work.machine_now,
    )
    if not work.meter_keys.add(row):
        row = _told_anew(work, row)
    record_action(work, "meter_key.register", "meter_key", row.key_id, after=_told(row))
    _wake_sessions(work, row)
    return row


def _told_anew(work: UnitOfWork, row: MeterKey) -> MeterKey:
    known = work.meter_keys.lock_by(serial_folded=row.serial_folded, fingerprint=row.fingerprint)
    assert known is not None, "its natural key is there"
    told = replace(known, evse_id=row.evse_id, valid_from=row.valid_from, valid_until=row.valid_until)
    return work.meter_keys.put(told) if told != known else known


@dataclass(frozen=True, slots=True)
class EndMeterKey:
    """A meter was taken out, or its key is not to be trusted from then on. None: now."""

    key_id: str
    valid_until: Instant | None = None


def end_meter_key(work: UnitOfWork, command: EndMeterKey) -> MeterKey:
    """Let a key hold no longer. Sessions that were billed by it stay as they are."""
    key = work.meter_keys.find(command.key_id)
    if key is None:
        msg = "there is no such key of a meter"
        raise NotFound(msg, code="meter_keys.not_found")
    key = work.meter_keys.lock(command.key_id)
    until = command.valid_until if command.valid_until is not None else work.now
    if key.valid_until is not None and key.valid_until < until:
        msg = "this key has ended earlier already"
        raise Conflict(msg, code="meter_keys.ended", remedy="register it again with another validity")
    _look_at_validity(key.valid_from, until)
    before, ended = {"valid_until": key.valid_until}, replace(key, valid_until=until)
    record_action(work, "meter_key.end", "meter_key", key.key_id, before=before, after={"valid_until": until})
    return work.meter_keys.put(ended)


@dataclass(frozen=True, slots=True)
class ProveSession:
    """A session that waits for a proof: a key was registered, or its meter has signed something more."""

    session_id: SessionId


def prove_session(work: UnitOfWork, command: ProveSession) -> bool:
    """Bill it if its signatures allow it by now; whether they do."""
    session = work.sessions.lock(command.session_id)
    if session.state is not SessionState.HELD or not _waits(work, session.session_id):
        return False
    proof = prove(work, session)
    if proof is None or not proof.energy_is_billable:
        return False
    bill_or_hold(work, session)
    settle_inbox(work, Reason.NOT_SIGNED.value, session.session_id, "its meter's signature holds")
    return True


def _waits(work: UnitOfWork, session_id: SessionId) -> bool:
    waiting = {"session_id": session_id, "kind": Reason.NOT_SIGNED.value, "state": InboxState.OPEN.value}
    return bool(work.inbox.by(**waiting))


def _wake_sessions(work: UnitOfWork, key: MeterKey) -> None:
    """Sessions that are held because nobody could check their signatures, and that name this meter."""
    refused = [
        *work.signature_verdicts.by(serial_folded=key.serial_folded, energy_is_billable=False),
        *work.signature_verdicts.by(gateway_folded=key.serial_folded, energy_is_billable=False),
    ]
    for session_id in dict.fromkeys(one.session_id for one in refused):
        if _waits(work, session_id):
            work.jobs.add(Job("prove_session", session_id))


def _look_at_validity(valid_from: Instant, valid_until: Instant | None) -> None:
    if valid_until is not None and valid_until <= valid_from:
        msg = "a key ends after it begins"
        raise BadInput(msg, code="meter_keys.bad_validity")


def _evse_id(work: UnitOfWork, code: str | None) -> EvseId | None:
    if code is None:
        return None
    evse = work.evses.one_by(code=code)
    if evse is None:
        msg = f"there is no EVSE {code}"
        raise NotFound(msg, code="evses.not_found")
    return evse.evse_id


def _told(key: MeterKey) -> dict[str, str | int | None]:
    return {
        "meter_serial": key.meter_serial,
        "fingerprint": key.fingerprint,
        "evse_id": key.evse_id,
        "valid_from": key.valid_from,
        "valid_until": key.valid_until,
    }
