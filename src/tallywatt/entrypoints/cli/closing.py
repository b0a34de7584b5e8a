"""`tallywatt close-day`: what is still open for a day, before its books are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.show import Column, say, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.show import Data

EXAMPLES = examples("tallywatt close-day", "tallywatt close-day --day 2026-11-20", "tallywatt close-day --json")

NAMES = {
    "unmatched": "settlement differences",
    "held": "sessions held",
    "unfinished": "sessions without a price yet",
    "on_their_way": "operations without an answer",
    "disputed": "disputes that go on",
    "holds": "holds on cards",
    "unsettled": "captured, not settled yet",
    "owed": "owed",
    "inbox": "inbox",
    "jobs_failed": "jobs that failed",
}


def close_day(
    day: Annotated[
        str | None,
        typer.Option("--day", metavar="DAY", help="Like 2026-11-20, in the operator's zone; yesterday if left out."),
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what is still open for a day.

    It compares invoices, payments, settlements, the books and the numbers of papers, and changes nothing. Ends with 1 when
    something stands in the way of closing the day.
    """
    from datetime import timedelta

    from tallywatt.kernel.clock import local_date
    from tallywatt.wiring import MachineClock

    with at_desk(operator) as desk:
        zone = desk.operator.zone
        wanted = day or (local_date(desk.business_now(), zone) - timedelta(days=1)).isoformat()
        told = desk.ask(desk.views.day_close, wanted, zone, MachineClock().now()).as_json()
    if as_json:
        say_json(told)
    else:
        _say(told)
    if not told["clean"]:
        raise typer.Exit(FINDING)


def _say(told: Data) -> None:
    say(f"Day {told['day']}")
    for code, sums in told["revenue"].items():
        say(
            f"  {sums['sessions']} invoices, {sum_of(sums['gross_minor'], code)}, tax {sum_of(sums['tax_minor'], code)}"
        )
    say()
    rows = [
        {
            "what": NAMES[one["code"]],
            "count": one["count"],
            "sum": ", ".join(sum_of(minor, code) for code, minor in one["minor"].items()) or "–",
            "means": "nothing" if not one["count"] else "in the way" if one["blocks"] else "to know",
        }
        for one in told["open"]
    ]
    columns = (Column("open", "what"), Column("count", "count", right=True), Column("sum", "sum", right=True))
    say_table((*columns, Column("", "means")), rows, empty="Nothing is open.")
    say()
    for one in told["series"]:
        gaps = "no number is missing" if not one["missing"] else f"{one['missing']} numbers are missing"
        say(f"Series {one['series']} {one['year']}: last {one['last']}, {one['of_day']} of this day, {gaps}.")
    say("The books are balanced." if told["ledger_balanced"] else "The books are NOT balanced.")
    say("The day can be closed." if told["clean"] else "The day cannot be closed yet.")
