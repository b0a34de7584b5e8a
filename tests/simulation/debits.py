"""Direct debits of the house: files for the bank, and what banks say of them, twice, late, about a part, or never."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant, moment, zone
from tallywatt.payments.bank import ToldBankLine
from tallywatt.payments.bank_days import bank_day_from
from tallywatt.payments.debit import ToldStatus
from tallywatt.workflows.end_debits import CancelBatch, TakeStatuses, cancel_batch, take_statuses
from tallywatt.workflows.prepare_debits import GiveBatch, PrepareDebits, give_batch, prepare_debits
from tallywatt.workflows.take_statement import TakeStatement, take_statement
from tests.simulation.furnish import OPERATOR
from tests.simulation.world import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.house import LivingHouse
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation

ANSWERS = ("sum", "sum", "each", "first_rejected", "file_rejected", "never", "cancelled")
"""What becomes of a file: one line for all, one for each, a report before that, nothing, or it never went to the bank."""
RETURNS = (None, None, None, "AM04", "AC04", "MD06")
"""Why a debit goes back after it came: no money, no account, no reason given."""
FEE = 300

BATCH = "SELECT batch_id, message_id, total_minor FROM debit_batches WHERE batch_key = ? AND closed_at IS NOT NULL"
ASKED = "SELECT end_to_end, amount_minor FROM debit_collections WHERE batch_id = ? ORDER BY end_to_end"


def collect(run: Simulation, step: Step) -> None:
    """A person has a file put together and fetched; whoever asked may have gone away before the answer, and asks again."""
    day = bank_day_from(
        moment(Instant(run.world.now), zone("Europe/London")).date() + timedelta(days=step.told["days"])
    )
    wanted = PrepareDebits(day.isoformat(), f"file {step.at}")

    def prepare(house: LivingHouse) -> None:
        while (batch := house.write_now(OPERATOR, prepare_debits, wanted, actor="person")).looked_to:
            run.world.say(f"debits: {batch.count} so far")
        if batch.closed_at is not None and batch.cancelled_at is None:
            house.write_now(OPERATOR, give_batch, GiveBatch(batch.batch_id), actor="person")

    run.ask_house(prepare)
    for minutes in (1, 2) if step.told["twice"] else ():
        run.world.after(minutes * MINUTE, lambda: run.ask_house(prepare))
    for minutes in (step.told["waits"], step.told["waits"] + 3) if step.told["twice"] else (step.told["waits"],):
        run.world.after(minutes * MINUTE, lambda: run.ask_house(lambda house: _answer(house, step, run.world.now)))
    if step.told["returned"] is not None:
        later = (step.told["waits"] + 8) * MINUTE
        run.world.after(later, lambda: run.ask_house(lambda house: _send_back(house, step, run.world.now)))


def _found(house: LivingHouse, step: Step) -> tuple[str, str, int, list[Any]] | None:
    batches: list[Any] = house.ask_now(lambda connection: connection.execute(BATCH, (f"file {step.at}",)))
    if not batches:
        return None
    batch_id, message, total = batches[0]
    asked: list[Any] = house.ask_now(lambda connection: connection.execute(ASKED, (batch_id,)))
    return batch_id, message, total, asked


def _answer(house: LivingHouse, step: Step, now: int) -> None:
    found = _found(house, step)
    if found is None:
        return
    batch_id, message, total, asked = found

    def came(name: str, minor: int, **more: Any) -> None:
        line = ToldBankLine(f"{message} {name}", "DE..3000", "S3", name, Instant(now), minor, "EUR", **more)
        house.write_now(OPERATOR, take_statement, TakeStatement((line,), "sim"), actor="person")

    def rejected(name: str | None) -> None:
        told = (ToldStatus(message, None, name, is_rejected=True, reason="AC04"),)
        house.write_now(OPERATOR, take_statuses, TakeStatuses(told, "sim"), actor="person")

    def first_rejected() -> None:
        rejected(asked[0][0])
        if total > asked[0][1]:
            came("rest", total - asked[0][1], batch_ref=message)

    def each() -> None:
        for name, minor in asked:
            came(name, minor, end_to_end=name)

    answers: dict[str, Callable[[], object]] = {
        "sum": lambda: came("all", total, batch_ref=message),
        "each": each,
        "first_rejected": first_rejected,
        "file_rejected": lambda: rejected(None),
        "never": lambda: None,
        "cancelled": lambda: house.write_now(OPERATOR, cancel_batch, CancelBatch(batch_id), actor="person"),
    }
    answers[step.told["answer"]]()


def _send_back(house: LivingHouse, step: Step, now: int) -> None:
    found = _found(house, step)
    if found is None:
        return
    _, message, _, asked = found
    name, minor = asked[-1]
    line = ToldBankLine(
        f"{message} back", "DE..3000", "S4", name, Instant(now), -minor - step.told["fee"], "EUR", end_to_end=name,
        return_code=step.told["returned"],
    )  # fmt: skip
    for _ in range(2):
        house.write_now(OPERATOR, take_statement, TakeStatement((line,), "sim"), actor="person")
