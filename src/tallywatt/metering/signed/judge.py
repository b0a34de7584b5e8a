"""Pure: what signed records prove: whether they hold, how much energy flowed, and what of it may be billed, with every reason.

Energy and time are judged apart: a meter whose clock is not synchronised still counts its kilowatt-hours well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final, Protocol

from tallywatt.metering.signed.keys import read_key
from tallywatt.metering.signed.reasons import OF_ENERGY, OF_TIME, WARNINGS, Code, Signature
from tallywatt.metering.signed.record import BEGINS, ENDS, RELATIVE, SYNCHRONISED, Checked, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.signed.keys import PublicKey
    from tallywatt.metering.signed.record import Reading, SignedRecord

MILLIWATT_HOURS: Final = 1000
_DELIVERED: Final = {"1", "98", "9e", "b0", "b1", "b2", "b3"}
"""Group C of OBIS: energy to the vehicle; what the vehicle feeds back (2, C0 to C3) is none of it."""
_COMPENSATED: Final = {"98", "b1", "b3"}
"""At the vehicle, the loss of the cable taken off: it wins over the register at the mains."""
_INTEGRAL: Final = "8"
_GRAVE: Final = {"M", "X"}
"""Manipulated, exchanged: it matters also in the middle."""


class Keys(Protocol):
    """Where the public key of a meter comes from."""

    def key_of(self, record: SignedRecord) -> tuple[PublicKey | None, Code | None]:
        """The key that must have signed a record, or why there is none that anybody vouches for."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """What whoever asks knows of the session from elsewhere."""

    meter_serial: str | None = None
    after_page: int | None = None
    """The newest page number of that meter that was billed already."""
    user: str | None = None
    session: str | None = None


NOTHING_EXPECTED: Final = Expected()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the records of one transaction prove."""

    signature: Signature
    billable_energy: bool
    billable_time: bool
    reasons: tuple[Code, ...]
    """Why not all of it is verified and billable."""
    warnings: tuple[Code, ...] = ()
    milliwatt_hours: int | None = None
    """The energy of the register that counts; None where the records do not tell one."""
    begin: Reading | None = None
    end: Reading | None = None
    pages: tuple[int, ...] = ()
    records: tuple[tuple[SignedRecord, Checked], ...] = field(default=())


class GivenKey:
    """A key that whoever asks vouches for; without one, the key in the data serves to check the signature alone."""

    def __init__(self, text: str | None) -> None:
        self._is_given = text is not None and bool(text.strip())
        self._key = read_key(text) if text is not None and self._is_given else None

    def key_of(self, record: SignedRecord) -> tuple[PublicKey | None, Code | None]:
        """The given key, else the delivered one with the reason that nobody vouches for it."""
        if self._is_given:
            return self._key, None if self._key is not None else Code.KEY_UNREADABLE
        if record.delivered_key is None:
            return None, Code.KEY_MISSING
        key = read_key(record.delivered_key)
        return key, Code.KEY_NOT_REGISTERED if key is not None else Code.KEY_UNREADABLE


def judge(records: Sequence[SignedRecord], keys: Keys, expected: Expected = NOTHING_EXPECTED) -> Verdict:
    """The verdict on the records of one transaction."""
    reasons: list[Code] = []
    checked = tuple((one, _check(one, keys, reasons)) for one in records)
    signature = _whole(one.verdict for _, one in checked)
    if any(not one.is_readable for one in records) or not records:
        return Verdict(signature, False, False, _once(reasons), records=checked)
    ordered = _belonging(records, expected, reasons)
    energy: list[Code] = []
    time: list[Code] = []
    begin, end = _ends(ordered, reasons, energy)
    milliwatt_hours = None
    if begin is not None and end is not None:
        milliwatt_hours = _energy(ordered, begin, end, energy)
        _time(ordered, begin, end, time)
    reasons += [*energy, *time]
    told = _once(reasons)
    against = [one for one in told if one not in WARNINGS]
    holds = signature is Signature.VALID and begin is not None and end is not None
    return Verdict(
        signature=signature,
        billable_energy=holds and not any(one not in OF_TIME for one in against),
        billable_time=holds and not any(one not in OF_ENERGY for one in against),
        reasons=tuple(against),
        warnings=tuple(one for one in told if one in WARNINGS),
        milliwatt_hours=milliwatt_hours if signature is Signature.VALID else None,
        begin=begin,
        end=end,
        pages=tuple(one.page for one in ordered if one.page is not None),
        records=checked,
    )


def _once(reasons: Iterable[Code]) -> tuple[Code, ...]:
    return tuple(dict.fromkeys(reasons))


def _check(record: SignedRecord, keys: Keys, reasons: list[Code]) -> Checked:
    """Check one signature, and say what it was checked with."""
    reasons += record.problems
    if not record.is_readable:
        return Checked(Signature.UNVERIFIABLE)
    key, doubt = keys.key_of(record)
    found = check(record, key)
    if doubt is not None:
        reasons.append(doubt)
    reasons += [one for one in found.reasons if not (one is Code.KEY_MISSING and doubt is not None)]
    if key is None or doubt is Code.KEY_NOT_REGISTERED or record.delivered_key is None:
        return found
    delivered = read_key(record.delivered_key)
    if delivered is not None and delivered.is_same(key):
        return found
    if found.verdict is Signature.INVALID and check(record, delivered).verdict is Signature.VALID:
        reasons.append(Code.SIGNED_BY_OTHER_KEY)
    reasons.append(Code.KEY_DIFFERS if record.key_is_inside else Code.DELIVERED_KEY_DIFFERS)
    return found


def _whole(verdicts: Iterable[Signature]) -> Signature:
    """One wrong signature makes the whole wrong; one that cannot be checked leaves it open."""
    found = set(verdicts)
    if Signature.INVALID in found:
        return Signature.INVALID
    return Signature.VALID if found == {Signature.VALID} else Signature.UNVERIFIABLE


def _belonging(records: Sequence[SignedRecord], expected: Expected, reasons: list[Code]) -> Sequence[SignedRecord]:
    """The records in the order in which the meter made them, after asking whether they are of one transaction."""
    for told, code in (
        ({one.meter_serial for one in records}, Code.METER_DIFFERS),
        ({one.gateway_serial for one in records}, Code.METER_DIFFERS),
        ({one.charge_point for one in records}, Code.CHARGE_POINT_DIFFERS),
        ({one.session for one in records}, Code.SESSION_DIFFERS),
        # Who charges may become known only while the transaction runs.
        ({one.user for one in records if one.user}, Code.USER_DIFFERS),
    ):
        if len(told) > 1:
            reasons.append(code)
    if not any(one.meter_serial or one.gateway_serial for one in records):
        reasons.append(Code.METER_MISSING)
    if any(one.page_counter not in {None, "T"} for one in records):
        reasons.append(Code.NOT_OF_A_TRANSACTION)
    _expect(records, expected, reasons)
    return _by_page(records, reasons)


def _expect(records: Sequence[SignedRecord], expected: Expected, reasons: list[Code]) -> None:
    wanted = _plain(expected.meter_serial)
    if wanted and any(wanted not in {_plain(one.meter_serial), _plain(one.gateway_serial)} for one in records):
        reasons.append(Code.METER_UNEXPECTED)
    if expected.user and any(one.user and _plain(one.user) != _plain(expected.user) for one in records):
        reasons.append(Code.USER_DIFFERS)
    if expected.session and any(one.session and one.session != expected.session for one in records):
        reasons.append(Code.SESSION_DIFFERS)
    if expected.after_page is not None and any(
        one.page is not None and one.page <= expected.after_page for one in records
    ):
        reasons.append(Code.RECORD_REPLAYED)


def _plain(text: str | None) -> str:
    return (text or "").strip().casefold()


def _by_page(records: Sequence[SignedRecord], reasons: list[Code]) -> Sequence[SignedRecord]:
    """Page numbers rise from record to record. Another order is good where each record is labelled with its place."""
    if len(records) < 2:
        return records
    if len({one.signed for one in records}) < len(records):
        reasons.append(Code.RECORD_REPLAYED)
    if len({one.page_counter for one in records}) > 1:
        reasons.append(Code.PAGINATION_DIFFERS)
    if any(one.page is None for one in records):
        return records
    ordered = sorted(records, key=lambda one: one.page or 0)
    pages = [one.page or 0 for one in ordered]
    if len(set(pages)) < len(pages):
        reasons.append(Code.PAGINATION_NOT_RISING)
    elif pages != list(range(pages[0], pages[0] + len(pages))):
        reasons.append(Code.PAGINATION_GAP)
    labelled = all(one.context for one in records)
    if ordered != list(records) and not labelled:
        reasons.append(Code.RECORDS_OUT_OF_ORDER)
    return ordered


def _ends(
    records: Sequence[SignedRecord], reasons: list[Code], energy: list[Code]
) -> tuple[Reading | None, Reading | None]:
    """The readings at both ends, of the register that counts."""
    readings = [one for record in records for one in record.readings]
    for record in records:
        _look_at_order(record, reasons)
    if any(one.purpose == "X" for one in readings):
        reasons.append(Code.ERROR_DURING_CHARGING)
    begin, end = _first(readings, BEGINS), _last(readings, ENDS)
    if begin is None or end is None:
        if not any(one.purpose for one in readings):
            reasons.append(Code.NOT_OF_A_TRANSACTION)
        reasons += [code for one, code in ((begin, Code.BEGIN_MISSING), (end, Code.END_MISSING)) if one is None]
        return None, None
    registers = _registers(readings)
    if not registers:
        energy.append(Code.REGISTER_UNKNOWN)
        return begin, end
    chosen = _chosen(registers, readings, energy)
    return _ends_of([one for one in readings if one.register == chosen], reasons, energy)


def _ends_of(own: Sequence[Reading], reasons: list[Code], energy: list[Code]) -> tuple[Reading | None, Reading | None]:
    """The same of one register, in the order in which it was read: exactly one start, then exactly one end."""
    begins = [place for place, one in enumerate(own) if one.purpose in BEGINS]
    ends = [place for place, one in enumerate(own) if one.purpose in ENDS]
    for found, missing, twice in (
        (begins, Code.BEGIN_MISSING, Code.BEGIN_TWICE),
        (ends, Code.END_MISSING, Code.END_TWICE),
    ):
        if len(found) != 1:
            reasons.append(twice if found else missing)
    if any(one.status in _GRAVE for one in own):
        energy.append(Code.METER_STATUS)
    if not begins or not ends:
        return None, None
    if ends[0] < begins[0]:
        reasons.append(Code.READINGS_OUT_OF_ORDER)
    return own[begins[0]], own[ends[-1]]


def _look_at_order(record: SignedRecord, reasons: list[Code]) -> None:
    """Whether a record is what it was delivered as."""
    purposes = {one.purpose for one in record.readings if one.purpose}
    begins, ends = bool(purposes & BEGINS), bool(purposes & ENDS)
    context = (record.context or "").strip().lower()
    if (context == "transaction.begin" and ends and not begins) or (
        context == "transaction.end" and begins and not ends
    ):
        reasons.append(Code.CONTEXT_DIFFERS)


def _first(readings: Sequence[Reading], purposes: frozenset[str]) -> Reading | None:
    return next((one for one in readings if one.purpose in purposes), None)


def _last(readings: Sequence[Reading], purposes: frozenset[str]) -> Reading | None:
    return next((one for one in reversed(readings) if one.purpose in purposes), None)


def _groups(register: str) -> tuple[str, str, str, str]:
    """A, C, D and E of an OBIS code."""
    head, _, tail = register.partition(":")
    c, d, e = tail.partition("*")[0].split(".")
    return head.partition("-")[0], c, d, e


def _registers(readings: Sequence[Reading]) -> list[str]:
    """The registers of energy to the vehicle, the best first."""
    found = {}
    for one in readings:
        if one.register is None:
            continue
        medium, c, d, e = _groups(one.register)
        if medium == "1" and c in _DELIVERED and d == _INTEGRAL:
            found[one.register] = (c not in _COMPENSATED, e != "0")
    return sorted(found, key=lambda one: found[one])


def _chosen(registers: list[str], readings: Sequence[Reading], energy: list[Code]) -> str:
    """The register that counts: the best that tells both ends. Others as good as it must tell the same."""
    whole = {}
    for register in registers:
        own = [one for one in readings if one.register == register]
        begin, end = _first(own, BEGINS), _last(own, ENDS)
        if begin is not None and end is not None:
            known = begin.watt_hours is not None and end.watt_hours is not None
            whole[register] = end.watt_hours - begin.watt_hours if known else None  # type: ignore[operator]  # known says so
    if not whole:
        return registers[0]
    best = next(iter(whole))
    rank = (_groups(best)[1] not in _COMPENSATED, _groups(best)[3] != "0")
    for other, told in whole.items():
        if (_groups(other)[1] not in _COMPENSATED, _groups(other)[3] != "0") == rank and told != whole[best]:
            energy.append(Code.REGISTER_AMBIGUOUS)
    return best


def _energy(records: Sequence[SignedRecord], begin: Reading, end: Reading, energy: list[Code]) -> int | None:
    """The energy between both ends in milliwatt-hours; what is less than one is not counted."""
    for one in (begin, end):
        if one.unit is None:
            energy.append(Code.UNIT_UNKNOWN)
        elif one.watt_hours is None or one.watt_hours < 0:
            energy.append(Code.VALUE_UNREADABLE)
        if one.status != "G":
            energy.append(Code.METER_STATUS)
    if begin.unit is not None and end.unit is not None and begin.unit != end.unit:
        energy.append(Code.UNIT_DIFFERS)
    if any("E" in one.errors for record in records for one in record.readings if one.register == begin.register):
        energy.append(Code.ENERGY_ERROR)
    if begin.events is not None and end.events is not None and begin.events != end.events:
        energy.append(Code.EVENTS_BETWEEN)
    if begin.watt_hours is None or end.watt_hours is None:
        return None
    grown = end.watt_hours - begin.watt_hours
    if grown < 0:
        energy.append(Code.REGISTER_FELL)
        return None
    return int((grown * MILLIWATT_HOURS).to_integral_value(ROUND_FLOOR))


def _time(records: Sequence[SignedRecord], begin: Reading, end: Reading, time: list[Code]) -> None:
    """Whether the time between both ends may be billed: a synchronised clock, or a duration that was measured as such."""
    if begin.at is None or end.at is None:
        time.append(Code.TIME_UNREADABLE)
    elif end.at < begin.at:
        time.append(Code.TIME_FELL)
    if any("t" in one.errors for record in records for one in record.readings if one.register == begin.register):
        time.append(Code.TIME_ERROR)
    if begin.clock == SYNCHRONISED and end.clock == SYNCHRONISED:
        return
    if end.clock == RELATIVE and begin.clock in {SYNCHRONISED, RELATIVE, "I"}:
        time.append(Code.DURATION_ONLY)
        return
    time.append(Code.CLOCK_NOT_SYNCHRONISED)


def period_of(verdict: Verdict) -> tuple[Instant | None, Instant | None]:
    """From when to when the records speak."""
    return (
        verdict.begin.at if verdict.begin else None,
        verdict.end.at if verdict.end else None,
    )


def loss_of(verdict: Verdict) -> Decimal | None:
    """The loss of the cable in watt-hours, which is taken off already."""
    return verdict.end.loss_watt_hours if verdict.end else None
