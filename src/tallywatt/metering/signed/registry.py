"""Pure: the operator's own registry of meters' public keys, and what is kept of signed values and of the verdicts on them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.identity import natural_key
from tallywatt.metering.signed.keys import read_key
from tallywatt.metering.signed.reasons import Code, Signature
from tallywatt.metering.signed.record import BEGINS, ENDS, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import EvseId, FrameId, SessionId
    from tallywatt.metering.signed.keys import PublicKey
    from tallywatt.metering.signed.record import SignedRecord


@dataclass(frozen=True, slots=True)
class MeterKey:
    """The public key of a meter, from a source that the operator trusts, and while it holds."""

    key_id: str
    meter_serial: str
    """As it stands on the meter."""
    serial_folded: str
    """By which it is found."""
    public_key: str
    """SubjectPublicKeyInfo in hex; a bare point where its curve was not told."""
    curve: str | None
    fingerprint: str
    evse_id: EvseId | None
    """Where the meter is built in; None: wherever it is met."""
    valid_from: Instant
    valid_until: Instant | None
    """By the stations' clocks, as sessions are: None: until another notice."""
    added_at: Instant
    version: int = 1

    def holds_at(self, at: Instant) -> bool:
        """Whether it was this meter's key then."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


def fold_serial(text: str) -> str:
    """A serial number as it is compared: people leave out blanks and do not mind capitals."""
    return "".join(text.split()).casefold()


def fingerprint(public_key: str) -> str:
    """Sixteen digits by which people compare a key."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SignedValue:
    """A record of a session as its meter signed it, to the letter."""

    session_id: SessionId
    value_key: str
    """Natural key of its content: a resend adds nothing."""
    occurred_at: Instant
    """When the station says it was made."""
    received_at: Instant
    frame_id: FrameId | None
    context: str | None
    format: str
    data: str
    delivered_key: str | None


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What the signed values of a session proved when they were judged. Rows are added, never edited."""

    session_id: SessionId
    number: int
    judged_at: Instant
    signature: Signature
    energy_is_billable: bool
    time_is_billable: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    milliwatt_hours: int | None
    register_start: int | None
    register_stop: int | None
    """Milliwatt-hours, of the register that counts."""
    began_at: Instant | None
    ended_at: Instant | None
    """By the meter's clock."""
    meter_serial: str | None
    gateway_serial: str | None
    serial_folded: str | None
    gateway_folded: str | None
    """By which those are found that wait for a key."""
    pages: str | None
    curve: str | None
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class MeterPage:
    """A page number of a meter that was used for a session: no other session may use it again."""

    natural_key: str
    session_id: SessionId
    noted_at: Instant


def page_key(record: SignedRecord) -> str:
    """The natural key of a record's page: the signing device, its counter, the number."""
    named = (fold_serial(one or "") for one in (record.gateway_serial, record.meter_serial))
    return natural_key("meter-page", *named, record.page_counter, record.page)


class RegisteredKeys:
    """The registry, asked for one session."""

    def __init__(self, keys: Iterable[MeterKey], at: Instant, evse_id: str | None) -> None:
        self._keys = tuple(keys)
        self._at = at
        self._evse_id = evse_id
        self.used: MeterKey | None = None
        """The key that was taken last."""

    def key_of(self, record: SignedRecord) -> tuple[PublicKey | None, Code | None]:
        """The key of the meter that the record names, while it holds, where it is built in."""
        serials = {fold_serial(one) for one in (record.meter_serial, record.gateway_serial) if one}
        mine = [one for one in self._keys if one.serial_folded in serials]
        if not mine:
            delivered = read_key(record.delivered_key) if record.delivered_key else None
            return delivered, Code.KEY_NOT_REGISTERED if delivered is not None else Code.KEY_MISSING
        holding = [one for one in mine if one.holds_at(self._at)]
        if not holding:
            return read_key(mine[-1].public_key), Code.KEY_NOT_VALID_THEN
        here = [one for one in holding if one.evse_id in {None, self._evse_id}]
        chosen = self._that_signed(record, here or holding)
        self.used = chosen
        return read_key(chosen.public_key), None if here else Code.METER_UNEXPECTED

    @staticmethod
    def _that_signed(record: SignedRecord, keys: Sequence[MeterKey]) -> MeterKey:
        """A gateway and its meter may both have a key, and both be named: the one that signed is meant."""
        if len(keys) > 1:
            for one in keys:
                if check(record, read_key(one.public_key)).verdict is Signature.VALID:
                    return one
        return keys[-1]


def of_one_transaction(records: Sequence[SignedRecord]) -> list[SignedRecord]:
    """The records that tell a transaction: the newest that tells it whole, else its start, its end, and errors between them.

    Stations send a record again with every message, sign each sample in the middle, and some sign the whole once more.
    """
    unlike = list({(one.signed or one.text): one for one in records}.values())
    readable = [one for one in unlike if one.is_readable and one.readings]
    if not readable:
        return unlike
    readable.sort(key=lambda one: one.page or 0)
    whole = [one for one in readable if _has(one, BEGINS) and _has(one, ENDS)]
    if whole:
        return whole[-1:]
    return [one for one in readable if _has(one, BEGINS) or _has(one, ENDS) or _has(one, frozenset("X"))] or readable[
        :1
    ]


def _has(record: SignedRecord, purposes: frozenset[str]) -> bool:
    return any(one.purpose in purposes for one in record.readings if one.purpose)
