"""The part of the tree of commands that is made for a call is the same as in the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.main import get_command

from tallywatt.entrypoints.cli.narrowing import narrowed
from tallywatt.entrypoints.cli.program import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entrypoints.cli.conftest import CommandLine


def leaves(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that lead to it."""
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, one in command.commands.items():
        yield from leaves(one, *words, name)


def told(command: Any) -> tuple[Any, ...]:
    """All that makes a command: its words, its options and their defaults."""
    options = [
        (one.name, one.opts, one.required, one.default, one.help) for one in command.params if hasattr(one, "help")
    ]
    return command.name, command.help, command.epilog, options


def test_every_command_is_reached_by_its_own_words_and_nothing_else_is_made() -> None:
    """One that were narrowed away could not be called at all."""
    whole = dict(leaves(get_command(app)))
    assert len(whole) > 100
    for words, command in whole.items():
        [(found, alone)] = leaves(get_command(narrowed(app, [*words, "--json"])))
        assert (found, told(alone)) == (words, told(command))


def test_what_names_no_command_leaves_the_tree_whole() -> None:
    """Help lists all commands, and a slip is answered with what was perhaps meant."""
    for words in ([], ["--help"], ["--version", "station"], ["statoin", "list"]):
        assert narrowed(app, words) is app
    group: Any = get_command(narrowed(app, ["station", "--help"]))
    assert list(group.commands) == ["station"]
    assert len(group.commands["station"].commands) > 5


def test_a_slip_is_told_what_was_meant(tallywatt: CommandLine) -> None:
    """In a group as at the top."""
    for words in (("statoin", "list"), ("station", "lits")):
        ran = tallywatt(*words)
        assert ran.code == 2
        assert "Did you mean" in ran.err
