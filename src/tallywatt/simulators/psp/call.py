"""One request being carried out: whose it is, what it asks, and what it has changed so far."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallywatt.simulators.psp.currencies import LEAST
from tallywatt.simulators.psp.refusals import missing
from tallywatt.simulators.psp.settling import Settling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tallywatt.simulators.psp.book import Book, Change, Object

API_VERSION = "2026-10-28.endive"
STRIPES = "acct_"
"""How the names of accounts of Stripe's begin."""
LINKED = ("_links", "_embedded")
"""Names that a HAL document shows although they begin with an underscore."""


@dataclass(slots=True)
class Call:
    """A request in progress. Nothing that it puts is known to others before the book has it on disk."""

    book: Book
    change: Change
    now: int
    base_url: str
    hold_seconds: int
    params: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    key: str | None = None
    request_id: str = ""
    made: int = 0
    settling: Settling = field(default_factory=Settling)
    several_captures: bool = False
    """Whether several captures of one hold are switched on, where that is done for an account."""

    @property
    def account(self) -> str:
        """Whose request it is."""
        return self.change.account

    @property
    def least(self) -> Mapping[str, int]:
        """The least that is charged, in minor units by currency; the other providers name none for cards."""
        return LEAST if self.account.startswith(STRIPES) else {}

    def new_id(self, prefix: str) -> str:
        """A new id of that kind."""
        self.made += 1
        return self.book.new_id(prefix, self.made)

    def find(self, id_: str) -> Object | None:
        """A copy of an object, as this request has left it."""
        put = self.change.puts.get(id_)
        return deepcopy(put) if put is not None else self.book.find(self.account, id_)

    def get(self, kind: str, id_: str, param: str = "id") -> Object:
        """A copy of an object of that kind, or the 404 that the provider gives."""
        found = self.find(id_)
        if found is None or found["object"] != kind:
            raise missing(kind, id_, param)
        return found

    def all_of(self, kind: str) -> Iterator[Object]:
        """All objects of a kind, newest first, to look at."""
        return self.book.newest_first(self.account, kind)

    def put(self, thing: Object) -> Object:
        """Keep the object."""
        self.change.puts[thing["id"]] = thing
        return thing

    def event(self, type_: str, thing: Object) -> None:
        """Tell the endpoint about an object as it is now."""
        self.change.events.append(
            {
                "id": self.new_id("evt"),
                "object": "event",
                "api_version": API_VERSION,
                "created": self.now,
                "data": {"object": shown(deepcopy(thing))},
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": self.request_id, "idempotency_key": self.key},
                "type": type_,
            }
        )


def shown(thing: Any) -> Any:
    """The object without what the provider keeps to itself (keys that start with an underscore)."""
    if isinstance(thing, dict):
        return {key: shown(value) for key, value in thing.items() if not key.startswith("_") or key in LINKED}
    if isinstance(thing, list):
        return [shown(item) for item in thing]
    return thing
