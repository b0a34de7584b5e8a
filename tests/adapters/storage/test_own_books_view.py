"""What a customer's account says: an item that a correction left below zero is credit, and neither hidden nor a debt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.money import money
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tests.workflows.corrected import carried_out, proposed, tariff_of
from tests.workflows.house_of import KWH
from tests.workflows.test_answer_from_books import on_invoice

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf


def test_what_was_paid_beyond_a_corrected_item_is_credit(quick_house: HouseOf) -> None:
    """Paid in full, and cheaper afterwards: the difference is the customer's, and free for the next session."""
    house = quick_house
    customer = on_invoice(house)
    house.wire().charge(10 * KWH)
    house.collect()
    [item] = Views.open_items(house.reader, house.operator)
    assert (item["open_minor"], item["credit_minor"]) == (300, 0)
    free = Views.customer_account(house.reader, house.operator, customer)["credit"][0]["free_minor"]
    house.do(receive_transfer, ReceiveTransfer("t1", money("3.00", "GBP"), "2026-03-20", customer="C1"))
    carried_out(house, proposed(house, tariff_of(0.10, 20)))

    [item] = Views.open_items(house.reader, house.operator)
    assert item["open_minor"] == 0
    assert item["credit_minor"] > 0
    [terms] = Views.customer_account(house.reader, house.operator, customer)["credit"]
    assert (terms["open_minor"], terms["free_minor"]) == (-item["credit_minor"], free + 300 + item["credit_minor"])
    assert Views.open_items(house.reader, house.operator, "2030-01-01") == []
