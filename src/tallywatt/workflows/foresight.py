"""What a workflow surely asks for: told beforehand, the questions of many commands become one statement.

It is a hint and changes nothing: what was not foreseen, or was not there, is asked for when its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.workflows.ports import UnitOfWork

Workflow = TypeVar("Workflow", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Rows of a set whose columns have these values, named in the order in which the workflow will name them."""

    records: str
    columns: tuple[tuple[str, str | int], ...] = ()
    """None for the only row of the set."""
    held: bool = False


THE_OPERATOR = Foreseen("operators")

FORESEEN: dict[Callable[..., Any], Callable[[Any], list[Foreseen]]] = {}
"""By workflow: what its command makes it ask for, in the order in which it asks."""
THEN: dict[Callable[..., Any], Callable[[UnitOfWork, Any], list[Foreseen]]] = {}
"""By workflow: what it asks for once it knows that. What was foreseen is at hand then, and nothing else may be asked for."""


def foresees(
    what: Callable[[Any], list[Foreseen]], then: Callable[[UnitOfWork, Any], list[Foreseen]] | None = None
) -> Callable[[Workflow], Workflow]:
    """Mark a workflow that is run all the time."""

    def mark(workflow: Workflow) -> Workflow:
        FORESEEN[workflow] = what
        if then is not None:
            THEN[workflow] = then
        return workflow

    return mark


def session_of_transaction(fact: Any) -> list[Foreseen]:
    """The session that a station's fact names by its transaction, held."""
    if fact.transaction_id is None:
        return [THE_OPERATOR]
    named = (("station_id", fact.heard.station_id), ("transaction_id", fact.transaction_id))
    return [Foreseen("sessions", named, held=True), THE_OPERATOR]
