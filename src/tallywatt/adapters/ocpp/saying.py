"""Pure: how a station's answer to a command of ours is understood, whatever its version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.adapters.ocpp.reading import NOT_STRICT
from tallywatt.stations.messages import says_yes
from tallywatt.workflows.ports import LinkAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST_NUMBER = 2**31 - 1

NOT_CONNECTED = LinkAnswer("not_connected")
NO_ANSWER = LinkAnswer("no_answer")


class Unspeakable(ValueError):
    """This version has no words for the command, or the command lacks what its words need."""


_object_of = msgspec.json.Decoder(dict[str, Any]).decode
_NO_MORE_THAN_A_STATUS = frozenset({"status", "statusInfo"})


def answer_of(payload: msgspec.Raw, action: str = "", *, may_be_bare: bool = False) -> LinkAnswer:
    """What a CALLRESULT means; one that cannot be read leaves open whether the station will do it.

    Some messages are answered with what was asked for instead of a status: to have answered is to have done it. `may_be_bare`:
    an empty answer is one.
    """
    try:
        told = _object_of(payload)
    except NOT_STRICT:
        return LinkAnswer("no_answer", "its answer cannot be read")
    status, more = told.get("status"), told.keys() - _NO_MORE_THAN_A_STATUS
    if status is None and more:
        return _of_each(told, action)
    if status is None and may_be_bare:
        return LinkAnswer("accepted")
    if not isinstance(status, str):
        return LinkAnswer("no_answer", "its answer cannot be read")
    return LinkAnswer("accepted" if says_yes(action, status) else "rejected", status[:64], told if more else None)


def _of_each(told: dict[str, Any], action: str) -> LinkAnswer:
    """An answer that judges each of several things apart. What was to be changed must be taken whole; of what was asked for,
    something is enough.
    """
    words = [
        str(one.get("attributeStatus") or one.get("status"))
        for name, value in told.items()
        if name.endswith("Result") and isinstance(value, list)
        for one in value
        if isinstance(one, dict) and ("attributeStatus" in one or "status" in one)
    ]
    bad = [word for word in words if not says_yes(action, word)]
    if not bad:
        return LinkAnswer("accepted", "RebootRequired" if "RebootRequired" in words else None, told)
    detail = bad[0][:64] if len(words) == 1 else f"{len(bad)} of {len(words)} refused: {bad[0]}"[:64]
    is_enough = action.startswith("Get") and len(bad) < len(words)
    return LinkAnswer("accepted" if is_enough else "rejected", detail, told)


def refused(code: str) -> LinkAnswer:
    """What a CALLERROR means: the station has not done it."""
    return LinkAnswer("rejected", code[:64])


def number_of(value: Any) -> int | None:
    """A transaction number of 1.6, from whatever carries it."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number <= _LARGEST_NUMBER else None


def of_evse(payload: Mapping[str, Any]) -> int | None:
    """The number of the EVSE that a command is for; None: the whole station, or any.

    What 1.6 calls a connector is an EVSE: without `evse_number` the connector names it.
    """
    value = payload.get("evse_number", payload.get("connector"))
    return None if value is None else int(value)


def message_of(payload: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A message by its own name, as whoever asked for it wrote it."""
    name, told = payload.get("name"), payload.get("content", {})
    if not isinstance(name, str) or not isinstance(told, dict):
        msg = "a message needs its name and an object as its content"
        raise Unspeakable(msg)
    return name, told
