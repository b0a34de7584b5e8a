"""The part of the tree of commands that somebody has named: making all of it takes a fifth of a second of every call."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from typer.main import get_command_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer import Typer
    from typer.models import CommandInfo, TyperInfo


def narrowed(tree: Typer, words: Sequence[str]) -> Typer:
    """The branch that the first words name; all of the tree where they name none: an option, a slip, nothing at all.

    So whoever asks for help sees everything, and who mistypes a command is told what it may have been.
    """
    if not words:
        return tree
    commands = [one for one in tree.registered_commands if _name_of(one) == words[0]]
    groups = [_branch(one, words[1:]) for one in tree.registered_groups if _is_named(one, words[0])]
    if not commands and not groups:
        return tree
    part = copy(tree)
    part.registered_commands, part.registered_groups = commands, groups
    return part


def _branch(group: TyperInfo, words: Sequence[str]) -> TyperInfo:
    assert group.typer_instance is not None, "it has a name"
    branch = copy(group)
    branch.typer_instance = narrowed(group.typer_instance, words)
    return branch


def _is_named(group: TyperInfo, word: str) -> bool:
    return group.typer_instance is not None and group.typer_instance.info.name == word


def _name_of(command: CommandInfo) -> str | None:
    if command.name is not None or command.callback is None:
        return command.name
    return get_command_name(command.callback.__name__)
