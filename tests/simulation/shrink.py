"""From a plan that fails to the shortest that still does: steps are left out in ever smaller pieces, then quirks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.plan import Plan

MOST_TRIES = 300


def shortest(plan: Plan, fails: Callable[[Plan], bool], most: int = MOST_TRIES) -> Plan:
    """The plan without all that is not needed for it to fail. It fails itself."""
    tries = 0

    def still_fails(shorter: Plan) -> bool:
        nonlocal tries
        tries += 1
        return tries <= most and fails(shorter)

    piece = max(len(plan.steps) // 2, 1)
    while True:
        plan, shrunk = _without_pieces(plan, piece, still_fails)
        if piece == 1 and not shrunk:
            break
        piece = max(piece // 2, 1)
    return _without_quirks(plan, still_fails)


def _without_pieces(plan: Plan, piece: int, fails: Callable[[Plan], bool]) -> tuple[Plan, bool]:
    shrunk = False
    place = 0
    while place < len(plan.steps):
        shorter = replace(plan, steps=plan.steps[:place] + plan.steps[place + piece :])
        if fails(shorter):
            plan, shrunk = shorter, True
        else:
            place += piece
    return plan, shrunk


def _without_quirks(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    for place, quirks in enumerate(plan.quirks):
        for quirk in sorted(quirks):
            of_station = plan.quirks[place] - {quirk}
            shorter = replace(plan, quirks=(*plan.quirks[:place], of_station, *plan.quirks[place + 1 :]))
            if fails(shorter):
                plan = shorter
    return plan
