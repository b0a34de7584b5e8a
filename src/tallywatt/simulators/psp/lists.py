"""Lists and searches, newest first, in pages; and objects shown inside others where a request expands them."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from tallywatt.simulators.psp.forms import INT, TEXT, Schema
from tallywatt.simulators.psp.intents import current
from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

_PAGE: Final[Schema] = {
    "created": {"gt": INT, "gte": INT, "lt": INT, "lte": INT},
    "ending_before": TEXT,
    "expand": [TEXT],
    "limit": INT,
    "starting_after": TEXT,
}
INTENTS: Final[Schema] = {**_PAGE, "customer": TEXT}
CHARGES: Final[Schema] = {**_PAGE, "customer": TEXT, "payment_intent": TEXT}
REFUNDS: Final[Schema] = {**_PAGE, "charge": TEXT, "payment_intent": TEXT}
TRANSACTIONS: Final[Schema] = {**_PAGE, "currency": TEXT, "payout": TEXT, "source": TEXT, "type": TEXT}
SESSIONS: Final[Schema] = {**_PAGE, "customer": TEXT, "payment_intent": TEXT, "status": TEXT}
METHODS: Final[Schema] = {**_PAGE, "customer": TEXT, "type": TEXT}
EVENTS: Final[Schema] = {**_PAGE, "type": TEXT}
SEARCH: Final[Schema] = {"query": TEXT, "limit": INT, "page": TEXT, "expand": [TEXT]}

_KEPT_AS: Final = {"payout": "_payout"}
"""Filters by what an object does not show."""
DEFAULT_LIMIT: Final = 10
MOST: Final = 100
_TERM: Final = re.compile(
    r"""(?:metadata\[['"](?P<key>[^'"]+)['"]\]|(?P<field>status|customer|currency)):['"](?P<value>[^'"]*)['"]"""
)


def listing(kind: str, url: str, *fields: str) -> Callable[[Call], Object]:
    """The handler that lists objects of a kind, filtered by equality of these fields."""

    def list_(call: Call) -> Object:
        asked = {_KEPT_AS.get(name, name): call.params[name] for name in fields if name in call.params}
        found = (one for one in call.all_of(kind) if all(one.get(name) == value for name, value in asked.items()))
        return _page(call, url, (one for one in found if _within(one["created"], call.params.get("created", {}))))

    return list_


def _within(created: int, bounds: dict[str, int]) -> bool:
    return bounds.get("gt", created - 1) < created < bounds.get("lt", created + 1) and bounds.get(
        "gte", created
    ) <= created <= bounds.get("lte", created)


def _page(call: Call, url: str, found: Iterable[Object]) -> Object:
    limit = call.params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MOST:
        msg = f"Limit must be between 1 and {MOST}."
        raise bad_request(msg, code="parameter_invalid_integer", param="limit")
    rows = list(found)
    ids = [one["id"] for one in rows]
    if "starting_after" in call.params:
        rows = rows[_place(ids, call.params["starting_after"], "starting_after") + 1 :]
    elif "ending_before" in call.params:
        rows = rows[: _place(ids, call.params["ending_before"], "ending_before")][-limit:]
    return {"object": "list", "url": url, "has_more": len(rows) > limit, "data": deepcopy(rows[:limit])}


def _place(ids: list[str], id_: str, param: str) -> int:
    if id_ not in ids:
        msg = f"No such object: '{id_}'"
        raise bad_request(msg, code="resource_missing", param=param)
    return ids.index(id_)


def search_intents(call: Call) -> Object:
    """GET /v1/payment_intents/search: terms of metadata, status, customer and currency, joined by AND."""
    query = call.params["query"]
    terms = [_TERM.fullmatch(term.strip()) for term in re.split(r"\s+AND\s+", query)]
    if not all(terms):
        msg = "We were unable to parse your search query."
        raise bad_request(msg, param="query")
    found = [
        one
        for one in call.all_of("payment_intent")
        if all(_matches(one, term.groupdict()) for term in terms if term is not None)
    ]
    limit = call.params.get("limit", DEFAULT_LIMIT)
    return {
        "object": "search_result",
        "url": "/v1/payment_intents/search",
        "has_more": len(found) > limit,
        "next_page": None,
        "data": [current(call, one["id"]) for one in found[:limit]],
    }


def _matches(intent: Object, term: dict[str, Any]) -> bool:
    if term["key"] is not None:
        return bool(intent["metadata"].get(term["key"]) == term["value"])
    return bool(intent[term["field"]] == term["value"])


def expanded(call: Call, thing: Object, paths: list[str]) -> Object:
    """The answer with the named ids replaced by their objects: `latest_charge`, `data.payment_intent.latest_charge`."""
    for path in paths:
        _expand(call, thing, path.split("."), path)
    return thing


def _expand(call: Call, thing: Object, path: list[str], whole: str) -> None:
    name = path[0]
    if name == "refunds" and thing.get("object") == "charge":
        mine = [one for one in call.all_of("refund") if one["charge"] == thing["id"]]
        thing["refunds"] = {
            "object": "list",
            "url": f"/v1/charges/{thing['id']}/refunds",
            "has_more": False,
            "data": mine,
        }
        return
    if name not in thing:
        msg = f"This property cannot be expanded ({whole})."
        raise bad_request(msg, param="expand")
    value = thing[name]
    if isinstance(value, str):
        found = call.find(value)
        if found is None:
            msg = f"This property cannot be expanded ({whole})."
            raise bad_request(msg, param="expand")
        value = thing[name] = found
    if len(path) > 1:
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                _expand(call, item, path[1:], whole)
