"""Pure: form-encoded nested parameters (`a[b][0][c]=v`), checked against what an endpoint takes."""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes
from email.policy import HTTP
from typing import Any, Final
from urllib.parse import parse_qsl

from tallywatt.simulators.psp.refusals import bad_request

INT: Final = "integer"
BOOL: Final = "boolean"
TEXT: Final = "string"
MAP: Final = "map"
"""Free string keys with string values: metadata."""
FILE: Final = "file"
"""Part of a multipart body: its name and its bytes."""

Kind = str | tuple[str, ...] | list[Any] | Mapping[str, Any]
"""What a parameter must be: INT, BOOL, TEXT, MAP, a tuple of allowed words, a list of a kind, a mapping of parameters."""
Schema = Mapping[str, Kind]
Nested = dict[str, Any]

METADATA_KEYS: Final = 50
METADATA_KEY_LENGTH: Final = 40
METADATA_VALUE_LENGTH: Final = 500


def decode(text: str) -> Nested:
    """The tree of a form body or a query string."""
    tree: Nested = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, _, rest = name.partition("[")
        keys = [head, *rest.rstrip("]").split("][")] if rest else [head]
        spot = tree
        for key in keys[:-1]:
            spot = spot.setdefault(key, {})
            if not isinstance(spot, dict):
                msg = "Invalid request: a parameter is both a value and a hash."
                raise bad_request(msg, param=name)
        spot[keys[-1]] = value
    return tree


def decode_parts(content_type: str, body: bytes) -> Nested:
    """The tree of a multipart body (RFC 7578): texts, and files with their names."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=HTTP)
    tree: Nested = {}
    for part in message.iter_parts():
        name, filename = part.get_param("name", header="content-disposition"), part.get_filename()
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            msg = "Invalid request: a part has no name."
            raise bad_request(msg)
        tree[name] = content.decode() if filename is None else {"filename": filename, "content": content}
    return tree


def check(tree: Nested, schema: Schema, required: tuple[str, ...] = (), prefix: str = "") -> Nested:
    """The same tree with integers and booleans read, or the refusal that the provider documents."""
    for name in tree:
        if name not in schema:
            shown = _shown(prefix, name)
            msg = f"Received unknown parameter: {shown}"
            raise bad_request(msg, code="parameter_unknown", param=shown)
    for name in required:
        if tree.get(name) in (None, "", {}):
            shown = _shown(prefix, name)
            msg = f"Missing required param: {shown}."
            raise bad_request(msg, code="parameter_missing", param=shown)
    return {name: _read(value, schema[name], _shown(prefix, name)) for name, value in tree.items()}


def _shown(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _read(value: Any, kind: Kind, shown: str) -> Any:
    if isinstance(kind, list):
        return _read_list(value, kind[0], shown)
    if isinstance(kind, Mapping):
        if not isinstance(value, dict):
            msg = f"Invalid object: {shown}"
            raise bad_request(msg, code="parameter_invalid_empty", param=shown)
        return check(value, kind, prefix=shown)
    if kind == MAP:
        return _read_map(value, shown)
    if kind == FILE and isinstance(value, dict) and "content" in value:
        return value
    if not isinstance(value, str):
        msg = f"Invalid string: {shown}"
        raise bad_request(msg, param=shown)
    if isinstance(kind, tuple):
        if value not in kind:
            msg = f"Invalid {shown}: must be one of {', '.join(kind)}"
            raise bad_request(msg, param=shown)
        return value
    return _read_scalar(value, kind, shown)


def _read_scalar(value: str, kind: str, shown: str) -> str | int | bool:
    if kind == INT:
        if not value.lstrip("-").isascii() or not value.lstrip("-").isdigit():
            msg = f"Invalid integer: {value}"
            raise bad_request(msg, code="parameter_invalid_integer", param=shown)
        return int(value)
    if kind == BOOL:
        if value not in ("true", "false"):
            msg = f"Invalid boolean: {value}"
            raise bad_request(msg, param=shown)
        return value == "true"
    return value


def _read_list(value: Any, kind: Kind, shown: str) -> list[Any]:
    if not isinstance(value, dict):
        msg = f"Invalid array: {shown}"
        raise bad_request(msg, param=shown)
    return [_read(item, kind, f"{shown}[{index}]") for index, item in value.items()]


def _read_map(value: Any, shown: str) -> dict[str, str]:
    if value == "":
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        msg = f"Invalid hash: {shown}"
        raise bad_request(msg, param=shown)
    too_long = any(len(key) > METADATA_KEY_LENGTH or len(item) > METADATA_VALUE_LENGTH for key, item in value.items())
    if len(value) > METADATA_KEYS or too_long:
        msg = "Metadata takes 50 keys of 40 characters with values of 500."
        raise bad_request(msg, param=shown)
    return dict(value)
