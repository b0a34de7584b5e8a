"""`Records` as workflows see them, on both engines: found, added once, changed over the version that was seen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.unit import MAPPINGS, SqlUnitOfWork
from tallywatt.customers.customer import Customer
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import NotFound, Stale
from tallywatt.kernel.identity import CustomerId, Draw, OperatorId, ProviderAccountId
from tallywatt.payments.account import ProviderAccount
from tallywatt.stations.station import Connector, StationState
from tests.workflows.house_of import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.workflows.house_of import HouseOf

NOW = Instant(1_700_000_000_000)


@pytest.fixture
def unit(house_url: str) -> Iterator[Any]:
    """A unit of work on a connection of its own, in an open transaction."""
    connection = connect(house_url)
    found = SqlUnitOfWork(connection)
    found.open(OPERATOR, Draw(NOW, NOW, b"seed"), "test", "")
    connection.begin()
    yield found
    connection.rollback()
    connection.close()


def a_customer(number: int = 1, reference: str | None = None) -> Customer:
    """A customer whose natural key is the reference."""
    return Customer(CustomerId(f"id-{number}"), reference or f"C{number}", "en", NOW)


def test_what_was_added_is_found_as_it_was(unit: Any) -> None:
    """A row goes in and comes out unchanged."""
    assert unit.customers.add(a_customer())

    assert unit.customers.get("id-1") == unit.customers.find("id-1") == unit.customers.lock("id-1") == a_customer()


def test_what_is_not_there_is_none_or_not_found(unit: Any) -> None:
    """`find` asks, `get` and `lock` insist, and say which table was meant."""
    assert unit.customers.find("nobody") is None
    for insists in (unit.customers.get, unit.customers.lock):
        with pytest.raises(NotFound) as caught:
            insists("nobody")
        assert caught.value.code == "customers.not_found"


@pytest.mark.parametrize("again", [a_customer(1, "other"), a_customer(2, "C1")])
def test_the_same_key_or_natural_key_is_not_added_twice(unit: Any, again: Customer) -> None:
    """False, and nothing written: the caller reads what is there."""
    assert unit.customers.add(a_customer())

    assert not unit.customers.add(again)
    assert unit.customers.by() == [a_customer()]


def test_many_are_added_in_one_go_without_those_that_are_there(unit: Any) -> None:
    """A burst of meter values with a resend in it."""
    unit.customers.add(a_customer(1))

    assert unit.customers.add_all([a_customer(1), a_customer(2), a_customer(3)]) == 2
    assert unit.customers.add_all([]) == 0
    assert len(unit.customers.by()) == 3


def test_a_change_moves_the_version_and_a_stale_one_is_refused(unit: Any) -> None:
    """Whoever saw the older version runs again."""
    unit.customers.add(a_customer())
    seen = unit.customers.lock("id-1")

    stored = unit.customers.put(replace(seen, language="de"))

    assert stored == unit.customers.get("id-1") == replace(seen, language="de", version=seen.version + 1)
    with pytest.raises(Stale):
        unit.customers.put(replace(seen, language="fr"))
    assert unit.customers.get("id-1").language == "de"


def test_a_row_without_version_is_written_over(unit: Any, house_url: str) -> None:
    """What shows the present (a connector's status) needs no version."""
    names = MAPPINGS["connectors"].names
    assert "version" not in names
    assert "version" in MAPPINGS["sessions"].names


def test_rows_are_found_by_columns_and_by_their_absence(house: HouseOf) -> None:
    """None means IS NULL; enums and booleans are compared as they are stored."""
    rows = house.rows

    assert [one.identity for one in rows.stations.by(state=StationState.ADOPTED)] == ["CP1"]
    assert [one.identity for one in rows.stations.by(booted_at=None)] == ["CP1"]
    assert rows.stations.by(booted_at=5) == []
    assert [one.name for one in rows.provider_accounts.by(is_default=True, closed_at=None)] == ["main"]
    assert rows.customers.one_by(reference="nobody") is None


def test_lists_flags_and_mappings_come_back_as_they_were(unit: Any) -> None:
    """Tuples, booleans and choices have their own form in a column."""
    account = ProviderAccount(
        ProviderAccountId("a"),
        "main",
        "stripe",
        True,
        None,
        ("EUR", "GBP"),
        "env:KEY",
        ("env:ONE", "env:TWO"),
        True,
        NOW,
        None,
    )

    unit.provider_accounts.add(account)

    assert unit.provider_accounts.get("a") == account


def test_exact_decimals_keep_every_digit(house: HouseOf) -> None:
    """SQLite's own NUMERIC would lose them."""
    house.wire().charge(1_234_567)

    [line] = house.rows.rated_lines.by()

    assert line.unit_price == Decimal("0.3")
    assert str(line.tax_rate) == "20"


def test_an_operator_sees_only_its_own_rows(unit: Any) -> None:
    """The unit of work adds and checks the operator; a workflow cannot forget it."""
    unit.customers.add(a_customer())
    unit.open(OperatorId("another"), Draw(NOW, NOW, b"seed"), "test", "")

    assert unit.customers.find("id-1") is None
    assert unit.customers.by() == []
    assert unit.customers.add(a_customer()), "the same natural key of another operator is another row"
    with pytest.raises(Stale):
        unit.connectors.put(Connector("evse", 1, "Available", None, NOW, NOW))  # type: ignore[arg-type]  # an id is a str


def test_a_row_is_locked_by_its_natural_key_too(unit: Any) -> None:
    """One statement instead of a question and a lock."""
    unit.customers.add(a_customer())

    assert unit.customers.lock_by(reference="C1") == a_customer()
    assert unit.customers.lock_by(reference="nobody") is None


def test_several_rows_come_in_the_order_of_their_key(unit: Any) -> None:
    """The same on both engines, whatever their collation."""
    unit.customers.add_all([a_customer(number) for number in (3, 10, 1)])

    assert [row.customer_id for row in unit.customers.by(language="en")] == ["id-1", "id-10", "id-3"]


def test_what_is_known_of_a_row_is_what_the_database_holds(unit: Any, house_url: str) -> None:
    """Whatever was read before, a change is seen, and one that was undone is not."""
    unit.customers.add(a_customer())
    seen = unit.customers.lock("id-1")
    unit.customers.put(replace(seen, language="de"))

    assert [row.language for row in unit.customers.by()] == ["de"]
    assert (
        unit.customers.one_by(reference="C1") == unit.customers.get("id-1") == replace(seen, language="de", version=2)
    )
