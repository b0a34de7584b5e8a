"""A lost card is blocked, and every change is written down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.customer import TokenState
from tallywatt.kernel.errors import Conflict, NotFound
from tallywatt.workflows.add_customer import AddToken, add_token
from tallywatt.workflows.block_token import BlockToken, block_token

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tests.workflows.house_of import HouseOf


def kept(house: HouseOf, token: Token) -> Token:
    """The token as it stands."""
    found: Token = house.do(lambda work, key: work.tokens.get(key), token.token_id)
    return found


def actions(house: HouseOf) -> list[str]:
    """What was recorded about tokens."""
    found: list[str] = house.do(lambda work, _: [one.action for one in work.actions.by(subject_kind="token")], None)
    return found


def test_a_blocked_card_starts_nothing_and_may_start_again_later(house: HouseOf) -> None:
    """It was in the other jacket."""
    token = house.do(add_token, AddToken("LOST"))
    house.do(block_token, BlockToken(token.token_id))
    assert kept(house, token).state is TokenState.BLOCKED
    house.do(block_token, BlockToken(token.token_id, blocked=False))
    assert kept(house, token).state is TokenState.ACTIVE
    assert {"token.block", "token.unblock"} <= set(actions(house))


def test_blocking_twice_is_blocking_once(quick_house: HouseOf) -> None:
    """A form that was sent twice."""
    token = quick_house.do(add_token, AddToken("LOST"))
    for _ in range(2):
        quick_house.do(block_token, BlockToken(token.token_id))
    assert actions(quick_house).count("token.block") == 1


def test_a_tag_that_was_used_up_is_not_opened_again(quick_house: HouseOf) -> None:
    """It was for one start."""
    token = quick_house.do(add_token, AddToken("ONCE"))

    def use_up(work: Any, _: None) -> None:
        tokens = work.tokens
        tokens.put(replace(tokens.lock(token.token_id), state=TokenState.USED))

    quick_house.do(use_up, None)
    with pytest.raises(Conflict):
        quick_house.do(block_token, BlockToken(token.token_id, blocked=False))


def test_an_unknown_token_is_not_found(quick_house: HouseOf) -> None:
    """Another operator's neither."""
    with pytest.raises(NotFound):
        quick_house.do(block_token, BlockToken("nobody"))
