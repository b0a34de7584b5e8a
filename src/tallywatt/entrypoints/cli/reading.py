"""Files that commands read: one JSON object each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import typer

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from tallywatt.entrypoints.cli.show import Data


def read_object(file: Path) -> Data:
    """The JSON object in a file; - is standard input."""
    try:
        text = typer.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise BadInput(msg, code="file.unreadable") from error
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        msg = f"{file} is not JSON: {error}"
        raise BadInput(msg, code="file.not_json") from error
    if not isinstance(found, dict):
        msg = f"{file} holds no JSON object"
        raise BadInput(msg, code="file.not_json", remedy="one tariff a file: an object, not a list")
    return found
