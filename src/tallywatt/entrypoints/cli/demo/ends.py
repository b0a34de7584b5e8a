"""How each of the labelled incidents ended: as money, as a hold with its reason, or as a void."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.cli.show import kwh_of, sum_of
from tallywatt.simulators.site import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tallywatt.simulators.site.sample import Row, Sample

HAPPENED: Final = {
    "resend_after_crash": "a start told again after a crash",
    "declined_card": "a stored card that is declined",
    "never_plugged": "a driver who paid and never plugged in",
    "lost_stop": "a stop that was never told",
    "meter_reset": "a meter that fell back to nothing",
}
"""The incidents in the order in which they are listed, in words."""


def ends(
    ask: Callable[..., Any], views: Any, operator_id: str, day: Sample, incidents: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What happened, and how it ended. `incidents` names the row that each one happened to."""
    rows = {row.id: row for row in day.rows}
    for incident, happened in HAPPENED.items():
        row = rows.get(incidents.get(incident, ""))
        if row is None:
            continue
        found = _sessions(ask, views, operator_id, row)
        yield happened, "; ".join([*(_end(one) for one in found), *_voids(ask, views, operator_id, incident)])


def _sessions(ask: Callable[..., Any], views: Any, operator_id: str, row: Row) -> list[Any]:
    """The sessions that came of a row: one, whatever happened."""
    evse = plan.evse_code(row.station, row.connector)
    page = ask(views.sessions, operator_id, evse=evse, since=row.started_at, until=row.started_at + 1)
    return [ask(views.session, operator_id, one["id"]) for one in page["items"]]


def _end(session: Any) -> str:
    energy = kwh_of(session["energy_wh"])
    if session["state"] != "billed":
        reasons = " and ".join(sorted({one["reason"] for one in session["explanations"]}))
        return f"{energy} {session['state']}, reason {reasons}"
    total = sum_of(session["total_minor"], session["currency"])
    paid = "paid" if session["owed_minor"] == 0 else "owed"
    return f"one session, {energy}, {total} {paid}, invoice {session['invoice']}"


def _voids(ask: Callable[..., Any], views: Any, operator_id: str, incident: str) -> Iterator[str]:
    if incident != "never_plugged":
        return
    for payment in ask(views.payments, operator_id, state="voided")["items"]:
        yield f"first hold of {sum_of(payment['amount_minor'], payment['currency'])} voided"
