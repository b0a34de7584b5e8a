"""The OCA schemas that the `ocpp` package carries, read when first needed and checked by compiled validators."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from tallywatt.adapters.ocpp.reading import NoObject, loose

if TYPE_CHECKING:
    import msgspec

    from tallywatt.adapters.ocpp.facts import Dialect

_TYPE = "TypeConstraintViolation"
_PROPERTY = "PropertyConstraintViolation"


@cache
def _folder(version: str) -> frozenset[str]:
    return frozenset(one.name for one in files("ocpp").joinpath(version, "schemas").iterdir())


def text_of(version: str, name: str) -> dict[str, Any]:
    """A schema as it stands in the specification."""
    told: dict[str, Any] = json.loads(files("ocpp").joinpath(version, "schemas", name).read_text(encoding="utf-8-sig"))
    return told


@cache
def _validator(version: str, name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(text_of(version, name))


def knows(dialect: Dialect, action: str) -> bool:
    """Whether the specification has such a message, in either direction."""
    return f"{action}{dialect.schema_suffix}.json" in _folder(dialect.schemas)


@cache
def may_be_bare(dialect_schemas: str, action: str) -> bool:
    """Whether the answer to a message may be an empty object."""
    name = f"{action}Response.json"
    if name not in _folder(dialect_schemas):
        return False
    return not text_of(dialect_schemas, name).get("required")


def violation(dialect: Dialect, action: str, payload: msgspec.Raw) -> tuple[str, str] | None:
    """The error code and the sentence for a payload that breaks its schema; None for one that keeps to it."""
    try:
        told = loose(bytes(payload))
    except NoObject:
        return dialect.malformed, "the payload is not JSON"
    if not isinstance(told, dict):
        return dialect.malformed, "the payload is not an object"
    first = next(_validator(dialect.schemas, f"{action}{dialect.schema_suffix}.json").iter_errors(told), None)
    if first is None:
        return None
    match first.kind.name:
        case "required":
            code = dialect.occurrence
        case "type":
            code = _TYPE
        case "additionalProperties":
            code = dialect.malformed
        case _:
            code = _PROPERTY
    # The station's own figures and names are left out: the path says enough.
    place = "/".join(str(step) for step in first.instance_path) or "the payload"
    return code, f"{place} breaks {first.kind.name}"
