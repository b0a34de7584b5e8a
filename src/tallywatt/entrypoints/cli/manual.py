"""The manual of the command line, written from the commands themselves: `python -m tallywatt.entrypoints.cli.manual`.

It prints docs/reference/cli.md; a test compares the two.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tallywatt.entrypoints.cli.failing import EXIT_CODES
from tallywatt.entrypoints.cli.program import app

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 80
HEAD = """# The command line

This page is made from the commands themselves (`python -m tallywatt.entrypoints.cli.manual > docs/reference/cli.md`), and a
test keeps the two together.

Every command takes `--help`. What concerns one operator takes `--operator SLUG` (or `TALLYWATT_OPERATOR`), which may be left
out while there is only one. With `--json` a command says one line of JSON on standard output, whose keys are listed below and
in a JSON schema of its own (`src/tallywatt/entrypoints/cli/schemas/`). In JSON, energy is in Wh, as a decimal string with up
to three places; money is in minor units beside its currency; times are RFC 3339 in UTC.

Errors go to standard error: a sentence, a stable code in brackets, and what to do. Reading never waits for a running server;
writing goes through it where it owns the database (SQLite), and by itself otherwise.
"""


def manual() -> str:
    """The whole page."""
    parts = [HEAD, "## Exit codes\n", "| code | meaning |\n|---|---|"]
    parts[-1] += "".join(f"\n| {code} | {meaning} |" for code, meaning in EXIT_CODES) + "\n"
    for path, command in _commands(_root(), ()):
        parts.append(f"## `tallywatt {' '.join(path)}`\n")
        parts.append(f"```text\n{_help(command, path)}\n```\n")
        keys = _keys("-".join(path))
        if keys is not None:
            parts.append(keys)
    return "\n".join(parts)


def _root() -> Any:
    from typer.main import get_command

    return get_command(app)


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def _help(command: Any, path: tuple[str, ...]) -> str:
    """The help as a terminal of the usual width shows it, without the line that every command has."""
    context = command.make_context(
        f"tallywatt {' '.join(path)}", [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def _keys(name: str) -> str | None:
    """The keys of a command's JSON, from its schema."""
    path = files(__package__).joinpath("schemas").joinpath(f"{name}.json")
    if not path.is_file():
        return None
    schema = json.loads(path.read_text("utf-8"))
    each = schema.get("items")
    lead = "With `--json`, an array of objects:" if each else "With `--json`, an object:"
    if name == "demo":
        lead = "The last line, on standard output:"
    rows = [f"| `{key}` | {_type(one)} | {one['description']} |" for key, one in (each or schema)["properties"].items()]
    return "\n".join([lead, "", "| key | type | meaning |", "|---|---|---|", *rows, ""])


def _type(one: dict[str, Any]) -> str:
    if "anyOf" in one:
        return "0 or text"
    kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
    shown = {"string": "text", "integer": "number", "boolean": "true or false"}
    words = [shown[kind] if kind in shown else str(kind) for kind in kinds]
    if one.get("format") == "date-time":
        words[0] = "time"
    elif "pattern" in one:
        words[0] = "Wh"
    return " or ".join(words)


if __name__ == "__main__":
    sys.stdout.write(manual())
