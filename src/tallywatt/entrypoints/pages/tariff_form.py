"""Pure: a simple tariff as the fields of a form, to OCPI's shape and back. What the form cannot say is written as JSON."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.pages.language import later
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.read import read_tariff

if TYPE_CHECKING:
    from tallywatt.rating.tariff import Tariff

Fields = dict[str, str]

EMPTY: Final[Fields] = {
    "reference": "", "name": "", "currency": "", "tax_included": "YES", "vat": "", "energy": "", "window_from": "",
    "window_to": "", "window_energy": "", "time": "", "idle": "", "idle_after": "", "flat": "",
}  # fmt: skip
_NUMBERS: Final = ("vat", "energy", "window_energy", "time", "idle", "flat")
_NO_NUMBER: Final = later("This is no figure; write it like 0.45.")
_NO_TIME: Final = later("This is no time of day; write it like 07:00.")
_NO_MINUTES: Final = later("Whole minutes, please.")
_MISSING: Final = later("This is needed.")
_WINDOW: Final = later("A price by time of day needs a beginning, an end and a price.")
_NOTHING: Final = later("A tariff has at least one price.")


def data_of(given: Fields) -> tuple[dict[str, Any], Fields]:
    """The tariff in OCPI's shape, and what is wrong with which field; with anything wrong the tariff is not to be used."""
    fields = EMPTY | {name: value.strip() for name, value in given.items() if name in EMPTY}
    wrong: Fields = {name: _MISSING for name in ("reference", "currency") if not fields[name]}
    for name in _NUMBERS:
        # A comma is what a German keyboard gives; prices have no thousands to tell apart.
        fields[name] = fields[name].replace(",", ".")
        if fields[name] and not _is_number(fields[name]):
            wrong[name] = _NO_NUMBER
    wrong |= {name: _NO_TIME for name in ("window_from", "window_to") if fields[name] and not _is_time(fields[name])}
    if fields["idle_after"] and not re.fullmatch(r"\d{1,5}", fields["idle_after"]):
        wrong["idle_after"] = _NO_MINUTES
    window = [fields[name] for name in ("window_from", "window_to", "window_energy")]
    if any(window) and not all(window):
        wrong.setdefault("window_energy", _WINDOW)
    if not any(fields[name] for name in ("energy", "window_energy", "time", "idle", "flat")):
        wrong.setdefault("energy", _NOTHING)
    return ({} if wrong else _tariff(fields)), wrong


def fields_of(data: dict[str, Any]) -> Fields | None:
    """The form's fields of a tariff; None where the form cannot say all that the tariff says."""
    fields = EMPTY | {
        "reference": data["id"], "name": data["name"], "currency": data["currency"], "tax_included": data["tax_included"],
    }  # fmt: skip
    for element in data["elements"]:
        restrictions = element.get("restrictions", {})
        for component in element["price_components"]:
            fields["vat"] = component.get("vat", "")
            fields |= _fields_of_component(component["type"], component["price"], restrictions)
    again, wrong = data_of(fields)
    try:
        return fields if not wrong and _prices(read_tariff(again)) == _prices(read_tariff(data)) else None
    except BadInput:
        return None


def _prices(tariff: Tariff) -> list[tuple[Any, ...]]:
    """What a tariff charges, whichever elements its components stand in: in order, as the first one holds.

    And what it says beside its components, for which the form has no field.
    """
    found = [
        (one.dimension.value, one.price, one.tax_rate, one.step_size, one.index, element.restrictions)
        for element in tariff.elements
        for one in element.components
    ]
    own = (tariff.idle_grace, tariff.idle_free, tariff.idle_below, tariff.caps, tariff.discounts)
    beside = ("", tariff.min_price, tariff.max_price, *own, tariff.taxes_apply)
    return [beside, *sorted(found, key=lambda one: one[0])]


def _fields_of_component(kind: str, price: str, restrictions: dict[str, Any]) -> Fields:
    if kind == "ENERGY" and restrictions:
        times = {
            name: restrictions.get(key, "") for name, key in (("window_from", "start_time"), ("window_to", "end_time"))
        }
        return {**times, "window_energy": price}
    if kind == "PARKING_TIME" and "min_duration" in restrictions:
        return {"idle": price, "idle_after": str(restrictions["min_duration"] // 60)}
    return {{"ENERGY": "energy", "TIME": "time", "PARKING_TIME": "idle", "FLAT": "flat"}[kind]: price}


def _tariff(fields: Fields) -> dict[str, Any]:
    elements: list[dict[str, Any]] = []
    if fields["window_energy"]:
        times = {"start_time": fields["window_from"], "end_time": fields["window_to"]}
        elements.append({"price_components": [_component(fields, "ENERGY", "window_energy")], "restrictions": times})
    if fields["idle"] and fields["idle_after"]:
        since = {"min_duration": int(fields["idle_after"]) * 60}
        elements.append({"price_components": [_component(fields, "PARKING_TIME", "idle")], "restrictions": since})
    always = [("ENERGY", "energy"), ("TIME", "time"), ("FLAT", "flat")]
    if not fields["idle_after"]:
        always.insert(2, ("PARKING_TIME", "idle"))
    components = [_component(fields, kind, name) for kind, name in always if fields[name]]
    if components:
        elements.append({"price_components": components})
    return {
        "id": fields["reference"],
        "name": fields["name"] or fields["reference"],
        "currency": fields["currency"].upper(),
        "tax_included": fields["tax_included"],
        "elements": elements,
    }


def _component(fields: Fields, kind: str, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind, "price": fields[name], "step_size": 1}
    if fields["vat"]:
        made["vat"] = fields["vat"]
    return made


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_time(text: str) -> bool:
    return re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text) is not None
