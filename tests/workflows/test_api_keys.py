"""Keys for programs: a new secret beside the old one, an end, and when they were last used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.access import ALL_SCOPES, matches
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key
from tallywatt.workflows.note_key_used import NoteKeyUsed, note_key_used
from tallywatt.workflows.rotate_api_key import LONGEST_GRACE_SECONDS, RotateApiKey, rotate_api_key

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

MINUTE = 60_000


def test_a_new_secret_leaves_name_prefix_and_scopes_as_they_are(house: HouseOf) -> None:
    """Whoever reads the list still knows which program it is."""
    first = house.do(create_api_key, CreateApiKey("importer", ("read", "sessions")))
    second = house.do(rotate_api_key, RotateApiKey(first.key.api_key_id))
    assert second.text != first.text
    assert (second.key.prefix, second.key.name, second.key.scopes) == (first.key.prefix, "importer", first.key.scopes)
    assert matches(second.text, second.key.secret_hash)
    assert second.key.old_secret_hash is not None
    assert matches(first.text, second.key.old_secret_hash)


def test_of_old_secrets_only_the_last_one_goes_on_opening(house: HouseOf) -> None:
    """Who rotates twice wants the first one gone."""
    first = house.do(create_api_key, CreateApiKey("importer"))
    second = house.do(rotate_api_key, RotateApiKey(first.key.api_key_id))
    third = house.do(rotate_api_key, RotateApiKey(first.key.api_key_id))
    assert third.key.old_secret_hash == second.key.secret_hash


def test_without_grace_no_old_secret_is_kept(house: HouseOf) -> None:
    """It was published by mistake: it must end now."""
    first = house.do(create_api_key, CreateApiKey("importer"))
    second = house.do(rotate_api_key, RotateApiKey(first.key.api_key_id, 0))
    assert (second.key.old_secret_hash, second.key.old_valid_until) == (None, None)


def test_a_key_that_has_ended_gets_no_new_secret(house: HouseOf) -> None:
    """What was revoked or has expired comes back by nobody's hand."""
    key = house.do(create_api_key, CreateApiKey("importer")).key
    house.do(revoke_api_key, RevokeApiKey(key.api_key_id))
    with pytest.raises(Conflict, match="ended"):
        house.do(rotate_api_key, RotateApiKey(key.api_key_id))
    with pytest.raises(NotFound):
        house.do(rotate_api_key, RotateApiKey("nobody"))


def test_a_time_of_grace_has_an_end(house: HouseOf) -> None:
    """Two secrets for ever are no rotation."""
    key = house.do(create_api_key, CreateApiKey("importer")).key
    for seconds in (-1, LONGEST_GRACE_SECONDS + 1):
        with pytest.raises(BadInput):
            house.do(rotate_api_key, RotateApiKey(key.api_key_id, seconds))


def test_last_use_is_written_once_a_minute_and_never_goes_back(house: HouseOf) -> None:
    """Two processes may tell it out of order."""
    key = house.do(create_api_key, CreateApiKey("importer")).key

    def used_at(at: int) -> Instant | None:
        house.do(note_key_used, NoteKeyUsed(key.api_key_id, Instant(at)))
        last: Instant | None = house.do(lambda work, _: work.api_keys.get(key.api_key_id).last_used_at, None)
        return last

    start = 1_800_000_000_000
    assert used_at(start) == start
    assert used_at(start + MINUTE - 1) == start
    assert used_at(start + MINUTE) == start + MINUTE
    assert used_at(start) == start + MINUTE


def test_a_key_is_given_no_scope_that_makes_sense_for_people_alone(house: HouseOf) -> None:
    """`own` is for whoever is bound to customers; a key is bound to none."""
    with pytest.raises(BadInput):
        house.do(create_api_key, CreateApiKey("portal", ("own",)))
    assert house.do(create_api_key, CreateApiKey("all", ALL_SCOPES)).key.scopes == tuple(sorted(ALL_SCOPES))


def test_each_step_in_the_life_of_a_key_is_recorded(house: HouseOf) -> None:
    """And no record holds a secret."""
    made = house.do(create_api_key, CreateApiKey("importer"))
    again = house.do(rotate_api_key, RotateApiKey(made.key.api_key_id))
    house.do(revoke_api_key, RevokeApiKey(made.key.api_key_id))
    rows = house.do(lambda work, _: work.actions.by(subject_id=made.key.api_key_id), None)
    assert [row.action for row in rows] == ["api_key.create", "api_key.rotate", "api_key.revoke"]
    for secret in (made.text, again.text, made.key.secret_hash, again.key.secret_hash):
        assert secret not in repr(rows)
