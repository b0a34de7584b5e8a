"""`tallywatt operator`: who sells energy in their own name."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, Data, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import JsonFlag, examples, group
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.money import money

operator = group("operator", "Operators: those who sell energy in their own name.")


@operator.command(
    "add",
    **examples(
        "tallywatt operator add northwind --name 'Northwind Charging' --country GB",
        "tallywatt operator add rhein --name 'Rhein Strom' --country DE \\",
        "    --zone Europe/Berlin --currency EUR --hold 60.00",
    ),
)
def add(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="Short name for URLs and commands.")],
    name: Annotated[str, typer.Option("--name", help="As printed on invoices.")],
    country: Annotated[str, typer.Option("--country", help="ISO 3166-1 alpha-2.")] = "GB",
    party_code: Annotated[str, typer.Option("--party-code", help="Three letters of OCPI and EVSE ids.")] = "TWA",
    zone: Annotated[str, typer.Option("--zone", help="IANA zone of day close and invoice numbers.")] = "Europe/London",
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217.")] = "GBP",
    address: Annotated[str, typer.Option("--address", help="As printed on invoices.")] = "",
    tax_id: Annotated[str | None, typer.Option("--tax-id", help="As printed on invoices.")] = None,
    hold: Annotated[
        str, typer.Option("--hold", metavar="AMOUNT", help="Held on a card before an ad hoc start.")
    ] = "45",
    clock_floor: Annotated[
        str | None,
        typer.Option(
            "--clock-floor", metavar="TIME", help="Station times before it come from a clock that is not set."
        ),
    ] = None,
    start_deadline: Annotated[
        int, typer.Option("--start-deadline", metavar="SECONDS", min=1, help="From a remote start to its transaction.")
    ] = 120,
    lost_stop_after: Annotated[
        int, typer.Option("--lost-stop-after", metavar="SECONDS", min=1, help="Until a session without a stop is held.")
    ] = 900,
    as_json: JsonFlag = False,
) -> None:
    """Add an operator. It has its own stations, tariffs, customers, books and invoice numbers."""
    from tallywatt.workflows.add_operator import EARLIEST_CREDIBLE, AddOperator, add_operator

    command = AddOperator(
        slug=slug,
        name=name,
        country=country,
        party_code=party_code,
        zone=zone,
        currency=currency,
        address=address,
        tax_id=tax_id,
        clock_floor=EARLIEST_CREDIBLE if clock_floor is None else parse_instant(clock_floor),
        hold_minor=money(hold, currency).minor,
        start_deadline_seconds=start_deadline,
        lost_stop_after_seconds=lost_stop_after,
    )
    with at_desk() as desk:
        operator_id = desk.new_operator_id()
        desk.do(add_operator, command, operator_id=operator_id)
        told = next(one for one in desk.operators() if one["id"] == operator_id)
    if as_json:
        say_json(told)
    else:
        say_fields(_fields(told))


@operator.command("list", **examples("tallywatt operator list", "tallywatt operator list --json"))
def list_operators(as_json: JsonFlag = False) -> None:
    """List the operators of this installation."""
    with at_desk() as desk:
        rows = desk.operators()
    if as_json:
        say_json(rows)
        return
    columns = (Column("slug", "slug"), Column("name", "name", folds=True), Column("country", "country"))
    more = (Column("currency", "currency"), Column("zone", "zone"))
    say_table((*columns, *more), rows, empty="No operator yet. Add one: tallywatt operator add SLUG --name NAME")


def _fields(told: Data) -> list[tuple[str, object]]:
    return [
        ("operator", f"{told['name']} ({told['slug']})"),
        ("id", told["id"]),
        ("country, code", f"{told['country']}, {told['party_code']}"),
        ("zone", told["zone"]),
        ("hold", sum_of(told["hold_minor"], told["currency"])),
        ("next", f"tallywatt location add square --name 'Market square' --operator {told['slug']}"),
    ]
