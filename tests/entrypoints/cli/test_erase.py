"""`tallywatt customer erase`: asks first, and says how far it has come."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from tests.entrypoints.cli.test_schemas import misfits

if TYPE_CHECKING:
    import pytest

    from tests.entrypoints.cli.conftest import CommandLine


def test_a_customer_is_forgotten_by_its_number(shop: CommandLine) -> None:
    """The clerk has the number, and the person's wish."""
    shop.good("customer", "add", "C-9", "--name", "Zoe Quillfeather", "--email", "zoe@example.org")

    told = shop.good("customer", "erase", "C-9", "--yes", "--json").json

    assert misfits(told, "customer-erase") == []
    assert told["state"] == "searching"
    assert "Quillfeather" not in shop.good("customer", "list", "--json").out
    assert shop("customer", "erase", "C-9", "--yes").code == 3


def test_nobody_is_forgotten_by_mistake(shop: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no way back: without a yes nothing happens."""
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    refused = shop("customer", "erase", "C-1")

    assert refused.code == 1
    assert "A Driver" in shop.good("customer", "list", "--json").out
