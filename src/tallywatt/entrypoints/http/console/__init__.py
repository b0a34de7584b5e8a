"""The operator's console: one page of two equations, and from each figure a way down to the frames. One file a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.entrypoints.http.console import (
    entrance,
    inbox,
    invoices,
    jobs,
    live,
    look,
    overview,
    payments,
    sessions,
    settings,
    stations,
    tariffs,
)

if TYPE_CHECKING:
    from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """The routers of all subjects."""
    subjects = (entrance, overview, sessions, stations, payments, invoices, inbox, jobs, live, look, settings, tariffs)
    return tuple(subject.router for subject in subjects)
