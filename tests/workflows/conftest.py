"""What the tests of workflows may ask for: a house with an operator, one station and a customer, on either engine."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.sums import counted, standing
from tests.migrated import house_url, migrated_file, postgresql_house_url, spare_databases, sqlite_house_url
from tests.partners.told import told_wrongly
from tests.workflows.house_of import WITH_IDLE_FEE, HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["house_url", "migrated_file", "postgresql_house_url", "spare_databases", "sqlite_house_url"]


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOf]:
    """A house on each engine."""
    with HouseOf(house_url) as built:
        built.furnish()
        yield built


@pytest.fixture
def quick_house(sqlite_house_url: str) -> Iterator[HouseOf]:
    """A house on the embedded engine alone, where the engine is not the point."""
    with HouseOf(sqlite_house_url) as built:
        built.furnish()
        yield built


@pytest.fixture
def idle_house(house_url: str) -> Iterator[HouseOf]:
    """A house on each engine whose tariff prices idle time too: 0.30 a kWh, 6.00 an hour idle."""
    with HouseOf(house_url) as built:
        built.furnish(WITH_IDLE_FEE)
        yield built


@pytest.fixture(autouse=True)
def told_as_promised(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test lets happen, partners are told as the catalogue says, and the sums are those of the rows."""
    urls: set[str] = {
        request.getfixturevalue(name).url
        for name in ("house", "quick_house", "idle_house", "debtors", "quick_debtors")
        if name in request.fixturenames
    }
    yield
    for url in urls:
        with closing(connect(url, read_only=True)) as connection:
            assert told_wrongly(connection) == []
            for (operator,) in connection.execute("SELECT operator_id FROM operators"):
                assert standing(connection, operator) == counted(connection, operator)
