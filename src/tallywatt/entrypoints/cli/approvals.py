"""`tallywatt approval`: what waits for a second pair of eyes, and how much each role gives away alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, clock_of, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group

approval = group("approval", "What waits for a second person, and the limits.")


class StateName(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


class HolderName(StrEnum):
    """Whose limit."""

    OWNER = "owner"
    SUPPORT = "support"
    FINANCE = "finance"
    PROGRAM = "program"


@approval.command("list", **examples("tallywatt approval list", "tallywatt approval list --state approved --json"))
def list_approvals(
    state: Annotated[StateName | None, typer.Option("--state", help="Only those.")] = None,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List requests with who asked and who decided, the newest first.

    They are decided on the console or through the API, by somebody with a name.
    """
    with at_desk(operator) as desk:
        most = limit or (None if as_json else IN_A_TABLE)
        found = desk.pages(desk.views.approvals, most, state=None if state is None else state.value)
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **one,
            "asked": clock_of(one["created_at"], zone),
            "sum": sum_of(one["amount_minor"], one["currency"]),
            "who": one["asked_by_name"] or one["asked_by"],
            "decider": one["decided_by_name"] or one["decided_by"] or "",
        }
        for one in found
    ]
    columns = (
        Column("asked", "asked"),
        Column("kind", "kind"),
        Column("sum", "sum", right=True),
        Column("state", "state"),
        Column("by", "who", folds=True),
        Column("decided by", "decider", folds=True),
        Column("reason", "reason", folds=True),
    )
    say_table(columns, rows, empty="Nothing waits for a second person.")


@approval.command("limits", **examples("tallywatt approval limits", "tallywatt approval limits --json"))
def list_limits(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List the limits that hold: those set, and the usual ones."""
    from tallywatt.customers.approval import Holder, standard_limit
    from tallywatt.kernel.money import currency

    with at_desk(operator) as desk:
        found = desk.ask(desk.views.money_limits)
        code = desk.operator.currency
        now = desk.business_now()
    known = {(row["holder"], row["currency"]) for row in found}
    for one in Holder:
        if (one.value, code) not in known:
            usual = standard_limit(one, currency(code), now)
            told = {"holder": one.value, "currency": code, "payment_minor": usual.payment_minor}
            found.append({**told, "day_minor": usual.day_minor, "changed_at": None})
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **row,
            "payment": _sum(row["payment_minor"], row["currency"]),
            "day": _sum(row["day_minor"], row["currency"]),
            "set": "set" if row["changed_at"] else "usual",
        }
        for row in sorted(found, key=lambda row: (row["currency"], row["holder"]))
    ]
    columns = (
        Column("who", "holder"),
        Column("of one payment", "payment", right=True),
        Column("in a day", "day", right=True),
        Column("limit", "set"),
    )
    say_table(columns, rows, empty="No limits.")


@approval.command(
    "limit",
    **examples(
        "tallywatt approval limit support --payment 30 --day 150",
        "tallywatt approval limit finance --payment 500 --currency EUR",
        "tallywatt approval limit program --payment 0",
    ),
)
def set_limit(
    holder: Annotated[HolderName, typer.Argument(metavar="WHO", help="owner, support, finance; program: API keys.")],
    payment: Annotated[str | None, typer.Option("--payment", metavar="AMOUNT", help="The most of one payment.")] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="AMOUNT", help="The most in one day.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="ISO 4217; the operator's if left out.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Set what a role gives away alone. What is left out has no limit."""
    from tallywatt.customers.approval import Holder
    from tallywatt.kernel.money import money
    from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit

    with at_desk(operator) as desk:
        code = (currency or desk.operator.currency).upper()
        most_payment = None if payment is None else money(payment, code).minor
        most_day = None if day is None else money(day, code).minor
        told = desk.do(set_money_limit, SetMoneyLimit(Holder(holder.value), code, most_payment, most_day))
    if as_json:
        say_json(told)
        return
    row = {"holder": holder.value, "payment": _sum(most_payment, code), "day": _sum(most_day, code)}
    columns = (Column("who", "holder"), Column("of one payment", "payment", right=True))
    say_table((*columns, Column("in a day", "day", right=True)), [row], empty="")


def _sum(minor: int | None, code: str) -> str:
    return "no limit" if minor is None else sum_of(minor, code)
