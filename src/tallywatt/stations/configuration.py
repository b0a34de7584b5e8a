"""Pure: a station's configuration, whatever its version: what was told, what may be asked, and what is never kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tallywatt.stations.messages import OLD
from tallywatt.stations.reports import Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import StationId

SECRET: Final = frozenset(
    {"authorizationkey", "basicauthpassword", "apnpassword", "vpnpassword", "apnsimpin", "vpnkey"}
)
"""Places with keys. What is in them is neither shown nor kept, and they are not written by name."""
HIDDEN: Final = "***"
_TAKEN: Final = frozenset({"Accepted", "RebootRequired"})
LONGEST_VALUE = 2500
MOST_VARIABLES = 5000
"""Of one message; a station that tells more is not believed."""
LARGEST_EVSE = 65_535


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a configuration. In OCPP 1.6 `name` is the key, and nothing else is said."""

    name: str
    component: str = ""
    evse: int = 0
    connector: int = 0
    component_instance: str = ""
    instance: str = ""
    attribute: str = "Actual"

    def __str__(self) -> str:
        """How a person names it: `Component.Variable`, or the key."""
        return f"{self.component}.{self.name}" if self.component else self.name


def is_secret(name: str) -> bool:
    """Whether a place holds a key."""
    return name.lower() in SECRET


def reading(protocol: str, places: Sequence[Place]) -> tuple[str, dict[str, Any]]:
    """The message that asks for these places; for all of them where none is named."""
    if protocol == OLD:
        return "GetConfiguration", {"key": [one.name for one in places]} if places else {}
    if not places:
        return "GetBaseReport", {"reportBase": "FullInventory"}
    return "GetVariables", {"getVariableData": [_named(one) for one in places]}


def writing(protocol: str, values: Sequence[tuple[Place, str]]) -> list[tuple[str, dict[str, Any]]]:
    """The messages that write these values: one a key in OCPP 1.6, one for all in 2.x."""
    if protocol == OLD:
        return [("ChangeConfiguration", {"key": place.name, "value": value}) for place, value in values]
    return [
        ("SetVariables", {"setVariableData": [{**_named(place), "attributeValue": value} for place, value in values]})
    ]


def _named(place: Place) -> dict[str, Any]:
    component: dict[str, Any] = {"name": place.component}
    if place.component_instance:
        component["instance"] = place.component_instance
    if place.evse:
        component["evse"] = {"id": place.evse} | ({"connectorId": place.connector} if place.connector else {})
    variable = {"name": place.name} | ({"instance": place.instance} if place.instance else {})
    named = {"component": component, "variable": variable}
    return named if place.attribute == "Actual" else {**named, "attributeType": place.attribute}


def variables_of(
    station_id: StationId, message: str, asked: Mapping[str, Any], told: Mapping[str, Any], at: Instant
) -> list[Variable]:
    """What an answer or a report tells about the configuration; each place once, the last word counts."""
    found: dict[tuple[Any, ...], Variable] = {}
    for place, value, writable in _read(message, asked, told):
        kept = HIDDEN if is_secret(place.name) and value is not None else value
        one = Variable(
            station_id, place.component[:50], place.component_instance[:50], place.evse, place.connector,
            place.name[:50], place.instance[:50], place.attribute[:10], None if kept is None else kept[:LONGEST_VALUE],
            writable, at,
        )  # fmt: skip
        found[
            (one.component, one.component_instance, one.evse, one.connector, one.name, one.instance, one.attribute)
        ] = one
        if len(found) >= MOST_VARIABLES:
            break
    return list(found.values())


_Found: TypeAlias = "Iterator[tuple[Place, str | None, bool | None]]"
"""Place, value, and whether it may be written, where that is told."""


def _read(message: str, asked: Mapping[str, Any], told: Mapping[str, Any]) -> _Found:
    match message:
        case "GetConfiguration":
            for one in _objects(told.get("configurationKey")):
                yield Place(_text(one.get("key"))), _value(one.get("value")), one.get("readonly") is not True
        case "ChangeConfiguration" if told.get("status") in _TAKEN:
            yield Place(_text(asked.get("key"))), _value(asked.get("value")), True
        case "GetVariables":
            for one in _objects(told.get("getVariableResult")):
                if one.get("attributeStatus") in _TAKEN:
                    yield _place(one, one.get("attributeType")), _value(one.get("attributeValue")), None
        case "SetVariables":
            yield from _written(asked, told)
        case "NotifyReport":
            yield from _inventory(told)


def _written(asked: Mapping[str, Any], told: Mapping[str, Any]) -> _Found:
    results = _objects(told.get("setVariableResult"))
    taken = {_place(one, one.get("attributeType")) for one in results if one.get("attributeStatus") in _TAKEN}
    for one in _objects(asked.get("setVariableData")):
        place = _place(one, one.get("attributeType"))
        if place in taken:
            yield place, _value(one.get("attributeValue")), True


def _inventory(told: Mapping[str, Any]) -> _Found:
    for one in _objects(told.get("reportData")):
        for attribute in _objects(one.get("variableAttribute")):
            writable = attribute.get("mutability", "ReadWrite") != "ReadOnly"
            yield _place(one, attribute.get("type")), _value(attribute.get("value")), writable


def without_secrets(content: Any) -> Any:
    """A payload as it may be kept and shown: keys are hidden wherever a configuration holds them."""
    if isinstance(content, list):
        return [without_secrets(one) for one in content]
    if not isinstance(content, dict):
        return content
    variable = content.get("variable")
    named = content.get("key") or (variable.get("name") if isinstance(variable, dict) else None)
    hides = isinstance(named, str) and is_secret(named)
    return {
        name: HIDDEN if hides and name in {"value", "attributeValue"} else _hidden(name, value, hides=hides)
        for name, value in content.items()
    }


def _hidden(name: str, value: Any, *, hides: bool) -> Any:
    if is_secret(name) and not isinstance(value, (dict, list)):
        return HIDDEN
    if hides and name == "variableAttribute" and isinstance(value, list):
        return [{**one, "value": HIDDEN} if isinstance(one, dict) and "value" in one else one for one in value]
    return without_secrets(value)


def names_secret(content: Any) -> bool:
    """Whether a message would carry a key in clear words."""
    return bool(without_secrets(content) != content)


def _place(told: Mapping[str, Any], attribute: Any) -> Place:
    component, variable = _object(told.get("component")), _object(told.get("variable"))
    evse = _object(component.get("evse"))
    return Place(
        _text(variable.get("name")),
        _text(component.get("name")),
        _number(evse.get("id")),
        _number(evse.get("connectorId")),
        _text(component.get("instance")),
        _text(variable.get("instance")),
        _text(attribute) or "Actual",
    )


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _value(value: Any) -> str | None:
    return value if isinstance(value, str) else None if value is None else str(value)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value <= LARGEST_EVSE else 0
