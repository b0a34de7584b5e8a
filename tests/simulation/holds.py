"""Holds that end while their sessions wait for a person: a part is taken, and the rest when somebody has decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.metering.session import SessionState
from tallywatt.workflows.change_operator import ChangeOperator, change_operator
from tallywatt.workflows.secure_hold import SecureHold, secure_hold
from tallywatt.workflows.switch_captures import SwitchCaptures, switch_captures
from tests.simulation.furnish import OPERATOR

if TYPE_CHECKING:
    from tallywatt.kernel.identity import SessionId
    from tallywatt.workflows.ports import UnitOfWork
    from tests.simulation.house import LivingHouse
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation


def secure_holds(house: LivingHouse) -> None:
    """The holds behind all held sessions are about to end: each is looked at, and secured, as its job would do it."""

    def held(work: UnitOfWork, _: None) -> list[SessionId]:
        return [one.session_id for one in work.sessions.by(state=SessionState.HELD.value) if one.payment_id is not None]

    def write(workflow: Any, command: Any) -> Any:
        return house.write_now(OPERATOR, workflow, command, actor="worker")

    for session_id in sorted(house.write_now(OPERATOR, held, None, actor="worker")):
        house.caller.look_at_hold(write, session_id)
        house.write_now(OPERATOR, secure_hold, SecureHold(session_id), actor="worker")


SMALL = (120, 180, 250)
"""Minor units: a few minutes at full power."""


def small_holds(run: Simulation, step: Step) -> None:
    """The operator holds little from now on, and more while a session goes on."""

    def change(house: LivingHouse) -> None:
        house.write_now(OPERATOR, change_operator, ChangeOperator(hold_minor=step.told["minor"]), actor="person")

    run.ask_house(change)


def several_captures(run: Simulation) -> None:
    """The provider's support switches that on for the account, where it does so, and a person says it to the house."""
    if run.plan.provider != "adyen":
        return
    run.provider.switch("/_several_captures", on=True)

    def note(house: LivingHouse) -> None:
        asked = SwitchCaptures(run.account_id, several=True)
        house.write_now(OPERATOR, switch_captures, asked, actor="person")

    run.ask_house(note)
