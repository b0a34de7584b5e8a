"""Pure: the list of tokens that a station knows by heart, and the messages that bring it in step, in every version.

What a station has is remembered as digests by the token's id: nothing in it tells who charges. A token whose number is not
known any more (it was erased) cannot be taken out by a difference; then the whole list is sent anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.identity import natural_key
from tallywatt.stations.messages import OLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import StationId
    from tallywatt.stations.reports import Variable

SEND: Final = "SendLocalList"
ASK_NUMBER: Final = "GetLocalListVersion"
NO_LIST: Final = -1
"""What a station of OCPP 1.6 says that has no list."""
USUAL_BATCH: Final = 20
"""Entries of a message to a station that does not say how many it takes."""
MOST_TRIES: Final = 3
"""Whole lists that a station refuses one after the other before it is left alone."""
LARGEST: Final = 2**31
LONGEST_OLD: Final = 20
LONGEST_NEW: Final = 36
_DIGEST: Final = 16
COMPONENT: Final = "LocalAuthListCtrlr"


class ListState(StrEnum):
    """How a station's list stands."""

    WAITING = "waiting"
    """Something has to be sent, or is on its way."""
    IN_STEP = "in_step"
    UNSUPPORTED = "unsupported"
    """The station has no such list, or it is switched off there."""
    FAILED = "failed"
    """It refused the whole list several times; the next change of a token tries again."""


@dataclass(frozen=True, slots=True)
class ListRule:
    """Whether lists are kept in step: at one station (`scope` is its id), or wherever nothing else is said ("")."""

    scope: str
    is_on: bool
    changed_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class LocalList:
    """What a station has, as far as it has said yes."""

    station_id: StationId
    number: int
    """Version of the list, as it was last sent."""
    sent: dict[str, Any]
    """By token id: a digest of its number, and one of the rest."""
    is_known: bool
    """False: what the station has is uncertain, so the next message is a whole list."""
    command_id: str | None
    """The message that is on its way."""
    pending: dict[str, Any]
    """What the station has once it has said yes to that."""
    state: ListState
    tries: int
    entries: int
    changed_at: Instant
    told_number: int | None = None
    """The version that the station itself last named."""
    told_at: Instant | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A token as a station is told it."""

    token_id: str
    uid: str
    status: str
    """Accepted or Blocked."""
    group: str | None = None
    valid_until: Instant | None = None

    @property
    def digest(self) -> str:
        """Of the number, then of the rest."""
        return f"{_short(self.uid)}.{_short(self.status, self.group, self.valid_until)}"


@dataclass(frozen=True, slots=True)
class Step:
    """One message, and what the station has once it has said yes."""

    is_full: bool
    entries: tuple[Entry, ...]
    removed: tuple[str, ...]
    """Numbers of tokens that are to be forgotten."""
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a station says of its list."""

    is_on: bool | None
    """None: it has not told."""
    batch: int
    most: int | None


def _short(*parts: object) -> str:
    return natural_key("local list", *parts)[:_DIGEST]


def next_step(
    sent: Mapping[str, Any], is_known: bool, active: list[Entry], others: Mapping[str, Entry], capacity: Capacity
) -> Step | None:
    """The next message that brings a list in step, or None. `others`: tokens that start nothing (any more), by id."""
    wanted = {one.token_id: one for one in active[: capacity.most]}
    lost = is_known and any(_is_lost(token_id, digest, wanted, others) for token_id, digest in sent.items())
    if not is_known or lost:
        first = tuple(wanted.values())[: capacity.batch]
        return Step(True, first, (), {one.token_id: one.digest for one in first})
    changed: list[Entry] = []
    removed: list[tuple[str, str]] = []
    for token_id, digest in sent.items():
        other = others.get(token_id)
        if token_id in wanted:
            if wanted[token_id].digest != digest:
                changed.append(wanted[token_id])
        elif other is not None and other.status == "Blocked":
            # It stays on the list, so that the station refuses it also while it has no line.
            if other.digest != digest:
                changed.append(other)
        elif other is not None:
            removed.append((token_id, other.uid))
    changed += [one for token_id, one in wanted.items() if token_id not in sent]
    if not changed and not removed:
        return None
    out = removed[: capacity.batch]
    told = changed[: capacity.batch - len(out)]
    after = {token_id: digest for token_id, digest in sent.items() if token_id not in {one for one, _ in out}}
    after |= {one.token_id: one.digest for one in told}
    return Step(False, tuple(told), tuple(uid for _, uid in out), after)


def _is_lost(token_id: str, digest: str, wanted: Mapping[str, Entry], others: Mapping[str, Entry]) -> bool:
    """Whether the number under which the station knows a token is not known any more."""
    now = wanted.get(token_id) or others.get(token_id)
    return now is None or now.digest.partition(".")[0] != digest.partition(".")[0]


def said(protocol: str | None, step: Step, number: int) -> dict[str, Any]:
    """The content of SendLocalList."""
    is_old = protocol == OLD
    entries = [(_old if is_old else _new)(one) for one in step.entries]
    entries += [{"idTag": uid} if is_old else {"idToken": _token(uid)} for uid in step.removed]
    told: dict[str, Any] = {
        "listVersion" if is_old else "versionNumber": number,
        "updateType": "Full" if step.is_full else "Differential",
    }
    return {**told, "localAuthorizationList": entries} if entries else told


def _old(one: Entry) -> dict[str, Any]:
    about: dict[str, Any] = {"status": one.status}
    if one.group is not None and len(one.group) <= LONGEST_OLD:
        about["parentIdTag"] = one.group
    if one.valid_until is not None:
        about["expiryDate"] = rfc3339(one.valid_until)
    return {"idTag": one.uid, "idTagInfo": about}


def _new(one: Entry) -> dict[str, Any]:
    about: dict[str, Any] = {"status": one.status}
    if one.group is not None and len(one.group) <= LONGEST_NEW:
        about["groupIdToken"] = {"idToken": one.group, "type": "Central"}
    if one.valid_until is not None:
        about["cacheExpiryDateTime"] = rfc3339(one.valid_until)
    return {"idToken": _token(one.uid), "idTokenInfo": about}


def _token(uid: str) -> dict[str, str]:
    return {"idToken": uid, "type": "ISO14443"}


def fits(protocol: str | None, uid: str) -> bool:
    """Whether this version has room for the token's number."""
    return 0 < len(uid) <= (LONGEST_OLD if protocol == OLD else LONGEST_NEW)


def capacity_of(protocol: str | None, variables: Iterable[Variable]) -> Capacity:
    """What a station has told of its list."""
    is_old = protocol == OLD
    told = {one.name: one.value for one in variables if is_old or one.component == COMPONENT}
    on = told.get("LocalAuthListEnabled" if is_old else "Enabled")
    if not is_old and (told.get("Available") or "").lower() == "false":
        on = "false"
    batch = _number(told.get("SendLocalListMaxLength" if is_old else "ItemsPerMessage"))
    most = _number(told.get("LocalAuthListMaxLength")) if is_old else None
    return Capacity(None if on is None else on.strip().lower() == "true", batch or USUAL_BATCH, most)


def number_told(protocol: str | None, told: Mapping[str, Any]) -> int | None:
    """The version of its list that a station names; None: it names none."""
    number = told.get("listVersion" if protocol == OLD else "versionNumber")
    return number if isinstance(number, int) and not isinstance(number, bool) and abs(number) < LARGEST else None


def _number(text: str | None) -> int | None:
    # A station may say anything: what is no small number says nothing.
    return int(text) if text is not None and text.isascii() and text.isdigit() and int(text[:9]) > 0 else None


def asking(protocol: str | None) -> tuple[str, dict[str, Any]]:
    """The message that asks a station for what `capacity_of` reads."""
    if protocol == OLD:
        return "GetConfiguration", {"key": ["LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength"]}
    names = ("Enabled", "Available", "ItemsPerMessage")
    data = [{"component": {"name": COMPONENT}, "variable": {"name": name}} for name in names]
    return "GetVariables", {"getVariableData": data}
