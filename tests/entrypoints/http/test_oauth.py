"""OAuth 2.0 client credentials: a key is traded for a token, and every refusal is one that a library understands."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tallywatt.entrypoints.http.bearers import TOKEN_LIFE_SECONDS, client_id_of
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tallywatt.kernel.clock import Instant
    from tests.entrypoints.scene import Scene

GRANT = {"grant_type": "client_credentials"}


class Client:
    """A program that has a key."""

    def __init__(self, scene: Scene, *scopes: str) -> None:
        self.scene = scene
        self.http: TestClient = scene.client()
        made = scene.do(create_api_key, CreateApiKey("machine", scopes or ("read", "operate")))
        self.key_id, self.secret, self.id = made.key.api_key_id, made.text, client_id_of(made.key.prefix)

    def ask(self, **more: str) -> Any:
        """Ask for a token with parameters."""
        form = {**GRANT, "client_id": self.id, "client_secret": self.secret, **more}
        return self.http.post("/oauth/token", data={name: value for name, value in form.items() if value})

    def token(self, **more: str) -> dict[str, str]:
        """The header of a fresh token."""
        return {"Authorization": f"Bearer {self.ask(**more).json()['access_token']}"}


@pytest.fixture
def machine(scene: Scene) -> Client:
    """A program that may read and operate."""
    return Client(scene)


def basic(name: str, secret: str) -> dict[str, str]:
    """A Basic header."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def test_a_key_is_traded_for_a_token_that_opens_what_the_key_opens(machine: Client) -> None:
    """For a quarter of an hour, and no cache keeps it."""
    answer = machine.ask()
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", TOKEN_LIFE_SECONDS)
    assert set(body["scope"].split()) == {"read", "operate"}
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert machine.http.get("/operators/me", headers=headers).json()["slug"] == "dundee"
    assert machine.http.get("/api-keys", headers=headers).status_code == 403


def test_the_client_may_show_itself_by_basic_authentication(machine: Client) -> None:
    """The way that every server must support."""
    answer = machine.http.post("/oauth/token", data=GRANT, headers=basic(machine.id, machine.secret))
    assert answer.status_code == 200


def test_scopes_are_narrowed_to_what_is_asked_for(machine: Client) -> None:
    """A token for a screen on the wall need not command stations."""
    headers = machine.token(scope="read")
    assert machine.http.get("/sessions", headers=headers).status_code == 200
    assert machine.http.post("/jobs/x/retry", headers=headers).status_code == 403


def test_a_narrow_scope_may_be_taken_out_of_a_wide_one(machine: Client) -> None:
    """`operate` holds `inbox`."""
    headers = machine.token(scope="inbox")
    assert machine.http.post("/inbox/x/resolve", headers=headers, json={"decision": "dismiss"}).status_code == 404
    assert machine.http.get("/sessions", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("given", "error", "status"),
    [
        ({"grant_type": ""}, "invalid_request", 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"client_id": ""}, "invalid_client", 401),
        ({"client_id": "twk_somebody"}, "invalid_client", 401),
        ({"client_secret": ""}, "invalid_client", 401),
        ({"client_secret": "twk_aaaaaaaaaaaa_bbb"}, "invalid_client", 401),
        ({"scope": "admin"}, "invalid_scope", 400),
        ({"scope": "read everything"}, "invalid_scope", 400),
        ({"scope": "own"}, "invalid_scope", 400),
        ({"scope": "read  operate"}, "invalid_scope", 400),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_the_words_of_the_standard(
    machine: Client, given: dict[str, str], error: str, status: int
) -> None:
    """RFC 6749, section 5.2."""
    answer = machine.ask(**given)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("grant_type=client_credentials&grant_type=client_credentials", "application/x-www-form-urlencoded"),
        ('{"grant_type": "client_credentials"}', "application/json"),
        ("", "application/x-www-form-urlencoded"),
        ("&".join(f"x{number}=1" for number in range(40)), "application/x-www-form-urlencoded"),
        (b"grant_type=\xff", "application/x-www-form-urlencoded"),
        ("grant_type=%ff", "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_invalid_request(machine: Client, body: str | bytes, content_type: str) -> None:
    """Never a 500, and never a problem of another shape."""
    headers = {**basic(machine.id, machine.secret), "Content-Type": content_type}
    answer = machine.http.post("/oauth/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_secret_is_shown_in_one_way_and_not_in_two(machine: Client) -> None:
    """RFC 6749, section 2.3: more than one method in a request is an error."""
    form = {**GRANT, "client_secret": machine.secret}
    answer = machine.http.post("/oauth/token", data=form, headers=basic(machine.id, machine.secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff").decode(), "Bearer x"])
def test_a_header_that_cannot_be_read_is_an_unknown_client(machine: Client, header: str) -> None:
    """And is told how clients show themselves here."""
    answer = machine.http.post("/oauth/token", data=GRANT, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "shown", ["twk_\0_x", "twk_ABC\N{LATIN SMALL LETTER E WITH ACUTE}_x", "twk_" + "a" * 500 + "_x"]
)
def test_what_is_no_key_is_not_looked_for(machine: Client, monkeypatch: pytest.MonkeyPatch, shown: str) -> None:
    """Basic authentication and forms carry a NUL, and PostgreSQL answers a question that holds one with an error."""

    async def asked(*_: Any) -> None:
        pytest.fail("the database was asked")

    monkeypatch.setattr(machine.scene.house, "ask", asked)
    answer = machine.http.post("/oauth/token", data=GRANT, headers=basic("twk_x", shown))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_token_ends_with_its_key(machine: Client) -> None:
    """Revoking a key leaves nothing behind that opens."""
    headers = machine.token()
    assert machine.http.get("/sessions", headers=headers).status_code == 200
    machine.scene.do(revoke_api_key, RevokeApiKey(machine.key_id))
    assert machine.http.get("/sessions", headers=headers).status_code == 401
    assert machine.ask().json()["error"] == "invalid_client"


def test_what_a_key_may_no_longer_do_its_tokens_may_not_either(machine: Client) -> None:
    """The key is looked at each time."""
    headers = machine.token()
    [key] = machine.scene.do(lambda work, _: work.api_keys.by(), None)
    machine.scene.do(lambda work, row: work.api_keys.put(row), replace(key, scopes=("operate",)))
    assert machine.http.get("/sessions", headers=headers).status_code == 403


def test_a_token_ends_after_its_time(machine: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged by the machine's clock."""
    headers = machine.token()
    clock = machine.scene.house.machine
    at = clock.now() + TOKEN_LIFE_SECONDS * 1000

    class Later:
        def now(self) -> Instant:
            return at  # type: ignore[return-value]  # an instant is a whole number

    monkeypatch.setattr(machine.scene.house, "machine", Later())
    answer = machine.http.get("/sessions", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "access.token_expired")


def test_a_token_that_we_did_not_sign_opens_nothing(machine: Client) -> None:
    """Nor one without a signature, nor one of ours that is meant for another house."""
    good = machine.token()["Authorization"].removeprefix("Bearer ")
    head, body, signature = good.split(".")
    key = OctKey.import_key("another key of another house entirely")
    claims = dict(jwt.decode(good, OctKey.import_key(_key_of(machine.scene)), algorithms=["HS256"]).claims)
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    ours = OctKey.import_key(_key_of(machine.scene))
    for token in (
        jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, key),
        jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, ours),
        jwt.encode({"alg": "HS256", "typ": "at+jwt"}, {**claims, "aud": "https://elsewhere.example"}, ours),
        f"{none}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
        "..",
        "a.b.c",
    ):
        answer = machine.http.get("/sessions", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "access.bad_token"), token


def _key_of(scene: Scene) -> bytes:
    import hmac  # noqa: PLC0415  # only here the tests look into the house's pocket

    return hmac.digest(scene.house.secret, b"access tokens", "sha256")


def test_the_metadata_says_where_and_how(machine: Client) -> None:
    """A library is given the issuer and finds the rest (RFC 8414)."""
    told = machine.http.get("/.well-known/oauth-authorization-server").json()
    base = machine.scene.house.settings.base_url
    assert told["issuer"] == base
    assert told["token_endpoint"] == f"{base}/oauth/token"
    assert told["grant_types_supported"] == ["client_credentials"]
    assert {"client_secret_basic", "client_secret_post"} == set(told["token_endpoint_auth_methods_supported"])


def test_the_api_file_names_both_ways_and_the_scope_of_each_route(machine: Client) -> None:
    """Tools make a client from it."""
    api = machine.http.get("/openapi.json", headers=machine.token()).json()
    schemes = api["components"]["securitySchemes"]
    assert schemes["key"]["scheme"] == "bearer"
    assert schemes["oauth"]["flows"]["clientCredentials"]["tokenUrl"] == "/oauth/token"
    assert api["paths"]["/sessions"]["get"]["security"] == [{"key": ["read"]}, {"oauth": ["read"]}]
    assert api["paths"]["/api-keys"]["post"]["security"] == [{"key": ["admin"]}, {"oauth": ["admin"]}]
    assert "security" not in api["paths"]["/oauth/token"]["post"]
