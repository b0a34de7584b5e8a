"""Pure: limits of a station's power: how every version is asked to keep one, what it has been told, what it will do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant, parse_instant, rfc3339
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.display import number
from tallywatt.stations.messages import OLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.stations.command import Asked

SET: Final = "SetChargingProfile"
CLEAR: Final = "ClearChargingProfile"
SCHEDULE: Final = "GetCompositeSchedule"
LIST: Final = "GetChargingProfiles"
ABOUT_POWER: Final = (SET, CLEAR, SCHEDULE, LIST)
OF_STATION: Final = 8400
OF_EVSE: Final = 8500
"""With the EVSE's number: a new limit of one place takes the place of the one before."""
MOST: Final = {"W": Decimal(10_000_000), "A": Decimal(10_000)}
LONGEST_MINUTES: Final = 60 * 24 * 31
_DEFAULT: Final = "TxDefaultProfile"
_GOOD: Final = frozenset({"completed", "accepted"})


class Unit(StrEnum):
    """In what a limit is said: kilowatts or amperes of each phase."""

    KW = "kW"
    A = "A"


@dataclass(frozen=True, slots=True)
class Limit:
    """No more than this, at one EVSE or at the station as a whole (None), for a time or until it is cleared (None)."""

    evse_number: int | None
    amount: Decimal
    unit: Unit
    since: Instant
    minutes: int | None


def limiting(protocol: str | None, wanted: Limit) -> tuple[str, dict[str, Any]]:
    """The message that asks for a limit. Another one of the same place is replaced by it."""
    code, amount = ("W", wanted.amount * 1000) if wanted.unit is Unit.KW else ("A", wanted.amount)
    amount = round(amount, 1)
    if not 0 <= amount <= MOST[code]:
        msg = "this is no limit that a station can keep"
        raise BadInput(msg, code="charging.bad_limit", remedy="0 to 10,000 kW, or 0 to 10,000 A")
    if wanted.minutes is not None and not 1 <= wanted.minutes <= LONGEST_MINUTES:
        msg = f"a limit holds for 1 to {LONGEST_MINUTES} minutes, or until it is cleared"
        raise BadInput(msg, code="charging.bad_time")
    is_old, is_whole = protocol == OLD, wanted.evse_number is None
    profile_number = OF_STATION if wanted.evse_number is None else OF_EVSE + wanted.evse_number
    schedule: dict[str, Any] = {
        "startSchedule": rfc3339(wanted.since),
        "chargingRateUnit": code,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": number(amount)}],
    }
    profile: dict[str, Any] = {
        "chargingProfileId" if is_old else "id": profile_number,
        "stackLevel": 0,
        "chargingProfilePurpose": _whole_station(is_old=is_old) if is_whole else _DEFAULT,
        "chargingProfileKind": "Absolute",
    }
    if wanted.minutes is not None:
        schedule["duration"] = wanted.minutes * 60
        profile["validTo"] = rfc3339(Instant(wanted.since + wanted.minutes * 60_000))
    profile["chargingSchedule"] = schedule if is_old else [{"id": profile_number, **schedule}]
    place = wanted.evse_number or 0
    if is_old:
        return SET, {"connectorId": place, "csChargingProfiles": profile}
    return SET, {"evseId": place, "chargingProfile": profile}


def _whole_station(*, is_old: bool) -> str:
    return "ChargePointMaxProfile" if is_old else "ChargingStationMaxProfile"


def clearing(protocol: str | None, profile_number: int | None) -> tuple[str, dict[str, Any]]:
    """The message that clears one profile, or (None) all of them."""
    if profile_number is None:
        # 2.x wants a number or a criterion, and an empty criterion fits every profile.
        return CLEAR, {} if protocol == OLD else {"chargingProfileCriteria": {}}
    return CLEAR, {"id" if protocol == OLD else "chargingProfileId": profile_number}


def asking_schedule(protocol: str | None, evse_number: int, minutes: int, unit: Unit) -> tuple[str, dict[str, Any]]:
    """The message that asks what all profiles together come to."""
    if not 1 <= minutes <= LONGEST_MINUTES:
        msg = f"a schedule is asked for 1 to {LONGEST_MINUTES} minutes"
        raise BadInput(msg, code="charging.bad_time")
    code = "W" if unit is Unit.KW else "A"
    place = "connectorId" if protocol == OLD else "evseId"
    return SCHEDULE, {place: evse_number, "duration": minutes * 60, "chargingRateUnit": code}


def asking_profiles() -> tuple[str, dict[str, Any]]:
    """The message that asks a station of 2.x for all its profiles."""
    return LIST, {"chargingProfile": {}}


# --- what is there ---


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that a station has, as far as it was told or tells."""

    number: int
    purpose: str
    evse_number: int
    """0: the station as a whole."""
    limit: Decimal | None
    """Of the first period."""
    unit: str
    periods: int
    until: Instant | None
    source: str | None
    """Who set it, in the station's own word; None: this house."""
    command_id: str | None

    @property
    def slot(self) -> tuple[str, int]:
        """What another profile of the same kind at the same place replaces."""
        return self.purpose, self.evse_number


def profiles_of(
    asked: Iterable[Asked], told: Iterable[Profile], told_at: Instant | None, now: Instant
) -> list[Profile]:
    """What a station has: what it told itself, and what it has said yes to since. `asked`: oldest first."""
    held = {one.number: one for one in told}
    for one in asked:
        if one.state not in _GOOD or (told_at is not None and one.ended_at <= told_at):
            continue
        if one.name == SET:
            for profile in profiles_in(one.content, None, one.command_id):
                held = {
                    key: each
                    for key, each in held.items()
                    if profile.purpose == "TxProfile" or each.slot != profile.slot
                }
                held[profile.number] = profile
        elif one.name == CLEAR:
            held = {key: each for key, each in held.items() if not _clears(one.content, each)}
    # One of a transaction ends with it: nobody can say whether it is still there.
    alive = [one for one in held.values() if one.purpose != "TxProfile" or told_at is not None]
    return sorted(
        (one for one in alive if one.until is None or one.until > now), key=lambda one: (one.evse_number, one.number)
    )


def _clears(content: Mapping[str, Any], held: Profile) -> bool:
    named = content.get("id", content.get("chargingProfileId"))
    if named is not None:
        return bool(named == held.number)
    criteria = content.get("chargingProfileCriteria")
    given = criteria if isinstance(criteria, dict) else content
    purpose = given.get("chargingProfilePurpose")
    place = given.get("evseId", given.get("connectorId"))
    return purpose in {None, held.purpose} and place in {None, held.evse_number}


def profiles_in(content: Mapping[str, Any], source: str | None, command_id: str | None) -> list[Profile]:
    """The profiles of a message, ours or a report's; what cannot be read is left out."""
    place = content.get("connectorId", content.get("evseId"))
    given = content.get("csChargingProfiles", content.get("chargingProfile"))
    found = [_profile(one, _whole(place) or 0, source, command_id) for one in _listed(given)]
    return [one for one in found if one is not None]


def _profile(given: Any, place: int, source: str | None, command_id: str | None) -> Profile | None:
    if not isinstance(given, dict):
        return None
    named = _whole(given.get("chargingProfileId", given.get("id")))
    if named is None:
        return None
    schedule = next((one for one in _listed(given.get("chargingSchedule")) if isinstance(one, dict)), {})
    steps = steps_of(schedule, Instant(0))
    return Profile(
        named,
        str(given.get("chargingProfilePurpose", ""))[:50],
        place,
        steps[0].limit if steps else None,
        str(schedule.get("chargingRateUnit", ""))[:2],
        len(steps),
        _moment(given.get("validTo")),
        source,
        command_id,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """From a moment on no more than this."""

    at: Instant
    limit: Decimal
    phases: int | None


@dataclass(frozen=True, slots=True)
class Composite:
    """What all profiles of a place come to, as a station has told it."""

    evse_number: int
    unit: str
    steps: tuple[Step, ...]


def composite_of(answer: Any, asked: Mapping[str, Any], at: Instant) -> Composite | None:
    """What a station answered to GetCompositeSchedule; None: it names no schedule."""
    if not isinstance(answer, dict):
        return None
    given = answer.get("schedule", answer.get("chargingSchedule"))
    if not isinstance(given, dict):
        return None
    begun = answer.get("scheduleStart") or given.get("scheduleStart") or given.get("startSchedule")
    place = _whole(asked.get("connectorId", asked.get("evseId"))) or 0
    return Composite(place, str(given.get("chargingRateUnit", ""))[:2], tuple(steps_of(given, _moment(begun) or at)))


def steps_of(schedule: Mapping[str, Any], begun: Instant) -> list[Step]:
    """The steps of a schedule, in their order."""
    found: list[Step] = []
    for one in _listed(schedule.get("chargingSchedulePeriod")):
        if not isinstance(one, dict):
            continue
        begins, limit = _whole(one.get("startPeriod")), _amount(one.get("limit"))
        if begins is not None and limit is not None:
            found.append(Step(Instant(begun + begins * 1000), limit, _whole(one.get("numberPhases"))))
    return sorted(found, key=lambda step: step.at)


def with_told(given: Iterable[Mapping[str, Any]]) -> list[Profile]:
    """The profiles of the parts of a report (ReportChargingProfiles)."""
    found: dict[int, Profile] = {}
    for part in given:
        source = part.get("chargingLimitSource")
        # CSO is whoever runs the station: this house.
        other = source[:20] if isinstance(source, str) and source != "CSO" else None
        for one in profiles_in(part, other, None):
            found[one.number] = one
    return list(found.values())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


LARGEST: Final = 10**8
"""Of a figure that a station tells: seconds, watts, numbers."""


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST else None


def _amount(value: Any) -> Decimal | None:
    """A figure of a station's: it may come as a number or as a text, and may be anything."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        amount = Decimal(str(value)[:40])
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and 0 <= amount <= LARGEST else None


def _moment(value: Any) -> Instant | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_instant(value)
    except (BadInput, ValueError, OverflowError):
        return None
