"""Options that many commands share, and how a command is described."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

OperatorOption = Annotated[
    str | None,
    typer.Option(
        "--operator",
        metavar="SLUG",
        envvar="TALLYWATT_OPERATOR",
        help="Whose; may be left out while there is only one operator.",
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Say it as one line of JSON (keys: docs/reference/cli.md).")]
IN_A_TABLE = 40
"""So many rows of a long list are shown to people who did not say how many they want; JSON has them all."""
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=1, help=f"At most so many; if left out, {IN_A_TABLE} in a table, all in JSON."
    ),
]


def minor_units(text: object) -> int:
    """A sum that is counted in the smallest unit of its currency. `5.00` is refused: it would be five of them."""
    if not re.fullmatch(r"[0-9]{1,15}", plain := str(text).strip()):
        msg = f"{plain[:20]!r} is no number of the smallest unit: write 500 for 5.00"
        raise typer.BadParameter(msg)
    return int(plain)


def group(name: str, help_text: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(name=name, help=help_text, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def examples(*lines: str) -> dict[str, Any]:
    """What stands below the help of a command. The first character keeps the lines as they are."""
    return {"epilog": "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)}
