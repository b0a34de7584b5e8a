"""OAuth 2.0 for machines: the client credentials grant (RFC 6749, section 4.4) and the server's metadata (RFC 8414).

Every API key is a client: its first two parts are the client's id, the whole of it is the client's secret. So there is one
list of what programs may do, one place to end it, and one rotation.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request, Response

from tallywatt.customers.access import ALL_SCOPES, Caller, Scope, authorise
from tallywatt.entrypoints.http.bearers import TOKEN_LIFE_SECONDS, KnownKey, by_key, client_id_of, make_token
from tallywatt.entrypoints.http.doors import TheHouse
from tallywatt.entrypoints.http.telling import as_json
from tallywatt.kernel.errors import NotAllowed, NotSignedIn

if TYPE_CHECKING:
    from tallywatt.wiring import House

router = APIRouter(tags=["oauth"])

GRANT: Final = "client_credentials"
FORM: Final = "application/x-www-form-urlencoded"
NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PARAMETERS: Final = {
    "grant_type": {"type": "string", "enum": [GRANT]},
    "scope": {"type": "string", "description": f"Out of: {' '.join(ALL_SCOPES)}. All of the key's, if left out."},
    "client_id": {"type": "string", "description": "The key's first two parts: twk_…; or in the Basic header."},
    "client_secret": {"type": "string", "description": "The whole key; or in the Basic header."},
}
_ANSWER: Final = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope"],
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "enum": ["Bearer"]},
        "expires_in": {"type": "integer"},
        "scope": {"type": "string"},
    },
}
_ERROR: Final = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}


class Reason(StrEnum):
    """Why a grant is not given (RFC 6749, section 5.2)."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


class Refused(Exception):
    """The grant is not given."""

    def __init__(self, error: Reason, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def _told(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


@router.post(
    "/oauth/token",
    responses={
        200: _told(_ANSWER, "A bearer token."),
        400: _told(_ERROR, "The grant is not given; `error` says why, in the words of RFC 6749."),
        401: _told(_ERROR, "The client is not known, or its secret is not right."),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                FORM: {"schema": {"type": "object", "required": ["grant_type"], "properties": dict(_PARAMETERS)}}
            },
        }
    },
)
async def give_token(request: Request, house: TheHouse) -> Response:
    """Trade an API key for a token of fifteen minutes, for all of its scopes or for some."""
    try:
        given = await _parameters(request)
        key = await _client(request, house, given)
        scopes = _granted(key, given)
    except Refused as refused:
        headers = dict(NOT_KEPT)
        if refused.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="tallywatt", charset="UTF-8"'
        return as_json(
            {"error": refused.error.value, "error_description": refused.description}, refused.status, headers
        )
    request.app.state.uses.note(key.operator_id, key.api_key_id, key.used)
    answer = {
        "access_token": make_token(house, key, scopes),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFE_SECONDS,
        "scope": " ".join(scopes),
    }
    return as_json(answer, 200, NOT_KEPT)


@router.get("/.well-known/oauth-authorization-server")
async def tell_metadata(house: TheHouse) -> Response:
    """What this authorization server can do (RFC 8414)."""
    base = house.settings.base_url
    return as_json(
        {
            "issuer": base,
            "token_endpoint": f"{base}/oauth/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": [GRANT],
            "response_types_supported": [],
            "scopes_supported": list(ALL_SCOPES),
            "service_documentation": f"{base}/docs",
        }
    )


async def _parameters(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        msg = f"the parameters are sent as {FORM}"
        raise Refused(Reason.INVALID_REQUEST, msg)
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        msg = "the parameters cannot be read"
        raise Refused(Reason.INVALID_REQUEST, msg) from error
    given = dict(pairs)
    if len(given) != len(pairs):
        msg = "a parameter was sent more than once"
        raise Refused(Reason.INVALID_REQUEST, msg)
    # A parameter without a value counts as left out (RFC 6749, section 3.2).
    return {name: value for name, value in given.items() if value}


async def _client(request: Request, house: House, given: dict[str, str]) -> KnownKey:
    """The key that stands for the client: by Basic authentication or by parameters, not by both."""
    if "grant_type" not in given:
        msg = "grant_type is missing"
        raise Refused(Reason.INVALID_REQUEST, msg)
    header = request.headers.get("authorization")
    if header is not None and "client_secret" in given:
        msg = "a client shows its secret in one way, not in two"
        raise Refused(Reason.INVALID_REQUEST, msg)
    name, secret = (
        _basic(header) if header is not None else (given.get("client_id", ""), given.get("client_secret", ""))
    )
    try:
        key = await by_key(house, secret)
    except NotSignedIn as error:
        msg = "the client is not known, or its secret is not right"
        raise Refused(Reason.INVALID_CLIENT, msg, 401) from error
    if name != client_id_of(key.prefix):
        msg = "the client is not known, or its secret is not right"
        raise Refused(Reason.INVALID_CLIENT, msg, 401)
    if given["grant_type"] != GRANT:
        msg = f"this server grants {GRANT} alone"
        raise Refused(Reason.UNSUPPORTED_GRANT_TYPE, msg)
    return key


def _basic(header: str) -> tuple[str, str]:
    """Id and secret of a Basic header; both are form-encoded in it (RFC 6749, section 2.3.1)."""
    scheme, _, coded = header.partition(" ")
    try:
        text = base64.b64decode(coded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    name, _, secret = text.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _granted(key: KnownKey, given: dict[str, str]) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(given.get("scope", " ".join(key.scopes)).split(" ")))
    caller = Caller(key.operator_id, "key", key.api_key_id, key.scopes)
    for one in asked:
        try:
            authorise(caller, Scope(one), key.operator_id)
        except (ValueError, NotAllowed) as error:
            msg = f"this client may not have the scope {one!r}; it may have: {' '.join(key.scopes)}"
            raise Refused(Reason.INVALID_SCOPE, msg) from error
    return asked
