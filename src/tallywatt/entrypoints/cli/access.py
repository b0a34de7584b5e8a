"""`tallywatt api-key` and `tallywatt console-link`: who may come in. There is no default password."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, rfc3339_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant

api_key = group("api-key", "API keys: for programs; shown once, kept as a hash.")


@api_key.command(
    "create",
    **examples(
        "tallywatt api-key create reporting",
        "tallywatt api-key create importer --scope read --scope sessions --json",
    ),
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, operate, sell, collect, sessions, admin; several times; read if left out."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="RFC 3339; never if left out.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an API key and show it, once."""
    from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key

    until = None if expires is None else parse_instant(expires)
    with at_desk(operator) as desk:
        made = desk.do(create_api_key, CreateApiKey(name, tuple(scopes or ("read",)), until))
    key = made["key"]
    told = {
        "id": key["api_key_id"],
        "name": key["name"],
        "prefix": key["prefix"],
        "scopes": list(key["scopes"]),
        "created_at": rfc3339_of(key["created_at"]),
        "expires_at": rfc3339_of(key["expires_at"]),
        "key": made["text"],
    }
    if as_json:
        say_json(told)
        return
    say_fields([("key", told["key"]), ("name", told["name"]), ("may", told["scopes"]), ("until", told["expires_at"])])
    say("Keep it now: it cannot be shown again. Send it as  Authorization: Bearer <key>")


@api_key.command("list", **examples("tallywatt api-key list", "tallywatt api-key list --json"))
def list_keys(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List API keys, without what opens a door."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.api_keys)
    if as_json:
        say_json(found)
        return
    columns = (Column("name", "name", folds=True), Column("prefix", "prefix"), Column("may", "scopes", folds=True))
    more = (Column("last used", "last_used_at"), Column("revoked", "revoked_at"))
    say_table((*columns, *more), found, empty="No key yet. Make one: tallywatt api-key create NAME")


CONSOLE_LINK_EXAMPLES = examples("tallywatt console-link", "tallywatt console-link --hours 1 --operator dundee")


def console_link(
    hours: Annotated[int, typer.Option("--hours", min=1, max=24 * 30, help="How long the link may be used.")] = 24,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Print a link that opens the operator's console, once."""
    from tallywatt.workflows.sign_in import AddConsoleLink, add_console_link

    with at_desk(operator) as desk:
        made = desk.do(add_console_link, AddConsoleLink(hours * 3600))
        url = console_url(desk.settings.base_url, made["secret"])
    told = {"id": made["link"]["link_id"], "url": url, "expires_at": rfc3339_of(made["link"]["expires_at"])}
    if as_json:
        say_json(told)
        return
    say(url)
    say("It works once, in one browser. Make another for the next: tallywatt console-link")


def console_url(base_url: str, secret: str) -> str:
    """Where a link's secret opens the console."""
    return f"{base_url}/console/enter/{secret}"
