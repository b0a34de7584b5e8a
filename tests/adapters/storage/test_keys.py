"""RULES §9 over the tables themselves: the operator first in every key, and personal data in tables that say so."""

from __future__ import annotations

import pytest
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from tallywatt.adapters.storage import tables
from tallywatt.adapters.storage.tables.schema import ACROSS_OPERATORS, OPERATOR_FREE, PERSONAL, metadata

assert tables.__all__, "importing the tables fills the metadata"

OWNED = [table for table in metadata.sorted_tables if table.name not in OPERATOR_FREE]
TELLS_ABOUT_PEOPLE = frozenset(
    "address card_last4 content customer_ref driver_secret email last4 sealed stopped_by token_uid uid uid_folded".split()
)
"""Columns that tell about a person, or lead to one."""
OF_ORGANISATIONS = frozenset(("operators", "locations"))
"""Their addresses are on buildings."""


@pytest.mark.parametrize("table", OWNED, ids=lambda table: table.name)
def test_the_operator_is_first_in_every_key(table: Table) -> None:
    """No statement can find, or refer to, a row of another operator by accident."""
    assert not table.c.operator_id.nullable
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            assert next(iter(constraint.columns)).name == "operator_id", constraint.name
        if isinstance(constraint, ForeignKeyConstraint):
            assert constraint.column_keys[0] == "operator_id", constraint.name
            assert constraint.elements[0].target_fullname.endswith(".operator_id"), constraint.name


def test_the_operator_is_first_in_every_index_but_the_listed() -> None:
    """The exceptions are one list, each with its reason, and nothing in it is out of date."""
    odd = {
        str(index.name) for table in OWNED for index in table.indexes if next(iter(index.columns)).name != "operator_id"
    }

    assert odd == set(ACROSS_OPERATORS)


def test_only_the_installations_own_tables_have_no_operator() -> None:
    """The one list, each with its reason."""
    free = {table.name for table in metadata.sorted_tables if "operator_id" not in table.c}

    assert free == set(OPERATOR_FREE)
    assert all(OPERATOR_FREE.values())


def test_personal_data_lies_in_tables_that_say_so() -> None:
    """The one list names the retention class of each."""
    telling = {
        table.name for table in OWNED if TELLS_ABOUT_PEOPLE & set(table.c.keys()) and table.name not in OF_ORGANISATIONS
    }

    assert telling <= set(PERSONAL)
    assert all(PERSONAL.values())


@pytest.mark.parametrize(
    "name", ["entries", "events", "explanations", "jobs", "meter_readings", "station_facts", "transfers"]
)
def test_what_is_kept_for_ever_carries_ids_only(name: str) -> None:
    """Events, jobs, entries and evidence survive the erasure of a person."""
    assert name not in PERSONAL
    assert not TELLS_ABOUT_PEOPLE & set(metadata.tables[name].c.keys())


def test_no_table_has_a_column_for_a_card_number() -> None:
    """RULES §7: no card data in any field."""
    names = {column.name for table in metadata.sorted_tables for column in table.c}

    assert not {name for name in names if "pan" in name.split("_") or "cvc" in name or "card_number" in name}
