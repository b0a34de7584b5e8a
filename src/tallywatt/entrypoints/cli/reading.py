"""What commands read and write: whole files, one JSON object, or one JSON object a line that is answered by one."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tallywatt.entrypoints.cli.show import Data

_decoder = msgspec.json.Decoder(float_hook=Decimal)


def read_bytes(file: Path) -> bytes:
    """All that a file holds; - is standard input."""
    with _readable(file):
        return typer.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()


def read_text(file: Path) -> str:
    """The text of a file, with or without a byte order mark; - is standard input."""
    try:
        return read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8"
        raise BadInput(msg, code="file.unreadable") from error


def write_bytes(file: Path, content: bytes) -> None:
    """All that a file is to hold."""
    try:
        file.write_bytes(content)
    except OSError as error:
        msg = f"{file} cannot be written: {error.strerror}"
        raise BadInput(msg, code="file.unwritable") from error


def read_object(file: Path) -> Data:
    """The JSON object in a file; - is standard input."""
    try:
        found = msgspec.json.decode(read_bytes(file))
    except msgspec.DecodeError as error:
        msg = f"{file} is not JSON: {error}"
        raise BadInput(msg, code="file.not_json") from error
    if not isinstance(found, dict):
        msg = f"{file} holds no JSON object"
        raise BadInput(msg, code="file.not_json", remedy="one tariff a file: an object, not a list")
    return found


def read_json(text: bytes) -> Any:
    """JSON with every figure as it was written: a price never goes through a binary fraction."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"is not JSON: {error}"
        raise BadInput(msg, code="line.not_json") from error


def answer_lines(file: Path, answer: Callable[[Any], dict[str, Any]], *, told: dict[str, Any] | None = None) -> None:
    """Answer each line of a file by one line, whatever it holds, as soon as it is read; empty lines are passed over.

    `told` is what an error says besides its code and message.
    """
    encoder = msgspec.json.Encoder(decimal_format="number")
    out = typer.get_binary_stream("stdout")
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            out.write(encoder.encode(_answered(line, number, answer, told or {})) + b"\n")
            out.flush()  # who asks line by line waits for this one before the next


def _answered(line: bytes, number: int, answer: Callable[[Any], dict[str, Any]], told: dict[str, Any]) -> Data:
    try:
        return answer(read_json(line))
    except BadInput as error:
        code, says = error.code, error.message
    except Exception as error:  # noqa: BLE001 - one line in a million that nobody thought of must not end the run
        code, says = "line.not_answered", f"cannot be answered: {error!r}"
    return {"id": None, "error": {"code": code, "message": f"line {number}: {says}", **told}}


def _lines(file: Path) -> Iterator[bytes]:
    with _readable(file):
        if str(file) == "-":
            yield from typer.get_binary_stream("stdin")
            return
        with file.open("rb") as opened:
            yield from opened


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise BadInput(msg, code="file.unreadable") from error
