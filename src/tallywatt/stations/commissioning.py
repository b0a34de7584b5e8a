"""Pure: whether a station is configured so that its sessions can be billed: what is wanted is data (`wanted.json`).

What may be wanted of a place is the closed list below; a value that cannot be read is not what is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from tallywatt.stations.configuration import Place
from tallywatt.stations.offline import wanted_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import StationId
    from tallywatt.stations.offline import OfflineRule
    from tallywatt.stations.reports import Variable

TRUE: Final = "true"
ASKED_BY: Final = frozenset({"GetConfiguration", "GetVariables"})
"""Messages by which a station is asked."""
SETTING: Final = frozenset({"ChangeConfiguration", "SetVariables"})
"""Messages by which its values are written."""
TELLING: Final = frozenset({"configurationKey", "unknownKey", "getVariableResult"})
"""Fields of an answer in which it tells; one that has none of them tells nothing."""


class Rule(StrEnum):
    """What may be wanted of a value."""

    IS = "is"
    BETWEEN = "between"
    AT_LEAST = "at_least"
    HAS = "has"
    """A list that holds all of these."""
    WITHIN = "within"
    """A list that holds some of these, and nothing else."""
    NEAR = "near"
    """A time that is no further from ours than so many seconds."""


class Told(StrEnum):
    """How a place stands."""

    GOOD = "good"
    WRONG = "wrong"
    ABSENT = "absent"
    """The station was asked, and does not know the place."""
    UNKNOWN = "unknown"
    """Nobody has told yet."""


class WantedPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a version keeps it."""

    protocols: tuple[str, ...]
    component: str
    name: str
    instance: str = ""

    @property
    def place(self) -> Place:
        """As messages name it."""
        return Place(self.name, self.component, instance=self.instance)


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that billing needs, and why."""

    code: str
    places: tuple[WantedPlace, ...]
    rule: Rule
    wanted: tuple[str, ...]
    set_to: str | None
    is_needed: bool
    """Without it sessions cannot be billed; else it only costs money now and then."""
    may_be_absent: bool
    """A station that does not know the place behaves as is wanted."""
    why: str
    only_by_rule: bool = False
    """Nothing is wanted of it unless an operator has said what a station may do offline."""


@dataclass(frozen=True, slots=True)
class Found:
    """How one of the wanted things stands at a station."""

    wanted: Wanted
    place: Place
    told: Told
    value: str | None
    is_writable: bool | None

    @property
    def stands_in_the_way(self) -> bool:
        """Whether sessions cannot be billed because of it."""
        return self.wanted.is_needed and self.is_off

    @property
    def is_off(self) -> bool:
        """Whether it is not as is wanted."""
        return self.told is Told.WRONG or (self.told is Told.ABSENT and not self.wanted.may_be_absent)


@dataclass(frozen=True, slots=True)
class StationCheck:
    """When a station was last asked how it is configured, and what of it was off then."""

    station_id: StationId
    asked_at: Instant
    """Machine time."""
    answered_at: Instant | None
    set_at: Instant | None
    """When values were last written by ourselves: once after each question, so that nothing goes round in circles."""
    off: tuple[str, ...]
    """Codes of what was not as is wanted."""
    next_at: Instant | None = None
    """When it is to be asked again by itself; None: nobody has planned that yet."""
    is_billable: bool | None = None
    """How it stood when that was last settled: answered, and nothing of ours on its way to set it right."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class CommissioningRule:
    """Whether values are written by ourselves: at one station, or (scope empty) wherever nothing else is said."""

    scope: str
    sets_values: bool
    changed_at: Instant
    version: int = 1


@cache
def all_wanted() -> tuple[Wanted, ...]:
    """Everything that is wanted of any station."""
    text = files("tallywatt.stations").joinpath("wanted.json").read_bytes()
    return tuple(msgspec.json.decode(text, type=list[Wanted]))


@cache
def wanted_of(protocol: str) -> tuple[tuple[Wanted, Place], ...]:
    """What is wanted of a station of this version, and where it keeps it."""
    return tuple((row, place.place) for row in all_wanted() for place in row.places if protocol in place.protocols)


def judge(
    protocol: str | None,
    variables: Iterable[Variable],
    answered_at: Instant | None,
    offline: OfflineRule | None = None,
) -> tuple[Found, ...]:
    """How everything that is wanted stands, by what the station has told, and by what it may do offline."""
    known = {_key(one.component, one.name, one.instance): one for one in variables if one.attribute == "Actual"}
    found = []
    for usual, place in wanted_of(protocol or ""):
        wanted = _by_rule(usual, offline)
        if wanted is None:
            continue
        one = known.get(_key(place.component, place.name, place.instance))
        if one is None:
            told = Told.UNKNOWN if answered_at is None else Told.ABSENT
            found.append(Found(wanted, place, told, None, None))
            continue
        fits = one.value is not None and _fits(wanted, one.value, one.told_at)
        found.append(Found(wanted, place, Told.GOOD if fits else Told.WRONG, one.value, one.is_writable))
    return tuple(found)


def _by_rule(usual: Wanted, offline: OfflineRule | None) -> Wanted | None:
    """What is wanted of it where an operator has said what a station may do offline; what is risked knowingly is billable."""
    value = None if offline is None else wanted_value(offline, usual.code)
    if value is None:
        return None if usual.only_by_rule else usual
    needed = usual.is_needed and (value,) == usual.wanted
    return msgspec.structs.replace(usual, wanted=(value,), set_to=value, is_needed=needed)


def is_billable(found: Sequence[Found]) -> bool | None:
    """Whether sessions can be billed as far as the configuration goes; None: it is not known yet."""
    if any(one.stands_in_the_way for one in found):
        return False
    unknown = not found or any(one.told is Told.UNKNOWN and one.wanted.is_needed for one in found)
    return None if unknown else True


def better(found: Found) -> str | None:
    """The value that would be right; None: only somebody at the station can change that."""
    if found.told is not Told.WRONG or found.is_writable is False:
        return None
    if found.wanted.rule is Rule.HAS:
        told = _words(found.value or "")
        have = {one.casefold() for one in told}
        return ",".join([*told, *(one for one in found.wanted.wanted if one.casefold() not in have)])
    return found.wanted.set_to


def _key(component: str, name: str, instance: str) -> tuple[str, str, str]:
    # Stations do not agree on upper and lower case.
    return component.casefold(), name.casefold(), instance.casefold()


def _fits(wanted: Wanted, value: str, told_at: Instant) -> bool:
    match wanted.rule:
        case Rule.IS:
            return _same(value, wanted.wanted[0])
        case Rule.BETWEEN:
            number = _number(value)
            low, high = (Decimal(one) for one in wanted.wanted)
            return number is not None and low <= number <= high
        case Rule.AT_LEAST:
            number = _number(value)
            return number is not None and number >= Decimal(wanted.wanted[0])
        case Rule.HAS:
            return {one.casefold() for one in wanted.wanted} <= {one.casefold() for one in _words(value)}
        case Rule.WITHIN:
            words = {one.casefold() for one in _words(value)}
            return bool(words) and words <= {one.casefold() for one in wanted.wanted}
        case Rule.NEAR:
            return _is_near(value, told_at, int(wanted.wanted[0]))


def _same(value: str, wanted: str) -> bool:
    told = value.strip().casefold()
    number = _number(told)
    if number is not None and wanted in {TRUE, "false"}:
        return number == (1 if wanted == TRUE else 0)
    return told == wanted or (number is not None and number == _number(wanted))


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _words(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _is_near(value: str, told_at: Instant, seconds: int) -> bool:
    try:
        told = datetime.fromisoformat(value.strip())
    except ValueError:
        return False
    at = told if told.tzinfo is not None else told.replace(tzinfo=UTC)
    return abs(at.timestamp() * 1000 - told_at) <= seconds * 1000
