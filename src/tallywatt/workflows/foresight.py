"""What a workflow surely asks for: told beforehand, the questions of many commands become one statement.

It is a hint and changes nothing: what was not foreseen, or was not there, is asked for when its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Workflow = TypeVar("Workflow", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Rows of a set whose columns have these values, named in the order in which the workflow will name them."""

    records: str
    columns: tuple[tuple[str, str | int], ...]
    held: bool = False


FORESEEN: dict[Callable[..., Any], Callable[[Any], list[Foreseen]]] = {}
"""By workflow: what its command makes it ask for, in the order in which it asks."""


def foresees(what: Callable[[Any], list[Foreseen]]) -> Callable[[Workflow], Workflow]:
    """Mark a workflow that is run all the time."""

    def mark(workflow: Workflow) -> Workflow:
        FORESEEN[workflow] = what
        return workflow

    return mark


def session_of_transaction(fact: Any) -> list[Foreseen]:
    """The session that a station's fact names by its transaction, held."""
    if fact.transaction_id is None:
        return []
    named = (("station_id", fact.heard.station_id), ("transaction_id", fact.transaction_id))
    return [Foreseen("sessions", named, held=True)]
