"""All that has to do with coming in and with one's own account, in one list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.entrypoints.http import account, passkeys, sign_in, single_sign_on

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """The routers of all ways in."""
    return sign_in.router, account.router, passkeys.router, single_sign_on.router
