"""Single sign-on against a real provider on this machine: who is let in, and every way in which an answer may be wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from tallywatt.customers.roles import Role
from tallywatt.workflows.add_identity_provider import (
    AddIdentityProvider,
    EndIdentityProvider,
    add_identity_provider,
    end_identity_provider,
)
from tallywatt.workflows.add_person import AddPerson, EndMembership, add_person, end_membership
from tallywatt.workflows.invite_person import InvitePerson, invite_person
from tests.organisation import CLIENT, SECRET, Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

ANN: dict[str, Any] = {"sub": "u-1", "email": "Ann@dundee.example", "email_verified": True, "name": "Ann Reid"}


@pytest.fixture
def organisation(scene: Scene) -> Iterator[Organisation]:
    """A provider at whose desk Ann sits, whose domain is let in as read-only, and a group as finance."""
    scene.house.settings.webhook_allow = "127.0.0.1"
    with Organisation() as running:
        running.claims = dict(ANN)
        yield running


def known(scene: Scene, organisation: Organisation, **more: Any) -> str:
    """Make the provider known to the operator; its id."""
    given = {"allowed_domains": ("dundee.example",), "default_role": Role.READ_ONLY, **more}
    command = AddIdentityProvider("Dundee Council", organisation.issuer, CLIENT, SECRET, **given)
    return scene.do(add_identity_provider, command).provider_id


def go(organisation: Organisation, client: TestClient, provider: str) -> Response:
    """The whole way: out, sign in there, and back."""
    out = client.get(f"/sign-in/sso/{provider}")
    assert out.status_code == 303, out.text
    return client.get(back_to(organisation, out))


def back_to(organisation: Organisation, out: Response) -> str:
    """Where the organisation sends the browser back to, as a path."""
    return "/" + organisation.sign_in(out.headers["location"]).split("/", 3)[3]


def test_somebody_of_an_allowed_domain_comes_in_and_is_known_by_subject_from_then_on(
    scene: Scene, organisation: Organisation
) -> None:
    """The address may change; issuer and subject do not."""
    provider = known(scene, organisation)
    client = scene.client()
    assert "Dundee Council" in client.get("/sign-in").text
    assert go(organisation, client, provider).headers["location"] == "/"
    assert client.get("/console").status_code == 200
    [person] = scene.do(lambda work, _: work.people.by(), None)
    assert (person.name, person.email_folded) == ("Ann Reid", "ann@dundee.example")

    organisation.claims |= {"email": "ann.reid@elsewhere.example", "email_verified": False}
    again = scene.client()
    assert go(organisation, again, provider).status_code == 303
    assert again.get("/console").status_code == 200
    assert len(scene.do(lambda work, _: work.people.by(), None)) == 1


def test_what_goes_out_with_the_browser_is_another_one_each_time(scene: Scene, organisation: Organisation) -> None:
    """State, nonce and PKCE's challenge; and none of them is kept."""
    provider = known(scene, organisation)
    for _ in range(2):
        go(organisation, scene.client(), provider)
    first, second = organisation.asked
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) > 40
        assert first[name] != second[name]
    assert set(first["scope"].split()) == {"openid", "email", "profile"}
    rows = scene.do(lambda work, _: work.challenges.by(), None)
    assert first["nonce"] not in repr(rows)


LIES: dict[str, dict[str, Any]] = {
    "wrong nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "wrong audience": {"aud": "somebody-else"},
    "several audiences, and ours is not the authorised one": {"aud": [CLIENT, "x"], "azp": "x"},
    "wrong issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1_700_000_000},
    "no expiry": {"exp": None},
    "no subject": {"sub": None},
    "not a subject": {"sub": 7},
    "signed by nobody": {"_alg": "none"},
    "signed by another key": {"_key": RSAKey.generate_key(2048, {"kid": "first"}, private=True)},
    "signed with our own secret": {"_alg": "HS256", "_key": OctKey.import_key(SECRET + "x" * 32)},
    "wrong at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_hold_lets_nobody_in(scene: Scene, organisation: Organisation, lie: str) -> None:
    """Each of them alone."""
    provider = known(scene, organisation)
    organisation.lies = LIES[lie]
    client = scene.client()
    answer = go(organisation, client, provider)
    assert answer.status_code == 401, lie
    assert client.get("/console").status_code == 401
    assert scene.do(lambda work, _: work.people.by(), None) == []


def test_an_answer_counts_once(scene: Scene, organisation: Organisation) -> None:
    """Whoever reads it in a log, or in the history of the browser, is late."""
    provider = known(scene, organisation)
    client = scene.client()
    out = client.get(f"/sign-in/sso/{provider}")
    kept = dict(client.cookies)
    path = back_to(organisation, out)
    assert client.get(path).status_code == 303
    replay = scene.client()
    replay.cookies.update(kept)
    assert replay.get(path).status_code == 401
    assert replay.get("/console").status_code == 401


def test_an_answer_counts_only_in_the_browser_that_was_sent_out(scene: Scene, organisation: Organisation) -> None:
    """Somebody could make another one sign in as themselves."""
    provider = known(scene, organisation)
    path = back_to(organisation, scene.client().get(f"/sign-in/sso/{provider}"))
    other = scene.client()
    assert other.get(path).status_code == 401
    other.get(f"/sign-in/sso/{provider}")
    assert other.get(path).status_code == 401
    for state in ("", "x", "x.y"):
        assert other.get(f"/sign-in/sso/back?code=code-1&state={state}").status_code == 401


def test_an_answer_of_another_provider_is_refused(scene: Scene, organisation: Organisation) -> None:
    """The answer says whose it is (RFC 9207), and the provider says who it is."""
    provider = known(scene, organisation)
    client = scene.client()
    path = back_to(organisation, client.get(f"/sign-in/sso/{provider}"))
    mixed = re.sub("iss=[^&]+", "iss=https%3A%2F%2Fevil.example", path)
    assert client.get(mixed).status_code == 401


def test_a_provider_that_calls_itself_otherwise_is_not_asked(scene: Scene, organisation: Organisation) -> None:
    """Its discovery document names another issuer."""
    organisation.calls_itself = "https://evil.example"
    answer = scene.client().get(f"/sign-in/sso/{known(scene, organisation)}")
    assert answer.status_code == 503
    assert organisation.asked == []


def test_a_provider_that_goes_away_in_the_middle_is_said_so(scene: Scene) -> None:
    """The code came back, and nobody is there to trade it."""
    scene.house.settings.webhook_allow = "127.0.0.1"
    client = scene.client()
    with Organisation() as gone:
        path = back_to(gone, client.get(f"/sign-in/sso/{known(scene, gone)}"))
    answer = client.get(path)
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)


def test_a_provider_in_a_private_network_is_asked_only_where_the_installation_allows_it(
    scene: Scene, organisation: Organisation
) -> None:
    """Whoever administers an operator names the issuer, and must not reach with our hands what only we can reach."""
    scene.house.settings.webhook_allow = ""
    answer = scene.client().get(f"/sign-in/sso/{known(scene, organisation)}")
    assert answer.status_code == 503
    assert organisation.requests == []


def test_somebody_who_says_no_there_reads_it_here(scene: Scene, organisation: Organisation) -> None:
    """And may begin again."""
    provider = known(scene, organisation)
    client = scene.client()
    out = client.get(f"/sign-in/sso/{provider}")
    organisation.sign_in(out.headers["location"])
    state = organisation.asked[0]["state"]
    answer = client.get("/sign-in/sso/back", params={"error": "access_denied", "state": state})
    assert answer.status_code == 401
    assert "did not let you in" in answer.text
    assert go(organisation, client, provider).status_code == 303


def test_a_provider_that_has_changed_its_keys_is_asked_for_them(scene: Scene, organisation: Organisation) -> None:
    """Providers do so at any time."""
    provider = known(scene, organisation)
    assert go(organisation, scene.client(), provider).status_code == 303
    organisation.rotate()
    assert go(organisation, scene.client(), provider).status_code == 303


def test_a_provider_that_is_not_there_is_said_so(scene: Scene) -> None:
    """The other ways in are on the same page."""
    scene.house.settings.webhook_allow = "127.0.0.1"
    with Organisation() as gone:
        gone.claims = dict(ANN)
        provider = known(scene, gone)
    answer = scene.client().get(f"/sign-in/sso/{provider}")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert scene.client().get("/sign-in/sso/unknown").status_code == 404


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": "eve@elsewhere.example"},
        {"email": "eve@notdundee.example"},
        {"email": "eve@dundee.example@elsewhere.example"},
        {"email": None},
        {"email": 7},
    ],
)
def test_a_stranger_is_not_let_in(scene: Scene, organisation: Organisation, claims: dict[str, Any]) -> None:
    """An address that nobody vouches for proves nothing, nor does one of another domain."""
    provider = known(scene, organisation)
    organisation.claims = {name: value for name, value in {**ANN, **claims}.items() if value is not None}
    answer = go(organisation, scene.client(), provider)
    assert answer.status_code == 401
    assert "invit" in answer.text
    assert scene.do(lambda work, _: work.people.by(), None) == []


def test_an_invitation_is_taken_by_its_verified_address(scene: Scene, organisation: Organisation) -> None:
    """No domain is let in here: the invitation alone, with its role."""
    provider = known(scene, organisation, allowed_domains=(), default_role=None)
    assert go(organisation, scene.client(), provider).status_code == 401
    scene.do(invite_person, InvitePerson("ann@dundee.example", Role.SUPPORT, (), "I1", "hash"))
    client = scene.client()
    assert go(organisation, client, provider).status_code == 303
    [membership] = scene.do(lambda work, _: work.memberships.by(), None)
    assert membership.role is Role.SUPPORT
    [invitation] = scene.do(lambda work, _: work.invitations.by(), None)
    assert invitation.accepted_at is not None


def test_roles_follow_the_organisation_s_claim(scene: Scene, organisation: Organisation) -> None:
    """The first in the table of those it gives; what it takes back is taken back; the last owner stays."""
    provider = known(
        scene, organisation, role_claim="groups", default_role=None,
        roles=(("admins", Role.OWNER), ("money", Role.FINANCE), ("desk", Role.SUPPORT)),
    )  # fmt: skip

    def roles_after(*groups: str) -> set[str]:
        organisation.claims["groups"] = list(groups)
        go(organisation, scene.client(), provider)
        return {one.role.value for one in scene.do(lambda work, _: work.memberships.by(), None) if one.is_open}

    assert roles_after() == set()
    assert roles_after("desk", "money", "unknown") == {"support"}
    assert roles_after("money") == {"finance"}
    assert roles_after("admins") == {"owner"}
    assert roles_after("desk") == {"owner", "support"}
    scene.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.OWNER))
    assert roles_after("desk") == {"owner", "support"}
    [own] = [one for one in scene.do(lambda work, _: work.memberships.by(role="owner"), None) if one.is_open]
    ben = scene.do(lambda work, _: work.people.one_by(email_folded="ben@dundee.example"), None)
    assert own.person_id == ben.person_id
    assert roles_after() == {"owner"}
    client = scene.client()
    assert go(organisation, client, provider).status_code == 401


def test_who_was_removed_here_does_not_come_back_by_the_organisation_alone(
    scene: Scene, organisation: Organisation
) -> None:
    """Where the provider says no roles, the place here decides."""
    provider = known(scene, organisation)
    scene.do(add_person, AddPerson("Ben", "ben@dundee.example", Role.OWNER))
    go(organisation, scene.client(), provider)
    [membership] = scene.do(lambda work, _: work.memberships.by(role="read_only"), None)
    scene.do(end_membership, EndMembership(membership.membership_id))
    assert go(organisation, scene.client(), provider).status_code == 401


def test_an_ended_provider_lets_nobody_in(scene: Scene, organisation: Organisation) -> None:
    """Not even whoever is on the way."""
    provider = known(scene, organisation)
    client = scene.client()
    path = back_to(organisation, client.get(f"/sign-in/sso/{provider}"))
    scene.do(end_identity_provider, EndIdentityProvider(provider))
    assert client.get(path).status_code == 401
    assert "Dundee Council" not in client.get("/sign-in").text
    assert client.get(f"/sign-in/sso/{provider}").status_code == 404


def test_the_secret_is_sealed(scene: Scene, organisation: Organisation) -> None:
    """Neither row nor trail shows it."""
    known(scene, organisation)
    rows = scene.do(lambda work, _: (work.identity_providers.by(), work.actions.by()), None)
    assert SECRET not in repr(rows)
    assert SECRET.encode() not in rows[0][0].client_secret


HERE = "/console/settings/single-sign-on"


def test_an_owner_adds_and_removes_a_provider_on_the_console(scene: Scene, organisation: Organisation) -> None:
    """With what was wrong said above the form, and the rest of it kept."""
    owner = scene.signed_in(Role.OWNER)
    found = re.search(r'name="csrf" value="([^"]+)"', owner.get(HERE).text)
    assert found is not None
    form = {
        "csrf": found[1], "name": "Dundee Council", "issuer": organisation.issuer, "client_id": CLIENT,
        "client_secret": SECRET, "domains": "dundee.example, @council.example", "role_claim": "groups",
        "roles": "admins = owner, money=Finance", "default_role": "read_only",
    }  # fmt: skip
    for wrong in (
        {"issuer": "ftp://x"},
        {"issuer": "http://council.example"},
        {"issuer": "https://x?y"},
        {"roles": "admins"},
        {"roles": "admins = king"},
        {"roles": "admins = driver"},
        {"role_claim": ""},
        {"client_secret": ""},
    ):
        answer = owner.post(HERE, data={**form, **wrong})
        assert answer.status_code == 400, wrong
        assert SECRET not in answer.text
    assert owner.post(HERE, data=form).status_code == 303
    [row] = scene.do(lambda work, _: work.identity_providers.by(), None)
    assert row.allowed_domains == ("dundee.example", "council.example")
    assert row.roles == {"admins": "owner", "money": "finance"}
    assert go(organisation, scene.client(), row.provider_id).status_code == 303
    assert owner.post(f"{HERE}/{row.provider_id}/end", data={"csrf": found[1]}).status_code == 303
    assert scene.signed_in(Role.OPERATIONS).get(HERE).status_code == 403
