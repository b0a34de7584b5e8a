"""`tallywatt reader`: card readers that are asked through a payment provider."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk, settings
from tallywatt.entrypoints.cli.show import Column, Data, say, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.errors import Broken, NotFound

reader = group("reader", "Card readers of payment providers.")

COLUMNS = (
    Column("label", "label", folds=True),
    Column("account", "account"),
    Column("reader", "reader_ref", folds=True),
    Column("serves", "serves", folds=True),
    Column("stands", "stands"),
    Column("id", "id", folds=True),
)


@reader.command(
    "add",
    **examples(
        "tallywatt reader add tmr_F5XZ0bXq8y --account main --label Kiosk \\",
        "    --location queen-street",
        "tallywatt reader add V400m-324688042 --account second --label 'Post 1' \\",
        "    --evse 'GB*TWA*ECP1*1' --evse 'GB*TWA*ECP1*2'",
    ),
)
def add(
    reader_ref: Annotated[str, typer.Argument(metavar="READER", help="The provider's own name of it.")],
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="The provider account that it belongs to.")],
    label: Annotated[str, typer.Option("--label", help="How drivers find it: what is written on it.")],
    location: Annotated[
        str | None, typer.Option("--location", metavar="REFERENCE", help="All EVSEs there are paid for at it.")
    ] = None,
    evses: Annotated[
        list[str] | None, typer.Option("--evse", metavar="CODE", help="Only these; several times.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a card reader, and say which EVSEs are paid for at it."""
    from tallywatt.workflows.keep_reader import AddReader, add_reader

    with at_desk(operator) as desk:
        command = AddReader(account, reader_ref, label, location, tuple(evses or ()))
        _look_for(desk, account, reader_ref.strip())
        row = desk.do(add_reader, command)
        told = _reader(desk, str(row["reader_id"]))
    _say([told], as_json=as_json, whole=told)


def _look_for(desk: Desk, account: str, reader_ref: str) -> None:
    """Refuse what the provider does not know; what cannot be asked now is looked for by a worker."""
    from tallywatt.wiring import provider_of
    from tallywatt.workflows.check_reader import refuse_unknown

    named = [one for one in desk.ask(desk.views.provider_accounts) if one["name"] == account and not one["closed_at"]]
    try:
        providers = [provider_of(one, settings()) for one in named]
    except Broken:
        return
    for one in providers:
        refuse_unknown(one, reader_ref)


@reader.command("list", **examples("tallywatt reader list", "tallywatt reader list --json"))
def list_readers(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List card readers, and what is paid for at them."""
    with at_desk(operator) as desk:
        rows = desk.ask(desk.views.readers)
    _say(rows, as_json=as_json, whole=rows)


@reader.command("remove", **examples("tallywatt reader remove 01a1fd31-..."))
def remove(
    reader_id: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Offer a card reader no longer. Who is paying there goes on."""
    from tallywatt.workflows.keep_reader import RemoveReader, remove_reader

    with at_desk(operator) as desk:
        desk.do(remove_reader, RemoveReader(reader_id))
        told = _reader(desk, reader_id)
    if as_json:
        say_json(told)
        return
    say(f"{told['label']} is offered no longer.")


def _reader(desk: Desk, reader_id: str) -> Data:
    found: Data | None = desk.ask(desk.views.reader, reader_id)
    if found is None:
        msg = "there is no such reader"
        raise NotFound(msg, code="readers.not_found")
    return found


def _say(rows: list[Data], *, as_json: bool, whole: object) -> None:
    if as_json:
        say_json(whole)
        return
    shown = [
        {
            **one,
            "serves": ", ".join(one["evses"]) or (f"all of {one['location']}" if one["location"] else "–"),
            "stands": "removed" if one["removed_at"] else "in use",
        }
        for one in rows
    ]
    say_table(COLUMNS, shown, empty="No card reader yet. Add one: tallywatt reader add READER")
