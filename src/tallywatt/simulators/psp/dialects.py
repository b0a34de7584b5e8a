"""How the providers that it stands for speak: the same books and the same issuers, in each one's own words."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, Protocol

from tallywatt.simulators.psp.call import API_VERSION, STRIPES
from tallywatt.simulators.psp.forms import check, decode, decode_parts
from tallywatt.simulators.psp.lists import expanded
from tallywatt.simulators.psp.refusals import Refusal, unauthorised
from tallywatt.simulators.psp.routes import find_endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.simulators.psp.book import Book, Change, Object
    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.forms import Nested
    from tallywatt.simulators.psp.wire import Request

    Handler = Callable[[Call], Any]

DAY: Final = 24 * 3600
WRAPPER: Final = "_wrapper"
"""In the metadata of an intent or a page: the object of another provider's that it carries out. Never shown."""


class Dialect(Protocol):
    """One provider's API, over the common books."""

    prefix: str | tuple[str, ...]
    """How its paths begin."""
    account_prefix: str
    content_type: str
    key_seconds: int
    """How long an answer is kept under its idempotency key."""
    keeps_errors: bool
    """Whether an error of its own, before any work, stays the answer to that key."""

    def account(self, request: Request) -> str:
        """The account of the key in a request: each key has objects of its own. Refusal for none or a wrong one."""
        ...

    def read(self, request: Request) -> tuple[Handler, str, dict[str, Any]]:
        """Who carries a request out, the id in its path, and what it asks. Refusal for what cannot be read."""
        ...

    def perform(self, call: Call, handler: Handler) -> tuple[int, Any]:
        """Carry it out: status and body, None for no body."""
        ...

    def refused(self, refusal: Refusal) -> tuple[int, Any]:
        """Status and body of an error."""
        ...

    def headers(
        self, request_id: str, key: str | None = None, *, replayed: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """Headers of an answer."""
        ...

    def tell(self, book: Book, change: Change) -> list[Object]:
        """What the endpoint hears of a change, of all that happened in it."""
        ...

    def declined_for_good(self, call: Call, session: Object) -> bool:
        """A card was declined on a hosted page: whether that ends it. False: the driver may try another one."""
        ...


def account_of(prefix: str, key: str) -> str:
    """The name of the account that a key opens."""
    return prefix + hashlib.blake2b(key.encode(), digest_size=8).hexdigest()


def _tree(request: Request) -> Nested:
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        return decode_parts(content_type, request.body)
    return decode(request.query if request.method in ("GET", "DELETE") else request.body.decode())


class Stripe:
    """Form-encoded requests, objects that can be expanded, events with the whole object."""

    prefix: str | tuple[str, ...] = "/v1/"
    account_prefix = STRIPES
    content_type = "application/json"
    key_seconds = DAY
    """docs.stripe.com/api/idempotent_requests."""
    keeps_errors = True

    def account(self, request: Request) -> str:
        """A bearer key of the form `sk_test_…`."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            msg = "You did not provide an API key."
            raise unauthorised(msg)
        if not key.startswith("sk_test_") or len(key) <= len("sk_test_"):
            msg = f"Invalid API Key provided: {key[:7]}****"
            raise unauthorised(msg)
        return account_of(self.account_prefix, key)

    def read(self, request: Request) -> tuple[Handler, str, dict[str, Any]]:
        """Its endpoint, and the parameters that it takes."""
        found = find_endpoint(request.method, request.path)
        if found is None:
            message = f"Unrecognized request URL ({request.method}: {request.path})."
            raise Refusal(404, "invalid_request_error", message)
        endpoint, id_ = found
        return endpoint.handler, id_, check(_tree(request), endpoint.schema, endpoint.required)

    def perform(self, call: Call, handler: Handler) -> tuple[int, Any]:
        """The object, with what was asked to be expanded."""
        try:
            done = handler(call)
        except Refusal as refusal:
            return self.refused(refusal)
        try:
            return 200, expanded(call, deepcopy(done), call.params.get("expand", []))
        except Refusal as refusal:
            # Found out last, refused as if first: nothing of the request is kept.
            call.change.puts.clear()
            call.change.events.clear()
            return self.refused(refusal)

    def refused(self, refusal: Refusal) -> tuple[int, Any]:
        """Its own form of errors."""
        return refusal.status, {"error": refusal.error}

    def headers(
        self, request_id: str, key: str | None = None, *, replayed: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """The request's id, and whether the answer is one from before."""
        headers = [("request-id", request_id), ("stripe-version", API_VERSION)]
        if key is not None:
            headers.append(("idempotency-key", key))
        if replayed:
            headers.append(("idempotent-replayed", "true"))
        return tuple(headers)

    def tell(self, book: Book, change: Change) -> list[Object]:  # noqa: ARG002 - others look into the book
        """Every event as it is."""
        return change.events

    def declined_for_good(self, call: Call, session: Object) -> bool:  # noqa: ARG002 - others end the page
        """Its page stays open."""
        return False
