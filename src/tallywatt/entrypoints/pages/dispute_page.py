"""Pure: what is held about a disputed payment, as people and banks read it: what is there, what happened when, the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.pages.figures import day, kwh, money, time_of_day
from tallywatt.entrypoints.pages.language import _, language
from tallywatt.entrypoints.pages.session_page import card_words
from tallywatt.entrypoints.pages.signed_part import signed_view
from tallywatt.entrypoints.pages.words import label

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
MOST_VALUES: Final = 60
"""Meter values on the paper: those of a long session are thinned out, and the first and the last stay."""


def held(payment: Row | None, session: Row | None, signed: Row | None, receipt: bytes | None) -> list[Row]:
    """Each kind of evidence, whether it is there, and what it says in few words."""
    rated = session["rated"] if session else None
    values = len(signed["values"]) if signed else 0
    verdict = signed_view(signed) if signed else None
    return [
        _held("session", session, _about_session(session) if session else ""),
        _held("readings", session and session["readings"], _("Values: %(count)s") % {"count": _count(session)}),
        _held("signed", values, (verdict or {}).get("words") or ""),
        _held("offer", session and session["offer"], ((session and session["offer"]) or {}).get("tariff_name") or ""),
        _held("price", rated, money(rated["gross_minor"], rated["currency"]) if rated else ""),
        _held("payment", payment, money(payment["captured_minor"], payment["currency"]) if payment else ""),
        _held("receipt", receipt, (payment or {}).get("invoice") or ""),
    ]


def _held(kind: str, thing: Any, says: str) -> Row:
    return {"kind": kind, "is_there": bool(thing), "says": says if thing else ""}


def _count(session: Row | None) -> int:
    return len(session["readings"]) if session else 0


def _about_session(session: Row) -> str:
    return f"{day(session['started_at'], session['zone'])} · {_kwh(session['energy_wh'])}"


def _kwh(watt_hours: str) -> str:
    return f"{kwh(watt_hours)} kWh"


def timeline(dispute: Row, payment: Row | None, approvals: Iterable[Row], who: str) -> list[Row]:
    """What happened, in order; `who` has answered."""
    steps = []
    for one in (payment or {}).get("operations", ()):
        if one["state"] == "succeeded" and one["kind"] in ("capture", "charge", "refund"):
            at, says = one["resolved_at"], f"{label(one['kind'])}: {money(one['amount_minor'], one['currency'])}"
            steps.append({"at": at, "label": says, "done": True})
    steps.append({"at": dispute["opened_at"], "label": _("The bank disputes it: %(reason)s")
                  % {"reason": label(dispute["reason"])}, "done": True})  # fmt: skip
    for one in approvals:
        sum_ = money(one["amount_minor"], one["currency"])
        steps.append({"at": one["created_at"], "label": _("Asked to let it go: %(sum)s") % {"sum": sum_}, "done": True})
        if one["decided_at"]:
            steps.append({"at": one["decided_at"], "label": label(one["state"], "approval"), "done": True})
    if dispute["answer"]:
        words = _("Contested by %(who)s") if dispute["answer"] == "contest" else _("Let go by %(who)s")
        steps.append({"at": dispute["answered_at"], "label": words % {"who": who}, "done": True})
        if dispute["answer"] == "accept":
            steps.append({"at": dispute["answer_told_at"], "label": _("The provider was told"),
                          "done": dispute["answer_told_at"] is not None})  # fmt: skip
    ended = label(dispute["state"], "dispute") if dispute["decided_at"] else _("The bank has decided")
    steps.append({"at": dispute["decided_at"], "label": ended, "done": dispute["decided_at"] is not None})
    return sorted(steps, key=lambda one: (one["at"] is None, one["at"] or ""))


def paper(dispute: Row, operator: Row, payment: Row | None, session: Row | None, signed: Row | None) -> Row:
    """What the PDF says: who sold what to whom, what was shown before, what the meter said, what was taken."""
    parts = [_of_payment(dispute, payment, operator["zone"])]
    if session is not None:
        parts += [_of_session(session), _of_price(session)]
        if session["readings"]:
            parts.append(_of_readings(session))
    if signed is not None and signed["values"]:
        parts.append(_of_signatures(signed))
    sum_ = money(dispute["amount_minor"], dispute["currency"])
    return {
        "language": language(),
        "iso_date": dispute["opened_at"][:10],
        "seller": operator["name"],
        "title": _("Evidence for a disputed payment"),
        "lead": _("Dispute %(ref)s about %(sum)s: a charging session of an electric vehicle.")
        % {"ref": dispute["dispute_ref"], "sum": sum_},
        "footer": f"{dispute['dispute_ref']} · {dispute['payment_id']}",
        "parts": parts,
    }


def _part(title: str, rows: Iterable[tuple[str, Any]], table: Row | None = None) -> Row:
    return {"title": title, "rows": [[name, str(value)] for name, value in rows if value], "table": table}


def _moment(at: str | None, zone: str) -> str:
    return f"{day(at, zone)}, {time_of_day(at, zone, seconds=True)}" if at else ""


def _of_payment(dispute: Row, payment: Row | None, zone: str) -> Row:
    if payment is None:
        return _part(_("Payment"), ((_("Payment"), dispute["payment_id"]),))
    done = [one for one in payment["operations"] if one["state"] == "succeeded"]
    table = {
        "head": [_("When"), _("What"), _("Amount")],
        "rows": [
            [_moment(one["resolved_at"], zone), label(one["kind"]), money(one["amount_minor"], one["currency"])]
            for one in done
        ],
    }
    rows = (
        (_("Taken"), money(payment["captured_minor"], payment["currency"])),
        (_("Given back"), money(payment["refunded_minor"], payment["currency"]) if payment["refunded_minor"] else ""),
        (_("Card"), card_words(payment) if payment["card_last4"] else ""),
        (_("Number at the provider"), payment["provider_ref"]),
        (_("Invoice"), payment["invoice"]),
    )
    return _part(_("Payment"), rows, table if done else None)


def _of_session(session: Row) -> Row:
    zone = session["zone"]
    address = [session["location"], session["address"], session["postal_code"], session["city"], session["country"]]
    ended = session["energy_ended_at"] or session["transaction_ended_at"]
    rows = (
        (_("Place"), ", ".join(one for one in address if one)),
        (_("Charge point"), session["evse"] or session["station"]),
        (_("Begun"), _moment(session["started_at"], zone)),
        (_("Ended"), _moment(ended, zone)),
        (_("Energy"), _kwh(session["energy_wh"])),
        (_("Meter at the start"), _kwh(session["meter_start_wh"]) if session["meter_start_wh"] else ""),
        (_("Meter at the end"), _kwh(session["meter_stop_wh"]) if session["meter_stop_wh"] else ""),
        (_("Times are those of"), zone),
    )
    return _part(_("Charging session"), rows)


def _of_price(session: Row) -> Row:
    offer, rated = session["offer"], session["rated"]
    rows: list[tuple[str, Any]] = []
    if offer is not None:
        rows.append((_("Price shown before"), offer["tariff_name"] or offer["tariff"]))
        rows.append((_("Shown at"), _moment(offer["offered_at"], session["zone"])))
    if rated is None:
        return _part(_("Price"), rows)
    table = {
        "head": [_("What"), _("Why"), _("Quantity"), _("Amount")],
        "rows": [
            [one["title"], one["sentence"], one["quantity_text"], money(one["gross_minor"], rated["currency"])]
            for one in rated["lines"]
        ],
    }
    rows.append((_("Billed"), money(rated["gross_minor"], rated["currency"])))
    return _part(_("Price"), rows, table)


def _of_readings(session: Row) -> Row:
    values = session["readings"]
    step = -(-len(values) // MOST_VALUES)
    chosen = [one for place, one in enumerate(values) if place % step == 0 or place == len(values) - 1]
    rows = [
        [
            _moment(one["occurred_at"], session["zone"]),
            _kwh(one["register_wh"]) if one["register_wh"] is not None else "–",
        ]
        for one in chosen
    ]
    return _part(_("Meter values"), (), {"head": [_("When"), _("Register")], "rows": rows})


def _of_signatures(signed: Row) -> Row:
    view = signed_view(signed) or {}
    rows = (
        (_("Signed values"), len(signed["values"])),
        (_("Result"), view.get("words")),
        (_("Public key of the meter"), signed["public_key"]),
    )
    return _part(_("Signature of the meter"), rows)
