"""`tallywatt settlement`: what providers have paid out, what they kept, and what does not agree with our payments."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, clock_of, say, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.errors import NotFound

settlement = group("settlement", "Settlements of providers, and what does not agree.")


class ActionName(StrEnum):
    """What a person may do about a difference."""

    ASK = "ask"
    MATCH = "match"
    BOOK = "book"
    DISMISS = "dismiss"


class StateName(StrEnum):
    """Whether it still has to be looked at."""

    OPEN = "open"
    RESOLVED = "resolved"


@settlement.command("list", **examples("tallywatt settlement list", "tallywatt settlement list --json"))
def list_lines(limit: LimitOption = None, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List what providers say they have moved, the newest first."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.settlement_lines, limit or (1000 if as_json else IN_A_TABLE))
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **one,
            "said": clock_of(one["said_at"], zone),
            "sum": sum_of(one["amount_minor"], one["currency"]),
            "fee": sum_of(one["fee_minor"], one["currency"]),
        }
        for one in found
    ]
    columns = (
        Column("said", "said"),
        Column("account", "account"),
        Column("kind", "kind"),
        Column("state", "state"),
        Column("sum", "sum", right=True),
        Column("fee", "fee", right=True),
        Column("payout", "payout_ref", folds=True),
    )
    say_table(columns, rows, empty="Nothing was settled yet.")


@settlement.command(
    "differences",
    **examples("tallywatt settlement differences", "tallywatt settlement differences --state resolved --json"),
)
def list_differences(
    state: Annotated[StateName, typer.Option("--state", help="Only those.")] = StateName.OPEN,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List what does not agree, the newest first."""
    with at_desk(operator) as desk:
        most = limit or (None if as_json else IN_A_TABLE)
        found = desk.pages(desk.views.settlement_differences, most, state=state.value)
    if as_json:
        say_json(found)
        return
    if not found:
        say("Everything agrees." if state is StateName.OPEN else "Nothing was resolved yet.")
        return
    for one in found:
        after = one["suggestion"] if one["resolution"] is None else one["resolution"]
        say(f"{one['id']}  {one['account']}  {one['kind']}  {one['state']}  → {after}")
        expected, shown = (sum_of(one[name], one["currency"]) for name in ("expected_minor", "found_minor"))
        say(f"    {one['subject_ref']}: expected {expected}, found {shown}")


@settlement.command(
    "resolve",
    **examples(
        "tallywatt settlement resolve $DIFFERENCE --action ask",
        "tallywatt settlement resolve $DIFFERENCE --action match --payment $PAYMENT",
        "tallywatt settlement resolve $DIFFERENCE --action book --note 'bank fee'",
    ),
)
def resolve(
    difference: Annotated[str, typer.Argument(metavar="DIFFERENCE", help="Its id.")],
    action: Annotated[
        ActionName,
        typer.Option(
            "--action", help="ask the provider; match the line to a payment; book the difference; dismiss it."
        ),
    ],
    note: Annotated[str, typer.Option("--note", help="Why, for whoever asks later.")] = "",
    payment: Annotated[
        str | None, typer.Option("--payment", metavar="ID", help="To which payment the line belongs.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Decide about a difference. What is decided is recorded with who decided it."""
    from tallywatt.payments.settlement import Action
    from tallywatt.workflows.resolve_difference import ResolveDifference, resolve_difference

    with at_desk(operator) as desk:
        desk.do(resolve_difference, ResolveDifference(difference, Action(action.value), note, payment))
        told = desk.ask(desk.views.settlement_difference, difference)
    if as_json:
        say_json(told)
    else:
        say_fields([("difference", told["kind"]), ("state", told["state"]), ("resolution", told["resolution"])])


@settlement.command("read", **examples("tallywatt settlement read", "tallywatt settlement read --account main --json"))
def read(
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="The provider account; all if left out.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let the server read what providers list.

    It does so by itself every six hours.
    """
    from tallywatt.workflows.read_settlements import OrderReading, order_reading

    with at_desk(operator) as desk:
        found = [one for one in desk.ask(desk.views.settled_accounts) if account in (None, one["name"])]
        if account is not None and not found:
            msg = f"there is no provider account {account!r}"
            raise NotFound(msg, code="payment.no_account", remedy="see: tallywatt provider-account list")
        for one in found:
            desk.do(order_reading, OrderReading(one["id"]))
    if as_json:
        say_json([{"account": one["name"], "ordered": True} for one in found])
    else:
        say(f"Asked for: {', '.join(one['name'] for one in found) or 'nothing, there is no account'}.")
