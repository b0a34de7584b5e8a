"""`tallywatt coupon`: codes with a discount behind them, and who used which one when."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import NotFound

coupon = group("coupon", "Coupons: codes with a discount, and who used which.")
Code = Annotated[str, typer.Argument(metavar="CODE", help="Letters, digits and hyphens, in either case.")]


@coupon.command(
    "add",
    **examples(
        "tallywatt coupon add WELCOME --percent 20 --uses 500",
        "tallywatt coupon add SORRY-17 --amount 5.00 --uses 1 \\",
        "    --until 2027-01-01T00:00:00Z",
    ),
)
def add(
    code: Code,
    percent: Annotated[str | None, typer.Option("--percent", help="So much of the price is taken off.")] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", help="So much is taken off, tax included, in the operator's currency.")
    ] = None,
    dimensions: Annotated[
        list[str] | None, typer.Option("--of", help="ENERGY, TIME, PARKING_TIME or FLAT alone; of all if left out.")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="What it is for.")] = "",
    uses: Annotated[int | None, typer.Option("--uses", help="By all together; no limit if left out.")] = None,
    each: Annotated[int, typer.Option("--each", help="By each customer.")] = 1,
    valid_from: Annotated[str | None, typer.Option("--from", metavar="TIME", help="RFC 3339; now if left out.")] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="RFC 3339; no end if left out.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a coupon. Customers enter its code before a session, others where they pay."""
    from tallywatt.workflows.use_coupon import AddCoupon, add_coupon

    told = {"percent": percent, "after_taxes": amount, "dimensions": dimensions}
    command = AddCoupon(
        code,
        {name: value for name, value in told.items() if value},
        title,
        most_uses=uses,
        uses_per_customer=each,
        valid_from=None if valid_from is None else parse_instant(valid_from),
        valid_until=None if valid_until is None else parse_instant(valid_until),
    )
    with at_desk(operator) as desk:
        row = desk.do(add_coupon, command)
        shown = desk.ask(desk.views.coupon, row["coupon_id"])
    if as_json:
        say_json(shown)
    else:
        say_fields([("coupon", shown["code"]), ("id", shown["id"]), ("uses", _uses(shown))])


@coupon.command("list", **examples("tallywatt coupon list", "tallywatt coupon list WELCOME --json"))
def list_coupons(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help="Then who used it when.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List all coupons, or who used one when."""
    with at_desk(operator) as desk:
        zone = desk.operator.zone
        if code is None:
            rows: list[Data] = desk.ask(desk.views.coupons)
        else:
            found = desk.ask(desk.views.coupon_by_code, code)
            rows = [] if found is None else desk.ask(desk.views.uses_of_coupon, found["id"])
    if as_json:
        say_json(rows)
    elif code is None:
        told = [{**row, "used": _uses(row), "until": clock_of(row["valid_until"], zone)} for row in rows]
        columns = (Column("code", "code"), Column("title", "title", folds=True), Column("uses", "used", right=True))
        empty = "No coupon yet. Add one: tallywatt coupon add WELCOME --percent 20"
        say_table((*columns, Column("until", "until")), told, empty=empty)
    else:
        uses = [{**row, "who": row["customer"] or "-", "entered": clock_of(row["created_at"], zone)} for row in rows]
        columns = (Column("customer", "who"), Column("state", "state"), Column("entered", "entered"))
        say_table(columns, uses, empty="Nobody used it.")


def _uses(row: Data) -> str:
    return str(row["uses"]) if row["most_uses"] is None else f"{row['uses']} of {row['most_uses']}"


@coupon.command("end", **examples("tallywatt coupon end WELCOME"))
def end(
    code: Code,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="RFC 3339; now if left out.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let nobody claim it any more. What is claimed stays."""
    from tallywatt.workflows.use_coupon import EndCoupon, end_coupon

    with at_desk(operator) as desk:
        found = desk.ask(desk.views.coupon_by_code, code)
        if found is None:
            msg = f"there is no coupon {code!r}"
            raise NotFound(msg, code="coupons.not_found", remedy="look: tallywatt coupon list")
        desk.do(end_coupon, EndCoupon(found["id"], None if at is None else parse_instant(at)))
        told = desk.ask(desk.views.coupon, found["id"])
        zone = desk.operator.zone
    if as_json:
        say_json(told)
    else:
        say(f"Coupon {told['code']} ends {clock_of(told['valid_until'], zone)} ({zone}).")
