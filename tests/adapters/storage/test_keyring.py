"""The ring of keys: made once, opened with the right master key alone, wrapped anew without sealing anything again."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidTag

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.keyring import SEALED, derived, open_keyring, rotate
from tallywatt.adapters.storage.vault import Vault
from tallywatt.adapters.storage.writer import GroupWriter
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Broken
from tests.workflows.house_of import OPERATOR, HouseOf

if TYPE_CHECKING:
    from tallywatt.adapters.storage.keyring import Keyring
    from tallywatt.workflows.ports import UnitOfWork

MASTER, ANOTHER = b"\x01" * 32, b"\x02" * 32
NOW = Instant(1_800_000_000_000)
_numbers = count(1)


def chance(size: int) -> bytes:
    """No two alike, and never by chance."""
    return next(_numbers).to_bytes(size, "big")


def never() -> bytes:
    """No master key is to be made."""
    pytest.fail("a master key was made")


def opened(url: str, master: bytes | None = MASTER) -> Keyring:
    """The ring of a database."""
    return open_keyring(url, master, never, chance, NOW)


def sealed_with(url: str, ring: Keyring, text: str) -> tuple[str, bytes]:
    """Something sealed in a database by a process that holds these keys."""
    answers: list[Any] = []
    writer = GroupWriter(lambda: connect(url), HouseOf(url).draw, ring.vault())

    def seal(work: UnitOfWork, plain: str) -> tuple[str, bytes]:
        return work.vault.seal("frame", plain, plain.encode(), "here")

    writer.submit(OPERATOR, seal, text, answers.append, actor="test")
    writer.step()
    writer.stop()
    found: tuple[str, bytes] = answers[0]
    return found


def read(url: str, vault: Vault, sealed: tuple[str, bytes], about: str = "here") -> bytes:
    """What was sealed, in the clear."""
    connection = connect(url, read_only=True)
    try:
        return vault.open(connection, OPERATOR, *sealed, about)
    finally:
        connection.close()


def test_the_keys_are_made_once_and_found_again(house_url: str) -> None:
    """By chance, not from the master key: who knows one of them knows no other."""
    first = opened(house_url)
    assert opened(house_url) == first
    assert len({first.stations, first.signatures, *first.sealing, MASTER, derived(MASTER, SEALED)}) == 5


def test_a_master_key_is_made_only_for_an_installation_that_has_none(house_url: str) -> None:
    """The first start of a newcomer needs no preparation."""
    made: list[bytes] = []

    def make() -> bytes:
        made.append(MASTER)
        return MASTER

    first = open_keyring(house_url, None, make, chance, NOW)
    assert made == [MASTER]
    assert opened(house_url) == first


def test_another_master_key_is_told_and_opens_nothing(house_url: str) -> None:
    """Now, with what to do, and not as a broken frame in a year."""
    opened(house_url)
    with pytest.raises(Broken) as caught:
        opened(house_url, ANOTHER)
    assert caught.value.code == "keys.wrong"
    assert "TALLYWATT_MASTER_KEY" in (caught.value.remedy or "")
    for key in (MASTER, ANOTHER):
        assert key.hex() not in caught.value.message


def test_a_missing_master_key_is_told_and_none_is_made(house_url: str) -> None:
    """A new key beside an old database would hide that the old one is gone."""
    opened(house_url)
    with pytest.raises(Broken) as caught:
        opened(house_url, None)
    assert caught.value.code == "keys.missing"


def test_a_key_that_was_altered_in_the_database_is_not_used(house_url: str) -> None:
    """Not even when it is exchanged for another one of the same ring."""
    opened(house_url)
    connection = connect(house_url)
    connection.begin()
    connection.change(
        "UPDATE keyring SET wrapped = (SELECT other.wrapped FROM keyring other WHERE other.purpose = 'signatures') "
        "WHERE purpose = 'station keys'"
    )
    connection.commit()
    connection.close()
    with pytest.raises(Broken) as caught:
        opened(house_url)
    assert caught.value.code == "keys.altered"


def test_after_a_rotation_the_new_master_key_opens_what_was_sealed_before(house_url: str) -> None:
    """And the old one nothing at all. Stations keep their keys; what signs is new."""
    HouseOf(house_url).close()
    before = opened(house_url)
    sealed = sealed_with(house_url, before, "secret")
    assert rotate(house_url, MASTER, ANOTHER, chance, NOW) == 1
    with pytest.raises(Broken):
        opened(house_url, MASTER)
    after = opened(house_url, ANOTHER)
    assert after.stations == before.stations
    assert after.signatures != before.signatures
    assert after.sealing[1:] == before.sealing
    assert read(house_url, after.vault(), sealed) == b"secret"
    with pytest.raises(InvalidTag):
        read(house_url, before.vault(), sealed)


def test_what_a_process_sealed_that_did_not_hear_of_the_rotation_is_not_lost(house_url: str) -> None:
    """On PostgreSQL another process may go on for a while with the keys that it knows."""
    before = opened(house_url)
    rotate(house_url, MASTER, ANOTHER, chance, NOW)
    sealed = sealed_with(house_url, before, "late")
    assert read(house_url, opened(house_url, ANOTHER).vault(), sealed) == b"late"


def test_rotations_can_follow_one_another(house_url: str) -> None:
    """Every year, say."""
    sealed = sealed_with(house_url, opened(house_url), "old")
    for old, new in ((MASTER, ANOTHER), (ANOTHER, MASTER), (MASTER, ANOTHER)):
        rotate(house_url, old, new, chance, NOW)
    assert read(house_url, opened(house_url, ANOTHER).vault(), sealed) == b"old"


def test_what_is_sealed_about_one_thing_opens_about_no_other(house_url: str) -> None:
    """Copied into another row it is worthless."""
    ring = opened(house_url)
    sealed = sealed_with(house_url, ring, "secret")
    with pytest.raises(InvalidTag):
        read(house_url, ring.vault(), sealed, "elsewhere")


def test_an_installation_from_before_the_ring_goes_on_with_its_keys(house_url: str) -> None:
    """What it sealed, hashed and signed with came from the master key itself."""
    with HouseOf(house_url) as house:
        house.furnish()
    old = Vault(derived(MASTER, SEALED))
    sealed = sealed_with(house_url, _Ring(old), "from before")  # type: ignore[arg-type]  # it has a vault
    with pytest.raises(Broken) as caught:
        opened(house_url, ANOTHER)
    assert caught.value.code == "keys.wrong"
    with pytest.raises(Broken) as caught:
        opened(house_url, None)
    assert caught.value.code == "keys.missing"
    ring = opened(house_url)
    assert (ring.stations, ring.signatures) == (derived(MASTER, "station keys"), derived(MASTER, "signatures"))
    assert read(house_url, ring.vault(), sealed) == b"from before"


class _Ring:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def vault(self) -> Vault:
        return self._vault
