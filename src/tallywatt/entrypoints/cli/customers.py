"""`tallywatt customer` and `tallywatt token`: who charges, and by what they are known at a station."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, Data, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant

customer = group("customer", "Customers: those who charge with an account.")
token = group("token", "Tokens: cards, fobs and tags of customers.")


@customer.command(
    "add",
    **examples(
        "tallywatt customer add C-1042", "tallywatt customer add C-1042 --name 'A Driver' --email a@example.org"
    ),
)
def add_one(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Your own number for the customer.")],
    name: Annotated[str, typer.Option("--name", help="As printed on invoices; kept apart, and can be erased.")] = "",
    email: Annotated[str | None, typer.Option("--email", help="Kept apart, and can be erased.")] = None,
    address: Annotated[str | None, typer.Option("--address", help="Kept apart, and can be erased.")] = None,
    language: Annotated[str, typer.Option("--language", help="BCP 47, of pages and invoices.")] = "en",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a customer."""
    from tallywatt.workflows.add_customer import AddCustomer, add_customer

    with at_desk(operator) as desk:
        desk.do(add_customer, AddCustomer(reference, name, email, address, language))
        told = desk.ask(desk.views.customer, reference)
    if as_json:
        say_json(told)
    else:
        say_fields([("customer", told["reference"]), ("id", told["id"]), ("language", told["language"])])


@customer.command(
    "erase", **examples("tallywatt customer erase C-1042", "tallywatt customer erase C-1042 --yes --json")
)
def erase_one(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Your own number for the customer.")],
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Forget a customer, and all that leads to the person.

    That is: name, addresses, tokens, and every frame and message.

    It cannot be undone. The account is empty at once; the running server searches the rest. Printed invoices stay until the law
    lets them go, and are forgotten then by themselves.
    """
    from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer

    if not sure:
        typer.confirm(f"Forget customer {reference} for good?", abort=True)
    with at_desk(operator) as desk:
        row = desk.do(erase_customer, EraseCustomer(reference))
    told = {"id": row["erasure_id"], "customer_id": row["customer_id"], "state": row["state"]}
    if as_json:
        say_json(told)
    else:
        say_fields([("customer", told["customer_id"]), ("erasure", told["id"]), ("state", told["state"])])


@customer.command("list", **examples("tallywatt customer list", "tallywatt customer list --json"))
def list_customers(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List customers with their tokens."""
    with at_desk(operator) as desk:
        tokens: dict[str, list[Data]] = {}
        for row in desk.behind(desk.views.tokens, "id"):
            tokens.setdefault(row["customer_id"] or "", []).append(row)
        told = [{**row, "tokens": tokens.get(row["id"], [])} for row in desk.behind(desk.views.customers, "reference")]
    if as_json:
        say_json(told)
        return
    rows = [{**one, "uids": [token["uid"] for token in one["tokens"]]} for one in told]
    columns = (
        Column("customer", "reference"),
        Column("name", "name", folds=True),
        Column("tokens", "uids", folds=True),
    )
    say_table(
        (*columns, Column("language", "language")),
        rows,
        empty="No customer yet. Add one: tallywatt customer add REFERENCE",
    )


@token.command(
    "add",
    **examples(
        "tallywatt token add 04A2B3C4D5E680 --customer C-1042",
        "tallywatt token add APP-77 --type APP_USER --customer C-1042",
    ),
)
def add_token_to_customer(
    uid: Annotated[str, typer.Argument(metavar="UID", help="As the card says it, in either case.")],
    customer_reference: Annotated[
        str | None, typer.Option("--customer", metavar="REFERENCE", help="Whose; without one nobody owes for it.")
    ] = None,
    kind: Annotated[str, typer.Option("--type", help="OCPI TokenType: RFID, APP_USER, OTHER.")] = "RFID",
    valid_until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="RFC 3339; no end if left out.")
    ] = None,
    group_name: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Cards of one group may stop each other's charging.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a token to a customer."""
    from tallywatt.workflows.add_customer import AddToken, add_token

    until = None if valid_until is None else parse_instant(valid_until)
    with at_desk(operator) as desk:
        row = desk.do(add_token, AddToken(uid, customer_reference, kind, until, group_name))
        told = next(one for one in desk.ask(desk.views.tokens_by_uid, uid) if one["id"] == row["token_id"])
    if as_json:
        say_json(told)
    else:
        say_fields(
            [("token", told["uid"]), ("type", told["type"]), ("customer", told["customer"]), ("state", told["state"])]
        )


@token.command("list", **examples("tallywatt token list", "tallywatt token list --json"))
def list_tokens(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List tokens. One-time tags of ad hoc drivers are among them."""
    with at_desk(operator) as desk:
        told = desk.behind(desk.views.tokens, "id")
    if as_json:
        say_json(told)
        return
    columns = (Column("uid", "uid"), Column("type", "type"), Column("customer", "customer"), Column("state", "state"))
    say_table(columns, told, empty="No token yet. Add one: tallywatt token add UID --customer REFERENCE")
