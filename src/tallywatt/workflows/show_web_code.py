"""A code that changes on the station's display: switched on, checked when a driver scans it, used up by paying."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.stations.command import Action
from tallywatt.stations.web_code import (
    LONGEST_CODE,
    LONGEST_SECONDS,
    SHORTEST_CODE,
    SHORTEST_SECONDS,
    WebCode,
    message_to_station,
    window_of,
)
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

KIND: Final = "web_code"
"""The class of the operator's key from which the secrets are worked out."""
PARTS: Final = 4
DAY_SECONDS: Final = 24 * 3600
AGAIN: Final = "scan the code on the station's display again"


@dataclass(frozen=True, slots=True)
class SetWebCode:
    """Which EVSE shows codes, and how they are made. Asked for again it gets another secret."""

    evse_code: str
    url: str
    """Where the page of the EVSE is; the station puts the code into it."""
    validity_seconds: int = 60
    length: int = 12


@dataclass(frozen=True, slots=True)
class WebCodeSet:
    """What the station is told."""

    evse_code: str
    secret: str
    url_template: str
    validity_seconds: int
    length: int


def set_web_code(work: UnitOfWork, command: SetWebCode) -> WebCodeSet:
    """Switch codes on, and tell the station. From then on nothing is paid at this EVSE without one."""
    evse = work.evses.one_by(code=command.evse_code)
    if evse is None:
        msg = f"there is no EVSE {command.evse_code}"
        raise NotFound(msg, code="evses.not_found")
    if not SHORTEST_SECONDS <= command.validity_seconds <= LONGEST_SECONDS:
        msg = f"a code is valid for {SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds"
        raise BadInput(msg, code="evses.bad_code_validity")
    if not SHORTEST_CODE <= command.length <= LONGEST_CODE:
        msg = f"a code has {SHORTEST_CODE} to {LONGEST_CODE} characters"
        raise BadInput(msg, code="evses.bad_code_length")
    known = work.web_codes.find(evse.evse_id)
    if known is None:
        row = WebCode(evse.evse_id, 1, command.validity_seconds, command.length, 0, work.now)
        work.web_codes.add(row)
    else:
        held = work.web_codes.lock(evse.evse_id)
        row = work.web_codes.put(
            replace(
                held,
                generation=held.generation + 1,
                validity_seconds=command.validity_seconds,
                length=command.length,
                last_window=0,
            )
        )
    told = WebCodeSet(
        evse.code, secret_of(work, row), f"{command.url}?totp={{totp}}", command.validity_seconds, command.length
    )
    message = message_to_station(told.secret, told.url_template, row, evse.number)
    # It may be away: the order waits for it.
    command_station(
        work,
        CommandStation(evse.station_id, Action.MESSAGE, message, evse_id=evse.evse_id, deadline_seconds=DAY_SECONDS),
    )
    record_action(work, "evse.set_web_code", "evse", evse.evse_id, after={"generation": row.generation})
    return told


def secret_of(work: UnitOfWork, how: WebCode) -> str:
    """The secret that the station shares with us."""
    return "".join(work.vault.name_of(KIND, f"{how.evse_id}/{how.generation}/{part}") for part in range(PARTS))


@dataclass(frozen=True, slots=True)
class CheckWebCode:
    """A driver has opened the page of an EVSE; the code is what the station's display has put into the address."""

    evse_code: str
    code: str | None


def check_web_code(work: UnitOfWork, command: CheckWebCode) -> int | None:
    """The window of a good code; None where the EVSE shows none. BadInput for one that is old, used, or of another EVSE."""
    evse = work.evses.one_by(code=command.evse_code)
    how = None if evse is None else work.web_codes.find(evse.evse_id)
    if how is None:
        return None
    if not command.code:
        msg = "this charging point shows a code on its display, and the address lacks it"
        raise BadInput(msg, code="evses.code_missing", remedy=AGAIN)
    window = window_of(command.code, secret_of(work, how), how, work.machine_now)
    if window is None:
        msg = "this code is too old, or of another charging point"
        raise BadInput(msg, code="evses.code_expired", remedy=AGAIN)
    if window <= how.last_window:
        msg = "this code was used already"
        raise BadInput(msg, code="evses.code_used", remedy=AGAIN)
    return window


def use_web_code(work: UnitOfWork, evse_id: str, window: int | None) -> None:
    """A driver pays with the code of that window: from now on it pays nothing more. In the transaction of the payment."""
    if work.web_codes.find(evse_id) is None:
        return
    how = work.web_codes.lock(evse_id)
    if window is None:
        msg = "this charging point shows a code on its display, and nothing is paid without it"
        raise BadInput(msg, code="evses.code_missing", remedy=AGAIN)
    if window <= how.last_window:
        msg = "this code was used already"
        raise BadInput(msg, code="evses.code_used", remedy=AGAIN)
    work.web_codes.put(replace(how, last_window=window))
