"""Every file `cases/cdr_*.json` is a line of the pipeline and its answer; a partner can add a case without Python."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tallywatt.rating.pipeline import rate_line

CASES = sorted((Path(__file__).parents[1] / "cases").glob("cdr_*.json"))


def _case(path: Path) -> Any:
    """A case with every figure as it is written."""
    return json.loads(path.read_text(), parse_float=Decimal)


def _decimals(price: dict[str, Any]) -> dict[str, Any]:
    """A price or a tax with figures as decimals: 5 and 5.00 are one amount."""
    return {key: value if key in {"name", "account_number"} else Decimal(value) for key, value in price.items()}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_line_is_answered_as_the_case_says(path: Path) -> None:
    """Totals to the last digit, parts, taxes, the lines in their order, and every doubt."""
    case = _case(path)
    expected, found = case["expected"], rate_line(case["line"])

    assert found["id"] == case["line"]["id"]
    if "error" in expected:
        assert {key: found["error"][key] for key in ("code", "path")} == expected["error"]
        return
    assert "error" not in found
    for part in (key for key in expected if key.startswith("total_")):
        assert _decimals(found[part]) == _decimals(expected[part]), part
    if "lines" in expected:
        assert [line["reason"] for line in found["lines"]] == expected["lines"]
    if "taxes" in expected:
        shown = [
            {key: tax[key] for key in wanted} for tax, wanted in zip(found["taxes"], expected["taxes"], strict=True)
        ]
        assert [_decimals(tax) for tax in shown] == [_decimals(tax) for tax in expected["taxes"]]
    assert sorted({warning["code"] for warning in found["warnings"]}) == expected["warnings"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_answer_adds_up(path: Path) -> None:
    """Whoever sums the lines gets the total; tax is the difference of both totals."""
    found = rate_line(_case(path)["line"])
    if "error" in found:
        return
    sign = -1 if any(one["code"] == "cdr.credit" for one in found["warnings"]) else 1
    total = _decimals(found["total_cost"])
    for key in ("before_taxes", "after_taxes"):
        assert abs(sum((Decimal(line[key]) for line in found["lines"]), Decimal(0)) - sign * total[key]) < Decimal(
            "1e-15"
        )
    taxes = sum((Decimal(tax["amount"]) for tax in found["taxes"]), Decimal(0))
    assert abs(total["after_taxes"] - total["before_taxes"] - taxes) < Decimal("1e-15")


def test_every_case_tells_what_it_is_about_and_where_it_comes_from() -> None:
    """A figure without a source cannot be argued about; each doubtful point of the reference has its number."""
    assert len(CASES) >= 160
    for path in CASES:
        case = _case(path)
        assert case["about"], path
        assert case["source"], path
    rows = {int(path.stem[7:9]) for path in CASES if path.stem.startswith("cdr_row")}
    assert rows == set(range(1, 23))
