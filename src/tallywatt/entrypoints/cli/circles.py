"""`tallywatt circle`: fleets, groups and memberships, and who belongs to them."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant

circle = group("circle", "Fleets, groups and memberships, and who is in them.")
Name = Annotated[str, typer.Argument(metavar="CIRCLE", help="Like fleet:north, group:taxis, member:gold.")]
Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's reference.")]


@circle.command(
    "add", **examples("tallywatt circle add group:taxis", "tallywatt circle add member:gold --title 'Gold membership'")
)
def add(
    name: Name,
    title: Annotated[str, typer.Option("--title", help="As people call it; the name if left out.")] = "",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a fleet, a group or a membership."""
    from tallywatt.customers.circle import read_address
    from tallywatt.workflows.keep_circle import AddCircle, add_circle

    kind, short = read_address(name)
    with at_desk(operator) as desk:
        row = desk.do(add_circle, AddCircle(kind, short, title))
        told = desk.ask(desk.views.circle, row["circle_id"])
    if as_json:
        say_json(told)
    else:
        say_fields([("circle", f"{told['kind']}:{told['name']}"), ("id", told["id"]), ("title", told["title"])])


@circle.command("list", **examples("tallywatt circle list", "tallywatt circle list group:taxis --json"))
def list_circles(
    name: Annotated[str | None, typer.Argument(metavar="CIRCLE", help="Then who belongs to it.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List all with how many belong to each, or who is in one.

    Of one also who belonged to it, and who will.
    """
    with at_desk(operator) as desk:
        rows: list[Data] = desk.ask(desk.views.circles, desk.business_now())
        zone = desk.operator.zone
        if name is not None:
            ids = [row["id"] for row in rows if f"{row['kind']}:{row['name']}" == name]
            rows = desk.behind(desk.views.customers_of_circle, "id", circle_id=ids[0]) if ids else []
    if as_json:
        say_json(rows)
        return
    if name is None:
        told = [{**row, "circle": f"{row['kind']}:{row['name']}"} for row in rows]
        columns = (Column("circle", "circle"), Column("title", "title", folds=True))
        empty = "No fleet, group or membership yet. Add one: tallywatt circle add group:taxis"
        say_table((*columns, Column("customers", "customers", right=True)), told, empty=empty)
        return
    spans = [
        {
            "customer": row["customer"],
            "from": clock_of(row["valid_from"], zone),
            "until": clock_of(row["valid_until"], zone) if row["valid_until"] else "",
        }
        for row in rows
    ]
    say_table(
        (Column("customer", "customer"), Column("from", "from"), Column("until", "until")),
        spans,
        empty=f"Nobody belongs to it. Let somebody: tallywatt circle join {name} CUSTOMER",
    )


@circle.command(
    "join",
    **examples(
        "tallywatt circle join group:taxis C-1042",
        "tallywatt circle join member:gold C-7 --from 2026-12-01T00:00:00Z \\",
        "    --until 2027-12-01T00:00:00Z",
    ),
)
def join(
    name: Name,
    customer: Customer,
    valid_from: Annotated[str | None, typer.Option("--from", metavar="TIME", help="RFC 3339; now if left out.")] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="RFC 3339; no end if left out.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a customer belong to it. Prices that were offered before stay."""
    from tallywatt.workflows.keep_circle import JoinCircle, join_circle

    command = JoinCircle(
        name,
        customer,
        None if valid_from is None else parse_instant(valid_from),
        None if valid_until is None else parse_instant(valid_until),
    )
    with at_desk(operator) as desk:
        row = desk.do(join_circle, command)
        told = {**row, "circle": name, "customer": customer}
        zone = desk.operator.zone
    if as_json:
        say_json(told)
    else:
        until = f" until {clock_of(told['valid_until'], zone)}" if told["valid_until"] else ""
        say(f"{customer} belongs to {name} from {clock_of(told['valid_from'], zone)}{until} ({zone}).")


@circle.command("leave", **examples("tallywatt circle leave group:taxis C-1042"))
def leave(
    name: Name,
    customer: Customer,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="RFC 3339; now if left out.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a customer belong to it no more: each span that goes on ends."""
    from tallywatt.kernel.errors import NotFound
    from tallywatt.workflows.keep_circle import LeaveCircle, leave_circle

    with at_desk(operator) as desk:
        found = desk.ask(desk.views.customer, customer)
        rows = desk.ask(desk.views.circles_of_customer, found["id"]) if found is not None else []
        open_ones = [one for one in rows if f"{one['kind']}:{one['name']}" == name and one["valid_until"] is None]
        if not open_ones:
            msg = f"{customer!r} belongs to no {name} without an end"
            raise NotFound(msg, code="circles.not_found", remedy=f"look: tallywatt circle list {name}")
        told = [
            desk.do(leave_circle, LeaveCircle(one["id"], None if at is None else parse_instant(at)))
            for one in open_ones
        ]
        zone = desk.operator.zone
    if as_json:
        say_json([{"id": one["belonging_id"], "valid_until": one["valid_until"]} for one in told])
    else:
        say(
            f"{customer} belongs to {name} until now ({zone})."
            if at is None
            else f"{customer} belongs to {name} until {at}."
        )
