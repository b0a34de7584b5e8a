"""Block a card that was lost, and let it start again when it was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.customers.customer import TokenState
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.workflows.keep_local_list import tokens_changed
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.customers.customer import Token
    from tallywatt.workflows.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class BlockToken:
    """A token by its id; `blocked` False lets it start again."""

    token_id: str
    blocked: bool = True


def block_token(work: UnitOfWork, command: BlockToken) -> Token:
    """Change what the next start with a token is answered. A session that runs goes on: its energy is owed either way."""
    token = work.tokens.lock(command.token_id)
    wanted = TokenState.BLOCKED if command.blocked else TokenState.ACTIVE
    if token.state is wanted:
        return token
    if token.state not in {TokenState.ACTIVE, TokenState.BLOCKED}:
        msg = f"this token is {token.state.value}: it starts nothing any more"
        raise Conflict(msg, code="tokens.spent", remedy="add a new one")
    event = "TokenBlocked" if command.blocked else "TokenUnblocked"
    work.events.append(Event("token", token.token_id, event))
    before, after = {"state": token.state.value}, {"state": wanted.value}
    tokens_changed(work)
    action = "token.block" if command.blocked else "token.unblock"
    record_action(work, action, "token", token.token_id, before=before, after=after)
    return work.tokens.put(replace(token, state=wanted))
