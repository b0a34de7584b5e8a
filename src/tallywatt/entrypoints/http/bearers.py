"""Programs at the door: API keys, and the short-lived tokens that a key is traded for (OAuth 2.0 client credentials)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tallywatt.customers.access import Caller, Scope, matches, secret_hash
from tallywatt.kernel.errors import NotSignedIn
from tallywatt.workflows.create_api_key import KEY_START, PREFIX_CHARACTERS

if TYPE_CHECKING:
    from tallywatt.entrypoints.http.uses import Uses
    from tallywatt.kernel.clock import Instant
    from tallywatt.wiring import House

TOKEN_LIFE_SECONDS: Final = 900
ALGORITHM: Final = "HS256"
TOKEN_TYPE: Final = "at+jwt"  # the media type of RFC 9068; no password
"""It tells an access token from any other text that is signed with the same key."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that was shown, or that a token names, and is good at this moment."""

    operator_id: str
    api_key_id: str
    prefix: str
    scopes: tuple[str, ...]
    used: Instant | None


async def bearer(house: House, uses: Uses, shown: str) -> Caller:
    """The caller of a bearer credential, or NotSignedIn."""
    if shown.count(".") == 2:  # a signed token has three parts; a key has none
        key, scopes = await _by_token(house, shown)
    else:
        key = await by_key(house, shown)
        scopes = key.scopes
    uses.note(key.operator_id, key.api_key_id, key.used)
    return Caller(key.operator_id, "key", key.api_key_id, scopes)


async def by_key(house: House, shown: str) -> KnownKey:
    """The key of its whole text, or NotSignedIn. After a rotation the old secret opens for a while."""
    start, _, rest = shown.partition("_")
    prefix = rest.partition("_")[0]
    # Only what can be a prefix is looked for: a text that was decoded from something may hold what no database takes.
    may_be_one = start == KEY_START and prefix.isascii() and prefix.isalnum() and len(prefix) <= PREFIX_CHARACTERS
    found = await house.ask(house.views.api_key_by_prefix, prefix) if may_be_one else None
    # The hashes are compared also when nothing was found, so that the time tells nothing.
    good = matches(shown, found["secret_hash"] if found is not None else secret_hash(""))
    old = matches(shown, (found and found["old_hash"]) or secret_hash(""))
    if found is None or not (good or (old and house.machine.now() < (found["old_until_ms"] or 0))):
        msg = "this API key is not valid"
        raise NotSignedIn(msg, code="access.bad_key")
    return _still_good(house, found, prefix)


def _still_good(house: House, found: dict[str, Any], prefix: str) -> KnownKey:
    if found["revoked"] is not None:
        msg = "this API key is not valid"
        raise NotSignedIn(msg, code="access.bad_key")
    if found["expires"] is not None and house.machine.now() >= found["expires"]:
        msg = "this API key has expired"
        raise NotSignedIn(msg, code="access.key_expired")
    return KnownKey(found["operator_id"], found["id"], prefix, tuple(found["scopes"]), found["used"])


# --- tokens ---


def make_token(house: House, key: KnownKey, scopes: tuple[str, ...]) -> str:
    """A token for these scopes of a key (RFC 9068). It is stored nowhere: the key behind it is looked at each time."""
    from joserfc import jwt  # programs that show their key do not need it

    now = house.machine.now() // 1000
    claims = {
        "iss": house.settings.base_url,
        "aud": house.settings.base_url,
        "sub": client_id_of(key.prefix),
        "client_id": client_id_of(key.prefix),
        "iat": now,
        "exp": now + TOKEN_LIFE_SECONDS,
        "jti": house.new_id("access token"),
        "scope": " ".join(scopes),
    }
    return jwt.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE}, claims, _signing_key(house), algorithms=[ALGORITHM])


async def _by_token(house: House, shown: str) -> tuple[KnownKey, tuple[str, ...]]:
    claims = _claims_of(house, shown)
    prefix = str(claims["client_id"]).removeprefix(f"{KEY_START}_")
    found = await house.ask(house.views.api_key_by_prefix, prefix)
    if found is None:
        msg = "this token is not valid"
        raise NotSignedIn(msg, code="access.bad_token")
    key = _still_good(house, found, prefix)
    # What was taken from the key since then is taken from its tokens too.
    behind = Caller(key.operator_id, "key", key.api_key_id, key.scopes)
    return key, tuple(scope for scope in str(claims["scope"]).split() if behind.has(Scope(scope)))


def _claims_of(house: House, shown: str) -> dict[str, Any]:
    from joserfc import jwt  # as above
    from joserfc.errors import JoseError

    ours = house.settings.base_url
    try:
        token = jwt.decode(shown, _signing_key(house), algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        msg = "this token is not valid"
        raise NotSignedIn(msg, code="access.bad_token") from error
    claims: dict[str, Any] = dict(token.claims)
    if token.header.get("typ") != TOKEN_TYPE or claims.get("iss") != ours or claims.get("aud") != ours:
        msg = "this token is not one for here"
        raise NotSignedIn(msg, code="access.bad_token")
    if house.machine.now() >= claims["exp"] * 1000:
        msg = "this token has expired"
        raise NotSignedIn(msg, code="access.token_expired", remedy="get a new one at /oauth/token")
    return claims


def _signing_key(house: House) -> Any:
    from joserfc.jwk import OctKey  # as above

    return OctKey.import_key(hmac.digest(house.secret, b"access tokens", "sha256"))


def client_id_of(prefix: str) -> str:
    """How a key is called as an OAuth client; the whole key is the client's secret."""
    return f"{KEY_START}_{prefix}"
