"""Pure: the errors that the provider documents, with their status, type and code (docs.stripe.com/api/errors, /error-codes)."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request that is not carried out, in the provider's words."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param
        self.error.update(more)


def bad_request(message: str, *, code: str | None = None, param: str | None = None, **more: Any) -> Refusal:
    """400 invalid_request_error."""
    return Refusal(400, "invalid_request_error", message, code=code, param=param, **more)


def missing(what: str, id_: str, param: str = "id") -> Refusal:
    """404 for an object that this account does not have, also when another account has it."""
    return Refusal(404, "invalid_request_error", f"No such {what}: '{id_}'", code="resource_missing", param=param)


def unauthorised(message: str) -> Refusal:
    """401 for a missing or wrong secret key."""
    return Refusal(401, "invalid_request_error", message)


def rate_limited() -> Refusal:
    """429: asked too often; nothing was done."""
    return Refusal(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit")


def broken() -> Refusal:
    """500: the provider's own fault."""
    return Refusal(500, "api_error", "An unknown error occurred.")


def key_in_use(key: str) -> Refusal:
    """409: the same key is being worked on at this moment."""
    message = (
        f"There is currently another in-progress request using this Idempotent Key: {key}. Please try again later."
    )
    return Refusal(409, "idempotency_error", message, code="idempotency_key_in_use")


def key_reused(key: str) -> Refusal:
    """400: the same key with other parameters."""
    message = (
        f"Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request."
    )
    return Refusal(400, "idempotency_error", message)
