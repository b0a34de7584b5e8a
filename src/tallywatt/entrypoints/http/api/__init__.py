"""The API's resources, in the field's words: one file for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """All of them."""
    return [*_of_business(), *_of_the_house()]


def _of_business() -> list[APIRouter]:
    """Places, prices, people, sessions, and their money."""
    from tallywatt.entrypoints.http.api import (
        attention,
        bank,
        circles,
        coupons,
        customers,
        debits,
        disputes,
        figures,
        market,
        money,
        own_books,
        places,
        rules,
        sessions,
        tariffs,
        telling,
        traffic,
    )

    modules = (
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
        disputes,
        rules,
        attention,
        figures,
    )
    return [module.router for module in modules]


def _of_the_house() -> list[APIRouter]:
    """How stations, rules and the house itself are looked after."""
    from tallywatt.entrypoints.http.api import (
        approvals,
        audits,
        commissioning,
        corrections,
        events,
        imports,
        keys,
        limits,
        local_lists,
        metrology,
        partners,
        readers,
        reservations,
        settings,
        station_keys,
        station_power,
        station_profiles,
        station_tariffs,
    )

    modules = (
        commissioning,
        local_lists,
        reservations,
        station_keys,
        station_power,
        station_profiles,
        station_tariffs,
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
