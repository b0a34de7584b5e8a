"""`tallywatt secrets`: secrets of providers, kept sealed; and the master key above all of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk, settings
from tallywatt.entrypoints.cli.show import Column, say, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.errors import BadInput

secrets = group("secrets", "Secrets of providers, sealed; and the master key.")

SecretName = Annotated[
    str, typer.Argument(metavar="NAME", help="Your name for it; accounts refer to it as vault:NAME.")
]


@secrets.command(
    "put",
    **examples(
        "tallywatt secrets put stripe-live",
        "tallywatt secrets put stripe-hook --from-file /run/secrets/hook",
        'printf %s "$KEY" | tallywatt secrets put stripe-live',
    ),
)
def put(
    name: SecretName,
    from_file: Annotated[
        Path | None,
        typer.Option("--from-file", metavar="PATH", help="Its first line; else asked for, or read from a pipe."),
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep a secret, sealed. The same name again replaces it.

    It is never shown again. It is no argument, so that it stands in no history of a shell and in no list of processes.
    """
    from tallywatt.workflows.put_secret import PutSecret, put_secret

    with at_desk(operator) as desk:
        kept = desk.do(put_secret, PutSecret(name, _read(from_file)))
    told = {"id": kept["secret_id"], "name": kept["name"], "reference": kept["reference"]}
    if as_json:
        say_json(told)
        return
    say(f"Kept. Give it to an account as  --secret {told['reference']}")


def _read(path: Path | None) -> str:
    if path is not None:
        if not path.is_file():
            msg = f"there is no file {path}"
            raise BadInput(msg, code="secrets.no_file")
        text = path.read_text(encoding="utf-8")
    elif sys.stdin.isatty():
        text = str(typer.prompt("Secret", hide_input=True))
    else:
        text = sys.stdin.read()
    return text.strip().partition("\n")[0].strip()


@secrets.command("list", **examples("tallywatt secrets list", "tallywatt secrets list --json"))
def list_secrets(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List the names of what is kept; never what it is."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.secrets)
    if as_json:
        say_json(found)
        return
    columns = (Column("name", "name"), Column("kept", "created_at"), Column("changed", "changed_at"))
    say_table(columns, found, empty="No secret is kept here. Keep one: tallywatt secrets put NAME")


@secrets.command("remove", **examples("tallywatt secrets remove stripe-old"))
def remove(name: SecretName, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Forget a secret that no account uses any more."""
    from tallywatt.workflows.put_secret import RemoveSecret, remove_secret

    with at_desk(operator) as desk:
        gone = desk.do(remove_secret, RemoveSecret(name))
    told = {"id": gone["secret_id"], "name": gone["name"]}
    if as_json:
        say_json(told)
        return
    say(f"Forgotten: {told['name']}.")


@secrets.command(
    "rotate", **examples("tallywatt secrets rotate", "tallywatt secrets rotate --new-key-file /run/secrets/master")
)
def rotate(
    new_key_file: Annotated[
        Path | None,
        typer.Option("--new-key-file", metavar="PATH", help="A key of 64 hex digits; made by chance if left out."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change the master key, and wrap all other keys anew. Stop every server first.

    Where the key has a file, the file is replaced; where it is in the environment, change it there afterwards. Backups
    made before need the key of their time. Everybody signs in again; stations keep their keys.
    """
    from tallywatt.settings import read_key
    from tallywatt.wiring import change_master_key

    chosen = settings()
    if chosen.master_key is not None and new_key_file is None:
        msg = "the master key is in the environment, and only you can change it there"
        remedy = "write a new one with: openssl rand -hex 32 > PATH; then give --new-key-file PATH"
        raise BadInput(msg, code="keys.in_environment", remedy=remedy)
    new = None
    if new_key_file is not None:
        if not new_key_file.is_file():
            msg = f"there is no file {new_key_file}"
            raise BadInput(msg, code="keys.no_file")
        new = read_key(new_key_file.read_text(encoding="utf-8", errors="replace"), str(new_key_file))
    count = change_master_key(chosen, new)
    if as_json:
        say_json({"data_keys": count, "key_file": None if chosen.master_key is not None else str(chosen.key_file)})
        return
    where = (
        "Set TALLYWATT_MASTER_KEY to it now"
        if chosen.master_key is not None
        else f"It is in {chosen.key_file}: keep a copy"
    )
    say(f"The master key is changed, and {count} data keys are wrapped anew. {where}.")
