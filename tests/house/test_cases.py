"""What can go wrong with a payment is a list of numbers, and each number is in the name of a test that lets it happen."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
CASES = TESTS / "payments" / "cases.txt"
NOT_BUILT: set[int] = set()
"""What is built leaves this list, or the test below says so."""
TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)
NAMED = re.compile(r"_case((?:_[0-9]+)+)_")


def listed() -> dict[int, str]:
    """The cases, by number."""
    lines = (line.partition(" ") for line in CASES.read_text(encoding="utf-8").splitlines())
    return {int(number): what for number, _, what in lines}


def named() -> set[int]:
    """The numbers in the names of tests."""
    found: set[int] = set()
    for path in TESTS.rglob("test_*.py"):
        for test in TEST.findall(path.read_text(encoding="utf-8")):
            for numbers in NAMED.findall(test):
                found |= {int(one) for one in numbers.strip("_").split("_")}
    return found


def test_every_case_of_a_payment_gone_wrong_is_in_the_name_of_a_test() -> None:
    """A case without a test is one that was forgotten; a number without a case is a slip."""
    cases, found = listed(), named()
    assert len(cases) == 53
    assert set(cases) - found == NOT_BUILT
    assert found <= set(cases)
