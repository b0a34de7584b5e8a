"""A station asks whether a token may charge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.customers.customer import fold
from tallywatt.workflows.name_token import safe_uid
from tallywatt.workflows.who_pays import authorization_of, find_token

if TYPE_CHECKING:
    from tallywatt.metering.facts import TokenShown
    from tallywatt.workflows.ports import UnitOfWork


def show_token(work: UnitOfWork, fact: TokenShown) -> str:
    """The OCPP AuthorizationStatus of a token, whatever case the reader reports it in."""
    return authorization_of(find_token(work, fold(safe_uid(work, fact.token_uid))), now=work.now)
