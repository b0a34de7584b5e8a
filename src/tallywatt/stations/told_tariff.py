"""Pure: what stations of OCPP 2.1 were told of tariffs, what became of it, and what a station says that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CommandId, SessionId, StationId, TariffVersionId
    from tallywatt.stations.reports import Variable

SET: Final = "SetDefaultTariff"
CHANGE: Final = "ChangeTransactionTariff"
CLEAR: Final = "ClearTariffs"
GET: Final = "GetTariffs"
CONTROLLER: Final = "TariffCostCtrlr"
TARIFF: Final = "Tariff"
ASKED: Final = (("Available", TARIFF), ("Enabled", TARIFF), ("MaxElements", TARIFF), ("ConditionsSupported", TARIFF),
                ("Interval", TARIFF), ("Currency", ""))  # fmt: skip
"""Variables of `TariffCostCtrlr`, with their instances."""
MOST_SILENCES: Final = 3
NO_WORDS: Final = frozenset({"NotSupported", "NotImplemented"})
"""The station does not know the message at all."""
HAS_IT_ALREADY: Final = "DuplicateTariffId"
"""A name is made of what it names: whoever has one of that name has this one."""

NO_SUCH: Final = "NoTariff"
"""Whoever was to forget a tariff, and has none of that name."""


class TariffState(StrEnum):
    """How it stands with one tariff at one station."""

    SENT = "sent"
    """On its way, or on its way out; or nobody answered yet."""
    HELD = "held"
    """The station has said that it counts by it."""
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"
    """The station knows no such message."""
    UNSAID = "unsaid"
    """It cannot be said in OCPP 2.1, or not to this station."""
    NONE = "none"
    """There is none to be told."""
    SILENT = "silent"
    """It was told three times, and nothing was said to it; or it was not there to be told."""


SETTLED: Final = frozenset({TariffState.HELD, TariffState.REFUSED, TariffState.UNSUPPORTED, TariffState.SILENT})


@dataclass(frozen=True, slots=True)
class ToldTariff:
    """What one EVSE, or one session, was told to count by."""

    subject_id: str
    """The EVSE's id, or the session's."""
    station_id: StationId
    evse_number: int | None
    session_id: SessionId | None
    tariff_version_id: TariffVersionId | None
    """The tariff that bills."""
    tariff_id: str | None
    """What it is called at the station, when it has been told one."""
    state: TariffState
    reason: str | None
    """The station's word, or what cannot be said."""
    command_id: CommandId | None
    silences: int
    changed_at: Instant
    """Machine time."""
    older: tuple[str, ...] = ()
    """Names that it may still count by: each was told before, and nothing says that another one has taken its place."""
    named: tuple[str, ...] = ()
    """What the station itself has named as the tariffs of this EVSE, when it was asked last."""
    verified_at: Instant | None = None
    """When it last said that it has this one."""
    is_cleared: bool = False
    """A person has cleared it: it is told none, until it is to be told again."""
    version: int = 1


def is_open(row: ToldTariff) -> bool:
    """Whether an answer is still awaited."""
    return row.state is TariffState.SENT


def abilities(variables: Iterable[Variable]) -> tuple[int | None, bool | None]:
    """How many prices a station takes in a tariff, and whether with conditions; None: it does not say."""
    told = {
        one.name.casefold(): (one.value or "").strip().casefold()
        for one in variables
        if one.component.casefold() == CONTROLLER.casefold()
        and one.instance.casefold() in {TARIFF.casefold(), ""}
        and one.attribute == "Actual"
    }
    most = told.get("maxelements", "")
    takes = {"true": True, "1": True, "false": False, "0": False}.get(told.get("conditionssupported", ""))
    return (int(most) if most.isascii() and most.isdigit() and len(most) <= len("999999") else None), takes


def are_gone(answer: Mapping[str, Any]) -> bool:
    """Whether a station that was to forget tariffs has none of them any more: forgotten, or never there."""
    judged = answer.get("clearTariffsResult")
    words = [one.get("status") for one in judged if isinstance(one, dict)] if isinstance(judged, list) else []
    return bool(words) and all(one in {"Accepted", NO_SUCH} for one in words)


def told_ids(answer: Mapping[str, Any], evse_number: int | None) -> frozenset[str]:
    """The default tariffs that a station names for an EVSE in its answer to `GetTariffs`."""
    assignments = answer.get("tariffAssignments")
    found = set()
    for one in assignments if isinstance(assignments, list) else ():
        if not isinstance(one, dict) or one.get("tariffKind", "DefaultTariff") != "DefaultTariff":
            continue
        evses = one.get("evseIds")
        if not isinstance(evses, list) or not evses or 0 in evses or evse_number in evses:
            found.add(str(one.get("tariffId")))
    return frozenset(found)
