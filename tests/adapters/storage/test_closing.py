"""What the close of a day says is open is open, by rows; a gap in the numbers and a broken ledger stand in its way."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage.connections import sqlite_path
from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.errors import BadInput
from tallywatt.payments.settlement import LineKind, ToldLine
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement
from tests.workflows.house_of import HouseOf, kwh

if TYPE_CHECKING:
    from tallywatt.reporting.day_close import DayClose

MONDAY = "2026-03-02"


def close(house: HouseOf, day: str = MONDAY) -> DayClose:
    """How a day stands."""
    return Views.day_close(house.reader, house.operator, day, "Europe/London", house.now)


def open_items(close: DayClose) -> dict[str, int]:
    """What is open, by code."""
    return {one.code: one.count for one in close.items if one.count}


def test_a_day_on_which_all_was_paid_can_be_closed(house: HouseOf) -> None:
    """What is captured and not yet settled is said, and is no reason to wait."""
    house.keep_a_card()
    house.wire().charge(kwh(10))
    house.collect()

    told = close(house)

    assert told.is_clean
    assert open_items(told) == {"unsettled": 1}
    assert told.revenue == (("GBP", {"sessions": 1, "gross_minor": 300, "net_minor": 250, "tax_minor": 50}),)
    assert [(one.name, one.last, one.missing, one.of_day) for one in told.series] == [("INV", 1, 0, 1)]
    assert open_items(close(house, "2026-03-01")) == {}


def test_what_is_open_stands_in_the_way(house: HouseOf) -> None:
    """A held session, a stranger's money, an operation without an answer."""
    house.keep_a_card()
    wire = house.wire()
    wire.charge(kwh(3), token="NOBODY")
    wire.charge(kwh(4), meter=kwh(10))
    account = house.rows.provider_accounts.by()[0].account_id
    stranger = ToldLine("txn_x", LineKind.OTHER, 700, 0, "GBP", house.now, 700, "GBP")
    house.do(take_settlement, TakeSettlement(account, (stranger,)))
    house.later(1)

    told = close(house)

    assert not told.is_clean
    assert open_items(told) == {"unmatched": 1, "held": 1, "on_their_way": 1, "inbox": 1, "owed": 1}
    assert "inbox" not in open_items(close(house, "2026-03-01")), "what waits came up on a later day"
    json: dict[str, Any] = told.as_json()
    assert json["open"][0] == {"code": "unmatched", "count": 1, "minor": {"GBP": 700}, "blocks": True}


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("DELETE FROM invoices WHERE sequence = 1", "series"),
        ("UPDATE running_sums SET amount = amount + 1 WHERE figure = 'transfers.debits'", "ledger_balanced"),
    ],
)
def test_a_gap_in_the_numbers_or_the_books_stands_in_the_way(quick_house: HouseOf, script: str, what: str) -> None:
    """Nobody closes a day on books that do not balance."""
    house = quick_house
    house.wire().charge(kwh(10))
    assert close(house).is_clean
    with sqlite3.connect(sqlite_path(house.url)) as connection:
        connection.executescript(f"PRAGMA foreign_keys=OFF; {script};")

    told = close(house)

    assert not told.is_clean
    assert what == "series" or not told.ledger_balanced
    assert (told.series[0].missing == 1) is (what == "series")


def test_what_is_no_day_is_refused(quick_house: HouseOf) -> None:
    """With the remedy."""
    with pytest.raises(BadInput, match="is no day"):
        close(quick_house, "yesterday")
