"""The API's resources, in the field's words: one file for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """All of them."""
    from tallywatt.entrypoints.http.api import (
        approvals,
        attention,
        audits,
        bank,
        circles,
        commissioning,
        corrections,
        coupons,
        customers,
        debits,
        events,
        figures,
        imports,
        keys,
        limits,
        local_lists,
        market,
        metrology,
        money,
        own_books,
        partners,
        places,
        readers,
        reservations,
        rules,
        sessions,
        settings,
        tariffs,
        telling,
        traffic,
    )

    subjects = (
        places,
        telling,
        traffic,
        tariffs,
        market,
        customers,
        circles,
        coupons,
        own_books,
        debits,
        bank,
        sessions,
        money,
        rules,
        attention,
        figures,
    )
    modules = (
        *subjects,
        commissioning,
        local_lists,
        reservations,
        limits,
        approvals,
        corrections,
        metrology,
        imports,
        audits,
        settings,
        readers,
        keys,
        events,
        partners,
    )
    return [module.router for module in modules]
