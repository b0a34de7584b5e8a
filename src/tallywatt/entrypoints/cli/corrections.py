"""`tallywatt correction`: sessions that were charged by a wrong price, rated again and put right."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.identity import SessionId
from tallywatt.kernel.money import money

correction = group("correction", "Price corrections: rated again, and put right.")
Id = Annotated[str, typer.Argument(metavar="CORRECTION", help="Its id.")]


@correction.command(
    "open",
    **examples(
        "tallywatt correction open flat --since 2026-11-01T00:00:00Z \\",
        "    --until 2026-11-08T00:00:00Z --reason 'wrong price per kWh'",
    ),
)
def open_one(
    tariff: Annotated[str, typer.Argument(metavar="TARIFF", help="As it should have been: its id, or a version's.")],
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Sessions that began then or later; RFC 3339.")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="And before then.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; drivers' banks may see it.")],
    priced_by: Annotated[
        str, typer.Option("--priced-by", metavar="TARIFF", help="Only sessions priced by this tariff.")
    ] = "",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Have sessions priced again. Nothing goes back yet."""
    from tallywatt.workflows.correct_prices import OpenCorrection, open_correction

    command = OpenCorrection(tariff, parse_instant(since), parse_instant(until), reason, priced_by)
    with at_desk(operator) as desk:
        row = desk.do(open_correction, command)
        told = desk.ask(desk.views.correction, row["correction_id"])
    _say(told, as_json=as_json)


@correction.command("list", **examples("tallywatt correction list", "tallywatt correction list --json"))
def list_corrections(limit: LimitOption = None, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List corrections with what they came to, the newest first."""
    with at_desk(operator) as desk:
        found = desk.pages(desk.views.corrections, limit or (None if as_json else IN_A_TABLE))
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **one,
            "opened": clock_of(one["created_at"], zone),
            "less": sum_of(one["less_minor"], one["currency"]),
            "more": sum_of(one["more_minor"], one["currency"]),
        }
        for one in found
    ]
    columns = (
        Column("opened", "opened"),
        Column("id", "id"),
        Column("state", "state"),
        Column("sessions", "sessions", right=True),
        Column("too much", "less", right=True),
        Column("too little", "more", right=True),
        Column("reason", "reason", folds=True),
    )
    say_table(columns, rows, empty="No price correction yet.")


@correction.command("show", **examples("tallywatt correction show $CORRECTION"))
def show(correction_id: Id, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Show what differs, session by session."""
    with at_desk(operator) as desk:
        told = _found(desk.ask(desk.views.correction, correction_id), correction_id)
        rows = desk.behind(desk.views.corrected_sessions, "session_id", correction_id=correction_id)
    if as_json:
        say_json({**told, "rows": rows})
        return
    _say(told, as_json=False)
    names = ("was", "now", "credited", "refunded", "asked", "waived")
    shown = [{**one, **{name: sum_of(one[f"{name}_minor"], one["currency"]) for name in names}} for one in rows]
    columns = (
        Column("invoice", "invoice"),
        Column("charged", "was", right=True),
        Column("should be", "now", right=True),
        Column("outcome", "outcome"),
        Column("off debt", "credited", right=True),
        Column("given back", "refunded", right=True),
        Column("asked for", "asked", right=True),
        Column("given up", "waived", right=True),
        Column("new invoice", "new_invoice"),
    )
    say_table(columns, shown, empty="Nothing differs.")


@correction.command(
    "carry-out",
    **examples(
        "tallywatt correction carry-out $CORRECTION", "tallywatt correction carry-out $CORRECTION --ask-above 0.50"
    ),
)
def carry_out(
    correction_id: Id,
    ask_above: Annotated[
        str | None,
        typer.Option(
            "--ask-above",
            metavar="SUM",
            help="Ask for what was charged too little, where it is more in a session; else all of it is given up.",
        ),
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give back what was too much; give up, or ask for, too little."""
    from tallywatt.workflows.correct_prices import OrderCorrection, order_correction

    with at_desk(operator) as desk:
        code = _found(desk.ask(desk.views.correction, correction_id), correction_id)["currency"]
        above = None if ask_above is None else money(ask_above, code).minor
        desk.do(order_correction, OrderCorrection(correction_id, None, above))
        told = desk.ask(desk.views.correction, correction_id)
    _say(told, as_json=as_json)


@correction.command("waive", **examples("tallywatt correction waive $CORRECTION $SESSION"))
def waive(
    correction_id: Id,
    session_id: Annotated[str, typer.Argument(metavar="SESSION", help="Whose payer was asked.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give up what a payer was asked for and has not paid."""
    from tallywatt.workflows.ask_rest import WaiveRest, waive_rest

    with at_desk(operator) as desk:
        row = desk.do(waive_rest, WaiveRest(correction_id, SessionId(session_id), None))
        code = _found(desk.ask(desk.views.correction, correction_id), correction_id)["currency"]
    if as_json:
        say_json(row)
        return
    say_fields([("session", session_id), ("outcome", row["outcome"]), ("given up", sum_of(row["waived_minor"], code))])


@correction.command("discard", **examples("tallywatt correction discard $CORRECTION"))
def discard(correction_id: Id, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Leave all prices as they are."""
    from tallywatt.workflows.correct_prices import DiscardCorrection, discard_correction

    with at_desk(operator) as desk:
        desk.do(discard_correction, DiscardCorrection(correction_id))
        told = desk.ask(desk.views.correction, correction_id)
    _say(told, as_json=as_json)


def _found(told: Data | None, correction_id: str) -> Data:
    if told is None:
        msg = f"there is no correction {correction_id!r}"
        raise NotFound(msg, code="corrections.not_found", remedy="see: tallywatt correction list")
    return told


def _say(told: Data, *, as_json: bool) -> None:
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("correction", told["id"]),
            ("state", told["state"]),
            ("tariff", told["tariff"]),
            ("sessions", told["sessions"]),
            ("too much", sum_of(told["less_minor"], told["currency"])),
            ("too little", sum_of(told["more_minor"], told["currency"])),
            ("other tax or lines", told["others"]),
        ]
    )
