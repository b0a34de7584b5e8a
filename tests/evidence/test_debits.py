"""Direct debits under audit: what waits, came and went back adds up with books and bank, and what somebody changes is found."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.evidence.test_audit import by_hand, codes
from tests.workflows.house_of import KWH, HouseOf
from tests.workflows.test_prepare_debits import charge, collections, furnish, line, prepare, second_customer, take

if TYPE_CHECKING:
    from pathlib import Path

SABOTAGE = {
    "a debit that waits is said to have come": (
        "UPDATE debit_collections SET state = 'collected', transfer_id = 'x' WHERE state = 'asked'",
        {"debit.books", "debit.parts", "debit.line", "debit.transfer"},
    ),
    "a debit deleted": (
        "DELETE FROM debit_parts WHERE is_open = 1; DELETE FROM debit_collections WHERE state = 'asked'",
        {"debit.missing", "debit.batch", "entry.without_cause"},
    ),
    "a debit raised": (
        "UPDATE debit_collections SET amount_minor = amount_minor + 1 WHERE state = 'asked'",
        {"debit.books", "debit.parts", "debit.batch"},
    ),
    "a debit's items changed": ("UPDATE debit_parts SET amount_minor = amount_minor + 1", {"debit.parts"}),
    "an item let go": ("UPDATE debit_parts SET is_open = 0 WHERE is_open = 1", {"debit.parts"}),
    "a fee forgotten": ("UPDATE debit_collections SET fee_minor = 0", {"debit.fee", "debit.line"}),
    "a file lowered": ("UPDATE debit_batches SET total_minor = total_minor - 1", {"debit.batch"}),
    "a return forgotten": (
        "UPDATE debit_collections SET state = 'collected', return_line_id = NULL WHERE state = 'returned'",
        {"debit.line", "debit.transfer"},
    ),
    "a line freed": ("UPDATE bank_lines SET state = 'open', batch_id = NULL WHERE amount_minor < 0", {"debit.line"}),
    "a line raised": ("UPDATE bank_lines SET amount_minor = amount_minor + 1", {"debit.line"}),
    "a line deleted": ("DELETE FROM bank_lines", {"debit.line"}),
    "the wait in the books deleted": ("DELETE FROM transfers WHERE phase = 'pending'", {"debit.books"}),
}


@pytest.fixture(scope="module")
def debits_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house in which a debit waits, one came, and one went back with a fee, to be copied."""
    path = tmp_path_factory.mktemp("debits") / "house.db"
    shutil.copy(migrated_file, path)
    with HouseOf(f"sqlite:///{path}") as house:
        furnish(house)
        second_customer(house)
        charge(house)
        charge(house, 20 * KWH, "CARD2")
        prepare(house)
        by_sum = {one.amount_minor: one.end_to_end for one in collections(house)}
        take(house, line(house, 300, end_to_end=by_sum[300]), line(house, 600, "l2", end_to_end=by_sum[600]))
        take(house, line(house, -950, "l3", end_to_end=by_sum[600], return_code="AM04"))
        prepare(house, key="again")
        assert codes(house) == set()
    return path


@pytest.mark.parametrize("what", SABOTAGE)
def test_sabotage_of_direct_debits_is_found_and_named(debits_file: Path, tmp_path: Path, what: str) -> None:
    """Whoever collects from people's accounts answers for every cent of it."""
    script, wanted = SABOTAGE[what]
    path = tmp_path / "house.db"
    shutil.copy(debits_file, path)
    with HouseOf(f"sqlite:///{path}") as house:
        by_hand(house, script)
        assert wanted <= codes(house)
