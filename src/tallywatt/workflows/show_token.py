"""A station asks whether a token may charge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.customers.customer import fold
from tallywatt.metering.facts import TokenAnswer
from tallywatt.workflows.name_token import safe_uid
from tallywatt.workflows.who_pays import authorization_of, find_token

if TYPE_CHECKING:
    from tallywatt.metering.facts import TokenShown
    from tallywatt.workflows.ports import UnitOfWork


def show_token(work: UnitOfWork, fact: TokenShown) -> TokenAnswer:
    """The OCPP AuthorizationStatus of a token, whatever case the reader reports it in, and its group."""
    token = find_token(work, fold(safe_uid(work, fact.token_uid)))
    return TokenAnswer(authorization_of(token, now=work.now), token.group_uid if token else None)
