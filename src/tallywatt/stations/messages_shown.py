"""Pure: texts on a station's display (OCPP 2.x): how it is asked to show one, and which ones it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import parse_instant, rfc3339
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.messages import OLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.stations.command import Asked

SET: Final = "SetDisplayMessage"
CLEAR: Final = "ClearDisplayMessage"
LIST: Final = "GetDisplayMessages"
ABOUT_DISPLAYS: Final = (SET, CLEAR, LIST)
PRIORITIES: Final = ("NormalCycle", "InFront", "AlwaysFront")
STATES: Final = ("", "Idle", "Charging", "Faulted", "Unavailable")
"""While the station is so; empty: always."""
LONGEST_TEXT: Final = 512
LARGEST_NUMBER: Final = 2**31 - 1
_GOOD: Final = frozenset({"completed", "accepted"})


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a station is to show, from now or later on, until a moment or until it is cleared."""

    number: int
    text: str
    priority: str = PRIORITIES[0]
    state: str = ""
    language: str = ""
    begins: Instant | None = None
    ends: Instant | None = None


def showing(protocol: str | None, wanted: Text) -> tuple[str, dict[str, Any]]:
    """The message that asks for it."""
    if protocol == OLD:
        msg = "OCPP 1.6 has no messages for displays"
        raise BadInput(msg, code="displays.not_in_version", remedy="it needs OCPP 2.0.1 or 2.1")
    text = wanted.text.strip()
    if not 0 < len(text) <= LONGEST_TEXT:
        msg = f"a display takes 1 to {LONGEST_TEXT} characters"
        raise BadInput(msg, code="displays.bad_text")
    if wanted.priority not in PRIORITIES or wanted.state not in STATES or not 0 <= wanted.number <= LARGEST_NUMBER:
        msg = "this is no message that a display knows"
        raise BadInput(msg, code="displays.bad_message")
    if wanted.ends is not None and wanted.begins is not None and wanted.ends <= wanted.begins:
        msg = "it would end before it begins"
        raise BadInput(msg, code="displays.bad_time")
    words = {"format": "UTF8", "content": text}
    if wanted.language.strip():
        words["language"] = wanted.language.strip()[:8]
    told: dict[str, Any] = {"id": wanted.number, "priority": wanted.priority, "message": words}
    if wanted.state:
        told["state"] = wanted.state
    if wanted.begins is not None:
        told["startDateTime"] = rfc3339(wanted.begins)
    if wanted.ends is not None:
        told["endDateTime"] = rfc3339(wanted.ends)
    return SET, {"message": told}


def clearing(number: int) -> tuple[str, dict[str, Any]]:
    """The message that takes one away."""
    return CLEAR, {"id": number}


def asking() -> tuple[str, dict[str, Any]]:
    """The message that asks which ones there are."""
    return LIST, {}


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that a station has, as far as it was told or tells."""

    number: int
    text: str
    priority: str
    state: str
    begins: Instant | None
    ends: Instant | None
    command_id: str | None


def texts_of(asked: Iterable[Asked], told: Iterable[Shown], told_at: Instant | None, now: Instant) -> list[Shown]:
    """What a station has: what it told itself, and what it has said yes to since. `asked`: oldest first."""
    held = {one.number: one for one in told}
    for one in asked:
        if one.state not in _GOOD or (told_at is not None and one.ended_at <= told_at):
            continue
        if one.name == SET:
            shown = shown_in(one.content.get("message"), one.command_id)
            held |= {} if shown is None else {shown.number: shown}
        elif one.name == CLEAR and isinstance(number := one.content.get("id"), int):
            held.pop(number, None)
    return sorted(
        (one for one in held.values() if one.ends is None or one.ends > now), key=lambda one: (one.priority, one.number)
    )


def with_told(parts: Iterable[Mapping[str, Any]]) -> list[Shown]:
    """The texts of the parts of a report (NotifyDisplayMessages)."""
    found: dict[int, Shown] = {}
    for part in parts:
        given = part.get("messageInfo")
        for one in given if isinstance(given, list) else []:
            shown = shown_in(one, None)
            if shown is not None:
                found[shown.number] = shown
    return list(found.values())


def shown_in(given: Any, command_id: str | None) -> Shown | None:
    """A text in the words of OCPP, ours or a station's; None: it cannot be read."""
    if not isinstance(given, dict) or not isinstance(words := given.get("message"), dict):
        return None
    number = given.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= LARGEST_NUMBER:
        return None
    return Shown(
        number,
        str(words.get("content", ""))[: 2 * LONGEST_TEXT],
        str(given.get("priority", ""))[:20],
        str(given.get("state", ""))[:20],
        _moment(given.get("startDateTime")),
        _moment(given.get("endDateTime")),
        command_id,
    )


def _moment(value: Any) -> Instant | None:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except (BadInput, OverflowError):
        return None
