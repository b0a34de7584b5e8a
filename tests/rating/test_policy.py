"""Policies: the choices that the specification leaves open, versioned like tariffs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.policy import STANDARD, Interpolation, Policy, read_policy, read_policy_text


@given(policy=st.builds(Policy))
def test_a_policy_that_is_written_reads_back_as_the_same_version(policy: Policy) -> None:
    """A session keeps the id of the policy under which its price was offered."""
    assert read_policy_text(policy.canonical) == policy
    assert read_policy_text(policy.canonical).version_id == policy.version_id


def test_what_is_left_out_is_as_in_the_standard_policy() -> None:
    """An operator names only what differs."""
    assert read_policy({}) == STANDARD
    chosen = read_policy({"interpolation": "measured_only", "name": "strict", "longest_wait_seconds": 60})
    assert chosen == Policy(name="strict", interpolation=Interpolation.MEASURED_ONLY, longest_wait_seconds=60)


@pytest.mark.parametrize(
    "data",
    [
        {"rounding": "up"},
        {"interpolated": "allowed"},
        {"longest_wait_seconds": "60"},
        {"name": 5},
        {"step_size": ["on"]},
    ],
)
def test_a_choice_that_does_not_exist_is_refused(data: dict[str, Any]) -> None:
    """A policy that is misspelt must not fall back to another one."""
    with pytest.raises(BadInput) as refused:
        read_policy(data)
    assert refused.value.code == "policy.not_known"


def test_the_row_carries_the_canonical_text() -> None:
    """The stored version is all that is needed to rate again."""
    row = STANDARD.row(Instant(5))
    assert (row.policy_version_id, row.name, row.created_at) == (STANDARD.version_id, "standard", 5)
    assert read_policy_text(row.canonical) == STANDARD
