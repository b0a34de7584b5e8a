"""Sealed records: opened with the month's key, erased by dropping it, and sealed alike when a command runs again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.vault import Vault
from tallywatt.kernel.errors import Conflict, NotFound
from tests.workflows.house_of import INSTALLATION_KEY

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork
    from tests.workflows.house_of import HouseOf

MONTH_MINUTES = 31 * 24 * 60


def seal(work: UnitOfWork, text: str) -> tuple[str, bytes]:
    """Seal something of the class `frame`."""
    return work.vault.seal("frame", text, text.encode())


def seal_then_fail(work: UnitOfWork, text: str) -> None:
    """The key that was made for it is gone with the transaction."""
    seal(work, text)
    msg = "no"
    raise Conflict(msg)


def test_what_was_sealed_is_opened_again_by_another_process(house: HouseOf) -> None:
    """The key is in the database, wrapped by the installation's own."""
    key_id, sealed = house.do(seal, "secret")

    assert b"secret" not in sealed
    assert Vault(INSTALLATION_KEY).open(house.reader, house.operator, key_id, sealed) == b"secret"


def test_another_installations_key_opens_nothing(house: HouseOf) -> None:
    """A stolen database without the installation's key tells nothing."""
    key_id, sealed = house.do(seal, "secret")

    with pytest.raises(InvalidTag):
        Vault(b"\x08" * 32).open(house.reader, house.operator, key_id, sealed)


def test_one_key_a_month_and_class(house: HouseOf) -> None:
    """Retention is by month: what is too old goes with its key."""
    first, again = house.do(seal, "a")[0], house.do(seal, "b")[0]
    house.later(MONTH_MINUTES)
    later = house.do(seal, "c")[0]

    assert first == again != later


def test_dropping_a_key_erases_what_it_sealed(house: HouseOf) -> None:
    """And nothing else."""
    key_id, sealed = house.do(seal, "a")
    house.later(MONTH_MINUTES)
    other_id, other = house.do(seal, "b")
    connection = connect(house.url)
    connection.begin()
    connection.change(f"UPDATE data_keys SET wrapped = NULL, dropped_at = 1 WHERE key_id = '{key_id}'")
    connection.commit()
    connection.close()

    with pytest.raises(NotFound) as caught:
        house.vault.open(house.reader, house.operator, key_id, sealed)
    assert caught.value.code == "storage.erased"
    assert house.vault.open(house.reader, house.operator, other_id, other) == b"b"


def test_a_key_that_was_not_committed_is_not_used(house: HouseOf) -> None:
    """Otherwise what was sealed with it could never be opened."""
    with pytest.raises(Conflict):
        house.do(seal_then_fail, "a")
    key_id, sealed = house.do(seal, "b")

    assert house.vault.open(house.reader, house.operator, key_id, sealed) == b"b"


def test_two_processes_use_the_same_key(house: HouseOf) -> None:
    """The one who comes second finds the first one's."""
    first = house.do(seal, "a")
    house.kill()
    second = house.do(seal, "b")

    assert first[0] == second[0]
    assert first[1] != second[1]
