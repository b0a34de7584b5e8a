"""The API's resources, in the field's words: one file for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """All of them."""
    from tallywatt.entrypoints.http.api import (
        attention,
        customers,
        events,
        figures,
        keys,
        money,
        partners,
        places,
        sessions,
        settings,
        tariffs,
    )

    modules = (places, tariffs, customers, sessions, money, attention, figures, settings, keys, events, partners)
    return [module.router for module in modules]
