"""`tallywatt api-key` and `tallywatt console-link`: who may come in. There is no default password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tallywatt.customers.access import ALL_SCOPES
from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, rfc3339_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.desk import Desk
    from tallywatt.entrypoints.cli.show import Data

SCOPES = ", ".join(ALL_SCOPES)

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
        typer.Option(
            "--scope",
            help=f"{SCOPES}; several times; read if left out.",
        ),
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
    _show(made, as_json=as_json)


@api_key.command(
    "rotate",
    **examples("tallywatt api-key rotate importer", "tallywatt api-key rotate importer --grace-hours 0 --json"),
)
def rotate(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its name, prefix or id.")],
    grace_hours: Annotated[
        int, typer.Option("--grace-hours", min=0, max=720, help="How long the old secret goes on opening.")
    ] = 24,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give a key a new secret and show it, once."""
    from tallywatt.workflows.rotate_api_key import RotateApiKey, rotate_api_key

    with at_desk(operator) as desk:
        chosen = _chosen(desk, key)
        made = desk.do(rotate_api_key, RotateApiKey(chosen["id"], grace_hours * 3600))
    _show(made, as_json=as_json)


@api_key.command("revoke", **examples("tallywatt api-key revoke importer", "tallywatt api-key revoke k7m2p9q4r8s1"))
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its name, prefix or id.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """End a key at once."""
    from tallywatt.workflows.create_api_key import RevokeApiKey, revoke_api_key

    with at_desk(operator) as desk:
        row = desk.do(revoke_api_key, RevokeApiKey(_chosen(desk, key)["id"]))
    told = {"id": row["api_key_id"], "name": row["name"], "revoked_at": rfc3339_of(row["revoked_at"])}
    if as_json:
        say_json(told)
        return
    say(f"The key {told['name']} opens nothing any more.")


def _chosen(desk: Desk, key: str) -> Data:
    """The key of an id, a prefix, or a name that only one has which still opens."""
    rows: list[Data] = desk.ask(desk.views.api_keys)
    exact = [row for row in rows if key in {row["id"], row["prefix"]}]
    named = [row for row in rows if row["name"] == key and row["revoked_at"] is None]
    found = exact or named
    if len(found) == 1:
        return found[0]
    if not found:
        msg = f"there is no key {key!r}"
        raise NotFound(msg, code="api_keys.not_found", remedy="see: tallywatt api-key list")
    msg = f"several keys are called {key!r}"
    raise BadInput(msg, code="api_keys.which", remedy=f"name its prefix: {', '.join(row['prefix'] for row in found)}")


def _show(made: Data, *, as_json: bool) -> None:
    key = made["key"]
    told = {
        "id": key["api_key_id"],
        "name": key["name"],
        "prefix": key["prefix"],
        "scopes": list(key["scopes"]),
        "created_at": rfc3339_of(key["created_at"]),
        "expires_at": rfc3339_of(key["expires_at"]),
        "old_valid_until": rfc3339_of(key["old_valid_until"]),
        "key": made["text"],
    }
    if as_json:
        say_json(told)
        return
    fields = [("key", told["key"]), ("name", told["name"]), ("may", told["scopes"]), ("until", told["expires_at"])]
    if told["old_valid_until"] is not None:
        fields.append(("old secret until", told["old_valid_until"]))
    say_fields(fields)
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
