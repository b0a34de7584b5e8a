"""The operator's console: one page of two equations, and from each figure a way down to the frames. One file a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.entrypoints.http.console import (
    approvals,
    audits,
    bank,
    circles,
    commissioning,
    connect,
    corrections,
    coupons,
    customers,
    debits,
    disputes,
    entrance,
    imports,
    inbox,
    invoices,
    jobs,
    keys,
    live,
    local_lists,
    look,
    messages,
    meters,
    overview,
    own_books,
    payments,
    people,
    readers,
    reservations,
    rules,
    search,
    sessions,
    settings,
    settlements,
    sign_on,
    stations,
    tariffs,
    traffic,
    trail,
    webhooks,
)

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """The routers of all subjects."""
    looking = (
        overview,
        sessions,
        stations,
        messages,
        payments,
        invoices,
        tariffs,
        debits,
        bank,
        customers,
        own_books,
        circles,
        coupons,
        search,
        inbox,
        jobs,
        live,
        local_lists,
        reservations,
    )
    subjects = (
        entrance,
        *looking,
        commissioning,
        traffic,
        messages,
        connect,
        imports,
        audits,
        look,
        settlements,
        disputes,
        approvals,
        corrections,
        meters,
        settings,
        readers,
        people,
        rules,
        sign_on,
        keys,
        webhooks,
        trail,
    )
    return tuple(subject.router for subject in subjects)
