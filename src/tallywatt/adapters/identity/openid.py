"""One identity provider: where it is, where a browser is sent, and who the answer says somebody is."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tallywatt.adapters.identity.places import JudgedTransport, require_allowed, resolve
from tallywatt.kernel.errors import Busy, NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tallywatt.adapters.identity.registration import Outgoing, Registration
    from tallywatt.kernel.clock import Instant
    from tallywatt.partners.address import AllowList

SECONDS: Final = 10.0
LEEWAY_SECONDS: Final = 60
"""How far the provider's clock may be from ours."""
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Asymmetric ones alone: a token signed with the client's secret, or not at all, is none."""
SCOPE: Final = "openid email profile"
MOST_BYTES: Final = 1024 * 1024
"""No provider's metadata or keys are longer."""
LONGEST_WORD: Final = 100


class OpenIdProvider:
    """Speaks to one provider. Its metadata and keys are kept; an unknown key is asked for once more."""

    def __init__(
        self, registration: Registration, allow: AllowList, look_up: Callable[[str, int], list[str]] = resolve
    ) -> None:
        self._registration = registration
        self._allow = allow
        self._look_up = look_up
        self._metadata: dict[str, Any] | None = None
        self._keys: KeySet | None = None

    def address(self, out: Outgoing) -> str:
        """Where the browser is sent. Blocks."""
        registration = self._registration
        asked = {
            "response_type": "code",
            "client_id": registration.client_id,
            "redirect_uri": registration.redirect_uri,
            "scope": SCOPE,
            "state": out.state,
            "nonce": out.nonce,
            "code_challenge": create_s256_code_challenge(out.verifier),
            "code_challenge_method": "S256",
        }
        return str(add_params_to_uri(self._endpoint("authorization_endpoint"), list(asked.items())))

    def claims(self, code: str, issuer: str | None, out: Outgoing, now: Instant) -> dict[str, Any]:
        """Who somebody is, or NotSignedIn. `issuer` is what the answer itself says (RFC 9207), if it does. Blocks."""
        if issuer is not None and issuer != self._registration.issuer:
            msg = "the answer is another provider's"
            raise _refused(msg)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._registration.redirect_uri,
            "code_verifier": out.verifier,
        }
        status, token = self._asked("POST", self._endpoint("token_endpoint"), form)
        if status != httpx.codes.OK:
            msg = f"the provider refused the code: {str(token.get('error'))[:LONGEST_WORD]}"
            raise _refused(msg)
        return self._verified(token, out.nonce, now)

    def _verified(self, token: dict[str, Any], nonce: str, now: Instant) -> dict[str, Any]:
        shown = token.get("id_token")
        if not isinstance(shown, str):
            msg = "the provider sent no ID token"
            raise _refused(msg)
        registration = self._registration
        try:
            signed = self._decoded(shown)
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                options={
                    "iss": {"essential": True, "value": registration.issuer},
                    "aud": {"essential": True, "value": registration.client_id},
                    "nonce": {"essential": True},
                },
                params={
                    "nonce": nonce,
                    "client_id": registration.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=now // 1000, leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            msg = f"the ID token does not hold: {type(error).__name__}"
            raise _refused(msg) from error
        told = dict(signed.claims)
        # Said again in our own words: these four are what everything rests on, whatever a library makes of its options.
        audience = told.get("aud")
        if (
            told.get("iss") != registration.issuer
            or registration.client_id not in (audience if isinstance(audience, list) else [audience])
            or not isinstance(told.get("sub"), str)
            or not told["sub"]
            or not hmac.compare_digest(str(told.get("nonce")).encode(), nonce.encode())
        ):
            msg = "the ID token is not for us"
            raise _refused(msg)
        return told

    def _decoded(self, shown: str) -> jwt.Token:
        try:
            return jwt.decode(shown, self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # Providers change their keys; one that we do not have yet is asked for, once.
            self._keys = None
            return jwt.decode(shown, self._key_set(), algorithms=ALGORITHMS)

    def _key_set(self) -> KeySet:
        if self._keys is None:
            self._keys = KeySet.import_key_set(self._fetched(self._endpoint("jwks_uri")))  # type: ignore[arg-type]  # it looks at the shape itself
        return self._keys

    def _endpoint(self, name: str) -> str:
        if self._metadata is None:
            issuer = self._registration.issuer
            found = self._fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                msg = "the provider calls itself by another name than the one it is known by"
                raise _refused(msg)
            self._metadata = found
        address = self._metadata.get(name)
        if not isinstance(address, str):
            msg = f"the provider names no {name}"
            raise _refused(msg)
        try:
            require_allowed(address, self._allow)
        except httpx.InvalidURL as error:
            raise _unreachable(type(error).__name__) from error
        return address

    def _fetched(self, url: str) -> dict[str, Any]:
        status, found = self._asked("GET", url)
        if status != httpx.codes.OK:
            what = f"status {status}"
            raise _unreachable(what)
        return found

    def _asked(self, method: str, url: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object of an answer. A form goes with our name and secret."""
        auth = None if form is None else (self._registration.client_id, self._registration.client_secret)
        try:
            with (
                httpx.Client(timeout=SECONDS, follow_redirects=False, transport=self._transport()) as client,
                client.stream(method, url, data=form, auth=auth, headers={"Accept": "application/json"}) as answer,
            ):
                if answer.is_server_error:
                    answer.raise_for_status()
                found = json.loads(_first(answer.iter_bytes()))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _unreachable(type(error).__name__) from error
        if not isinstance(found, dict):
            msg = "the provider's answer is no JSON object"
            raise _refused(msg)
        return answer.status_code, found

    def _transport(self) -> JudgedTransport | None:
        """The way out; where the machine has a proxy, everything goes by it, and it decides what may be reached."""
        return None if getproxies() else JudgedTransport(self._allow, self._look_up)


def _first(pieces: Iterator[bytes]) -> bytes:
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > MOST_BYTES:
            msg = "the answer is longer than any provider's"
            raise ValueError(msg)
    return bytes(content)


def _refused(why: str) -> NotSignedIn:
    return NotSignedIn(why, code="sso.refused", remedy="begin again; if it stays so, tell whoever set the provider up")


def _unreachable(what: str) -> Busy:
    msg = f"the organisation's sign-in does not answer as it should: {what}"
    return Busy(msg, code="sso.unreachable", remedy="try again in a moment, or come in another way")
