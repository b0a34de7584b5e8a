"""Every write that is let in and succeeds is in the record of actions: asked of the app, route by route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tallywatt.customers.access import ALL_SCOPES
from tallywatt.customers.roles import Role
from tests.entrypoints.http.test_authorisation import BODIES, FORMS, HARMLESS, new_world, routes_of
from tests.entrypoints.scene import TARIFF
from tests.metering.signed.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.entrypoints.http.test_authorisation import Asker, Route, World

MADE: Final[dict[str, dict[str, Any]]] = {
    "POST /locations": {"reference": "new-place", "name": "New place"},
    "POST /stations": {"identity": "NEW-1"},
    "POST /tariffs": {**TARIFF, "id": "new"},
    "POST /tariffs/assignments": {"tariff": "city-day-night"},
    "POST /customers": {"reference": "new-customer"},
    "POST /circles": {"kind": "group", "name": "new"},
    "POST /circles/{circle_id}/customers": {"customer": "C2"},
    "PUT /money-limits/{holder}/{currency}": {"payment_minor": 77},
    "POST /coupons": {"code": "NEW", "terms": {"percent": "5"}},
    "POST /tokens": {"uid": "NEWCARD", "customer": "C1"},
    "POST /sessions": {
        "upstream_id": "1", "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T01:00:00Z", "energy_wh": "1000",
        "evse": "GB*TWA*ECP1*1", "token": "CARD1",
    },
    "POST /provider-accounts": {"name": "new", "currencies": ["GBP"], "secret_reference": "env:KEY"},
    "POST /api-keys": {"name": "new"},
    "POST /webhook-endpoints": {"url": "https://new.example.org/"},
    "PATCH /locations/{location_reference}": {"name": "Another name"},
    "PATCH /stations/{identity}": {"key": "another-long-key"},
    "PATCH /evses/{code}": {"max_watts": 7000},
    "POST /meter-keys": {"meter_serial": "M-1", "public_key": Meter().key},
    "PATCH /customers/{reference}": {"name": "Another name"},
    "PATCH /webhook-endpoints/{endpoint_id}": {"description": "Another one"},
    "PATCH /operators/me": {"name": "Another name"},
}  # fmt: skip
"""What makes or changes something through the API."""
FILLED: Final[dict[str, dict[str, str]]] = {
    "POST /console/settings/keys": {"name": "new", "scope": "read"},
    "POST /console/settings/people/invitations": {"email": "new@example.org", "role": "read_only"},
    "POST /console/circles": {"kind": "fleet", "name": "newest"},
    "POST /console/circles/{circle_id}/customers": {"customer": "C3"},
    "POST /console/coupons": {"code": "NEWEST", "value": "5"},
    "POST /console/customers/new": {"reference": "newest-customer"},
    "POST /console/customers/{reference:path}/tokens": {"uid": "NEWESTCARD"},
    "POST /console/settings/webhooks": {"url": "https://newest.example.org/"},
}
CHANGES_NOTHING: Final = frozenset(
    (
        "POST /console/theme",  # the colours of one's own browser
        "POST /console/tariffs/new",  # shows what it would be, unless it is told to keep it
        "POST /account/passkeys/ask",  # a question to the browser
        "POST /console/disputes/{dispute_id}/grounds",  # a question to the provider
    )
)
ENDS: Final = ("remove", "revoke", "end", "leave")
ALREADY_SO: Final = frozenset(
    (
        "adopt",
        "key",
        "enable",
        "disable",
        "unblock",
        "block",
        "leave",
        "leave-everywhere",
        "sign-out",
        "remove",
        "claim",
        "payout",
        "captures",
    )
)
"""The last word of routes that may find nothing to do: then there is nothing to record."""
NOT_FAILED: Final = (
    "/jobs/{job_id}/retry", "/console/jobs/{job_id}/retry",
    "/console/stations/{identity}/certificates/{certificate_id}/revoke", "/console/mandates/{mandate_id}/revoke",
    "/console/debits", "/mandates/{mandate_id}/revoke", "/mandates/{mandate_id}/resume", "/debit-batches",
)  # fmt: skip
"""The job of this world is in line already, its certificate is not signed, its mandate gave way to a newer one, and nothing
is due that could be debited: trying again, revoking, preparing changes nothing."""
FEWEST: Final = 12
"""So many routes have done something in each test; fewer, and it proves nothing."""
PAGES: Final = ("/console", "/account")


@pytest.fixture
def fresh(tmp_path: Path, migrated_file: Path) -> Iterator[World]:
    """A world of this test alone: what it does is done."""
    made = new_world(tmp_path, migrated_file)
    yield made
    made.scene.close()


@pytest.mark.parametrize("by_person", [False, True], ids=["api", "pages"])
def test_every_write_that_is_done_is_in_the_record(
    fresh: World, monkeypatch: pytest.MonkeyPatch, *, by_person: bool
) -> None:
    """Who, what, when, before, after: whoever writes a route and forgets it reads its name here."""
    for name, body in MADE.items():
        monkeypatch.setitem(BODIES, name, body)
    for name, form in FILLED.items():
        monkeypatch.setitem(FORMS, name, form)
    done: set[str] = set()
    silent: set[str] = set()
    key = fresh.key(*ALL_SCOPES)
    # What ends a thing comes last, so that the others find it.
    for route in sorted(routes_of(fresh.scene), key=lambda one: (one.method == "DELETE", one.path.endswith(ENDS))):
        if route.is_open or route.method in HARMLESS or route.name in CHANGES_NOTHING:
            continue
        asker = fresh.person(Role.OWNER) if by_person else key
        if route.path.startswith(PAGES) is by_person and asker.may(route) and succeeded(fresh, route, asker, silent):
            done.add(route.name)
    assert not silent, silent
    assert len(done) >= FEWEST, sorted(done)


def succeeded(world: World, route: Route, asker: Asker, silent: set[str]) -> bool:
    """Whether a write was done; one that left no record is noted."""
    before = recorded(world)
    answer = asker.ask(route, route.filled(world.value(route, world.own)))
    if answer.status_code >= 400:
        return False
    idle = route.path in NOT_FAILED or route.path.rpartition("/")[2] in ALREADY_SO
    if recorded(world) == before and not idle:
        silent.add(route.name)
    return True


def recorded(world: World) -> int:
    """How many actions of the operator are written down."""
    count: int = world.scene.do(lambda work, _: len(work.actions.by()), None)
    return count
