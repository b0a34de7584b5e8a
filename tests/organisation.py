"""A small OpenID Connect provider on this machine, that tells the truth unless a test asks it not to."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from joserfc.util import urlsafe_b64encode

from tallywatt.adapters.machine import MachineClock

if TYPE_CHECKING:
    from types import TracebackType

CLIENT, SECRET = "tallywatt", "s3cret/+&"


@cache
def _key(name: str) -> RSAKey:
    """One pair for all organisations of a run: finding its primes takes longer than a sign-in."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"}, private=True)


class Organisation:
    """Its people sign in at once: the test says who they are by `claims`."""

    def __init__(self) -> None:
        self.key = _key("first")
        self.shown_keys = [self.key]
        self.claims: dict[str, Any] = {}
        """Of whoever is at the desk: sub, email, groups."""
        self.lies: dict[str, Any] = {}
        """What the ID token says instead of the truth."""
        self.asked: list[dict[str, str]] = []
        self.requests: list[str] = []
        """The paths that a server asked for, whoever it was."""
        self.calls_itself: str | None = None
        self._codes: dict[str, dict[str, str]] = {}
        organisation = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                organisation._get(self)

            def do_POST(self) -> None:
                organisation._post(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        """Its name."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def rotate(self) -> None:
        """Sign with a new key from now on, and show that one alone."""
        self.key = _key("second")
        self.shown_keys = [self.key]

    def sign_in(self, address: str) -> str:
        """What a browser that was sent here is redirected to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.asked.append(asked)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}"
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(request.path)
        if request.path == "/.well-known/openid-configuration":
            told = {
                "issuer": self.calls_itself or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
            _answer(request, 200, told)
        elif request.path == "/keys":
            _answer(request, 200, KeySet(list(self.shown_keys)).as_dict(private=False))
        else:
            _answer(request, 404, {})

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        shown = b64decode(request.headers.get("authorization", "").partition(" ")[2]).decode()
        user, _, password = shown.partition(":")
        if (unquote(user), unquote(password)) != (CLIENT, SECRET) and shown != f"{CLIENT}:{SECRET}":
            _answer(request, 401, {"error": "invalid_client"})
        elif (
            asked is None
            or form["redirect_uri"] != asked["redirect_uri"]
            or create_s256_code_challenge(form["code_verifier"]) != asked["code_challenge"]
        ):
            _answer(request, 400, {"error": "invalid_grant"})
        else:
            told = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": self._id_token(asked)}
            _answer(request, 200, told)

    def _id_token(self, asked: dict[str, str]) -> str:
        now = MachineClock().now() // 1000
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
            **{name: value for name, value in self.lies.items() if not name.startswith("_")},
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.lies.get("_alg", "RS256"), "kid": self.key.kid}
        if header["alg"] == "none":
            return unsigned_token(claims)
        return jwt.encode(header, claims, self.lies.get("_key", self.key))


def unsigned_token(claims: dict[str, Any]) -> str:
    """A token that nobody signed."""
    parts = (json.dumps({"alg": "none"}), json.dumps(claims))
    return ".".join(urlsafe_b64encode(one.encode()).decode() for one in parts) + "."


def _answer(request: BaseHTTPRequestHandler, status: int, told: Any) -> None:
    body = json.dumps(told).encode()
    request.send_response(status)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
