"""The operator's console: one page of two equations, and from each figure a way down to the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Form, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from pydantic import AfterValidator, StringConstraints

from tallywatt.customers.access import Caller, secret_hash
from tallywatt.entrypoints.http.api.events import LAST_POSITION, STREAM, STREAM_HEADERS, feed_of
from tallywatt.entrypoints.http.api.money import payment_of, pdf_of
from tallywatt.entrypoints.http.api.places import command_for, key_hash, operator_of, station_of
from tallywatt.entrypoints.http.doors import (
    Collector,
    Operations,
    Reader,
    TheHouse,
    actor_of,
    csrf_token,
    let_in,
    let_out,
)
from tallywatt.entrypoints.http.shapes import NewCommand, storable
from tallywatt.entrypoints.http.telling import found
from tallywatt.entrypoints.pages import frame_page, overview, session_page
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.clock import local_date
from tallywatt.kernel.errors import BadInput, NotSignedIn
from tallywatt.kernel.identity import PaymentId, SessionId, StationId
from tallywatt.kernel.money import Money, currency, money
from tallywatt.stations.command import Action
from tallywatt.stations.station import Current
from tallywatt.workflows.add_station import AdoptStation, NewEvse, adopt_station
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.give_back import GiveBack
from tallywatt.workflows.order_payment import order_refund, order_release, order_retry
from tallywatt.workflows.order_station import order_station
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.retry_job import RetryJob, retry_job
from tallywatt.workflows.sign_in import SESSION_LIFE_SECONDS, EnterConsole, LeaveConsole, enter_console, leave_console
from tallywatt.workflows.try_again import TryAgain
from tallywatt.workflows.void_hold import VoidHold

if TYPE_CHECKING:
    from tallywatt.kernel.events import Event
    from tallywatt.wiring import House

router = APIRouter()

PAGE: Final = 50
Text = Annotated[str, Form(max_length=500), AfterValidator(storable)]
Id = Annotated[str, StringConstraints(max_length=64)]


@router.get("/")
async def front(_: Reader) -> Response:
    """Whoever comes to the front door wants the console."""
    return RedirectResponse("/console", 303)


# --- in and out ---


@router.get("/console/enter/{secret}")
async def show_entrance(secret: str, house: TheHouse) -> Response:
    """A button, not a sign-in: a mail program that looks at links must not use one up."""
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    good = link is not None and link["used"] is None and house.machine.now() < link["expires"]
    return HTMLResponse(page("enter.html", secret=secret, good=good), 200 if good else 401)


@router.post("/console/enter/{secret}")
async def enter(secret: str, house: TheHouse) -> Response:
    """Trade a link for a session, once."""
    link = await house.ask(house.views.console_link_by_hash, secret_hash(secret))
    if link is None:
        msg = "this link opens nothing"
        raise NotSignedIn(msg, code="access.link_spent", remedy="make a new one: tallywatt console-link")
    made = await house.write(link["operator_id"], enter_console, EnterConsole(secret), actor="person:link")
    answer = RedirectResponse("/console", 303)
    let_in(answer, house, made.secret, SESSION_LIFE_SECONDS)
    return answer


@router.post("/console/leave")
async def leave(caller: Reader, house: TheHouse) -> Response:
    """Sign out: the cookie opens nothing any more, wherever it was copied to."""
    if caller.kind == "person":
        await house.write(caller.operator_id, leave_console, LeaveConsole(caller.id), actor=actor_of(caller))
    answer = HTMLResponse(page("left.html"))
    let_out(answer)
    return answer


# --- looking ---


async def shown(request: Request, house: House, caller: Caller, template: str, at: str, **context: Any) -> HTMLResponse:
    """A page of the console, with what they all carry."""
    operator = await operator_of(house, caller.operator_id)
    badges = await house.ask(house.views.badges, caller.operator_id)
    common = {
        "operator": operator,
        "zone": operator["zone"],
        "badges": badges,
        "at": at,
        "position": request.state.position,
        "csrf": csrf_token(house.secret, caller),
        "connected": house.gateway.connected() if house.gateway is not None else frozenset(),
    }
    return HTMLResponse(page(template, **common, **context))


@router.get("/console")
async def show_overview(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Delivered = billed + explained; billed = captured + owed; and what happens at the moment."""
    operator = await operator_of(house, caller.operator_id)
    today = local_date(house.business_now(), operator["zone"])
    figures = await house.ask(house.views.overview, caller.operator_id, today)
    live = await house.ask(house.views.live_sessions, caller.operator_id, PAGE)
    inbox = await house.ask(house.views.inbox, caller.operator_id, 5, state="open")
    recent = await house.ask(house.views.sessions, caller.operator_id, 8, state="billed")
    return await shown(
        request,
        house,
        caller,
        "overview.html",
        "overview",
        figures=figures,
        energy=overview.energy(figures["energy"]),
        money=[overview.money(one, code) for code, one in figures["money"].items()],
        live=live,
        watts=sum(row["watts"] or 0 for row in live),
        inbox=inbox["items"],
        recent=recent["items"],
        today=today,
    )


@router.get("/console/sessions")
async def list_sessions(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: str | None = None,
    reason: str | None = None,
    station: str | None = None,
    source: str | None = None,
    cursor: str | None = None,
) -> Response:
    """Sessions, newest first."""
    chosen = {"state": state, "reason": reason, "station": station, "source": source}
    given = {name: value for name, value in chosen.items() if value}
    rows = await house.ask(house.views.sessions, caller.operator_id, PAGE, **given, before=cursor)
    counts = await house.ask(house.views.session_counts, caller.operator_id)
    return await shown(
        request,
        house,
        caller,
        "sessions.html",
        "sessions",
        rows=rows["items"],
        next=rows["next"],
        chosen=given,
        counts=counts,
    )


@router.get("/console/sessions/{session_id}")
async def show_session(request: Request, session_id: str, caller: Reader, house: TheHouse) -> Response:
    """One session, down to the frames."""
    row = found(await house.ask(house.views.session, caller.operator_id, session_id), "session", "sessions.not_found")
    cost = None
    if row["rated"] is None:
        cost = await house.ask(house.views.cost_so_far, caller.operator_id, session_id)
    operator = await operator_of(house, caller.operator_id)
    view = session_page.view(row, cost, operator)
    return await shown(request, house, caller, "session_detail.html", "sessions", row=row, view=view)


@router.get("/console/explained")
async def list_explained(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Energy that was metered and is on no bill, by its reason."""
    figures = await house.ask(house.views.overview, caller.operator_id)
    return await shown(request, house, caller, "explained.html", "sessions", energy=overview.energy(figures["energy"]))


@router.get("/console/frames/{frame_id}")
async def show_frame(request: Request, frame_id: str, caller: Reader, house: TheHouse) -> Response:
    """What came over the wire, unsealed."""
    row = await house.ask(house.views.frame, caller.operator_id, frame_id, house.store.vault)
    view = frame_page.view(found(row, "frame", "frames.not_found"))
    return await shown(request, house, caller, "frame.html", "stations", frame=view)


@router.get("/console/stations")
async def list_stations(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Stations, those that knock first."""
    rows = await house.ask(house.views.stations, caller.operator_id)
    locations = await house.ask(house.views.locations, caller.operator_id)
    waiting = [row for row in rows if row["state"] == "quarantined"]
    others = [row for row in rows if row["state"] != "quarantined"]
    return await shown(request, house, caller, "stations.html", "stations", waiting=waiting, rows=others, locations=locations,
        ocpp_port=house.settings.ocpp_port,
    )  # fmt: skip


@router.get("/console/stations/{identity}")
async def show_station(request: Request, identity: str, caller: Reader, house: TheHouse) -> Response:
    """One station: its EVSEs, its commands, what it sent."""
    row = await station_of(house, caller.operator_id, identity)
    frames = await house.ask(house.views.frames_of, caller.operator_id, row["id"], 40)
    sessions = await house.ask(house.views.sessions, caller.operator_id, 10, station=identity)
    return await shown(
        request, house, caller, "station.html", "stations", row=row, frames=frames, sessions=sessions["items"]
    )


@router.get("/console/payments")
async def list_payments(
    request: Request, caller: Reader, house: TheHouse, state: str | None = None, cursor: str | None = None
) -> Response:
    """Payments, newest first."""
    filters = {"state": state or None, "before": cursor}
    rows = await house.ask(house.views.payments, caller.operator_id, PAGE, **filters)
    counts = await house.ask(house.views.payment_counts, caller.operator_id)
    return await shown(
        request,
        house,
        caller,
        "payments.html",
        "payments",
        rows=rows["items"],
        next=rows["next"],
        state=state,
        counts=counts,
    )


@router.get("/console/payments/{payment_id}")
async def show_payment(request: Request, payment_id: str, caller: Reader, house: TheHouse) -> Response:
    """One payment: every operation, and where each minor unit went."""
    row = await payment_of(house, caller.operator_id, payment_id)
    once = house.new_id("refund")
    return await shown(request, house, caller, "payment.html", "payments", row=row, once=once)


@router.get("/console/invoices")
async def list_invoices(
    request: Request, caller: Reader, house: TheHouse, owed: bool = False, cursor: str | None = None
) -> Response:
    """Invoices, newest first; `owed=true` those that are not paid in full."""
    if owed:
        rows, after = await house.ask(house.views.owed_invoices, caller.operator_id), None
    else:
        listed = await house.ask(house.views.invoices, caller.operator_id, PAGE, cursor)
        rows, after = listed["items"], listed["next"]
    return await shown(request, house, caller, "invoices.html", "invoices", rows=rows, next=after, owed=owed)


@router.get("/console/invoices/{number}.pdf")
async def show_invoice(number: str, caller: Reader, house: TheHouse) -> Response:
    """The invoice as it was printed."""
    return await pdf_of(house, caller.operator_id, number)


@router.get("/console/inbox")
async def list_inbox(
    request: Request, caller: Reader, house: TheHouse, state: str = "open", cursor: str | None = None
) -> Response:
    """What waits for a person."""
    rows = await house.ask(house.views.inbox, caller.operator_id, PAGE, state=state, before=cursor)
    return await shown(
        request, house, caller, "inbox.html", "inbox", rows=rows["items"], next=rows["next"], state=state
    )


@router.get("/console/jobs")
async def list_jobs(request: Request, caller: Reader, house: TheHouse) -> Response:
    """Jobs that failed for good, and how many wait."""
    rows = await house.ask(house.views.jobs, caller.operator_id, "failed", 200)
    counts = await house.ask(house.views.job_counts, caller.operator_id)
    return await shown(request, house, caller, "jobs.html", "jobs", rows=rows, counts=counts)


@router.get("/console/feed")
async def follow(
    request: Request,
    caller: Reader,
    about: Annotated[list[Id] | None, Query(max_length=65)] = None,
    after: Annotated[int | None, Query(ge=0, le=LAST_POSITION)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_POSITION)] = None,
) -> StreamingResponse:
    """News for one open page: of all, or about some things."""
    wanted = frozenset(about or ())

    def wants(event: Event) -> bool:
        return not wanted or event.aggregate_id in wanted or not wanted.isdisjoint(event.data.values())

    feed = feed_of(request)
    feed.require_room()
    return StreamingResponse(
        feed.watch(caller.operator_id, wants, after if last_event_id is None else last_event_id),
        media_type=STREAM,
        headers=STREAM_HEADERS,
    )


# --- doing ---


@router.post("/console/stations/{identity}/adopt")
async def adopt(
    identity: str,
    caller: Operations,
    house: TheHouse,
    location: Text = "",
    key: Text = "",
    evses: Annotated[int, Form(ge=1, le=64)] = 1,
    current: Annotated[Current, Form()] = Current.AC,
    max_kw: Annotated[float | None, Form(gt=0, le=10_000)] = None,
) -> Response:
    """Take a station out of quarantine."""
    watts = round(max_kw * 1000) if max_kw is not None else None
    places = tuple(NewEvse(number, current, watts) for number in range(1, evses + 1))
    command = AdoptStation(identity, location or None, key_hash(house, key or None), places)
    await house.write(caller.operator_id, adopt_station, command, actor=actor_of(caller))
    return RedirectResponse(f"/console/stations/{identity}", 303)


@router.post("/console/stations/{identity}/commands")
async def command(
    identity: str,
    caller: Operations,
    house: TheHouse,
    action: Annotated[Action, Form()],
    evse: Text = "",
    tag: Text = "",
    how: Text = "",
) -> Response:
    """Ask a station to do something; its page follows the command."""
    station = await station_of(house, caller.operator_id, identity)
    asked = NewCommand(
        action=action,
        evse=evse or None,
        tag=tag or None,
        reset="hard" if how == "hard" else "soft",
        operative=how != "inoperative",
    )
    await house.write(caller.operator_id, order_station, command_for(station, asked), actor=actor_of(caller))
    return RedirectResponse(f"/console/stations/{identity}#commands", 303)


@router.post("/console/sessions/{session_id}/stop")
async def stop(session_id: str, caller: Operations, house: TheHouse) -> Response:
    """Ask the station to stop."""
    row = found(await house.ask(house.views.session, caller.operator_id, session_id), "session", "sessions.not_found")
    if row["station_id"] is None:
        msg = "this session runs at no station of ours"
        raise BadInput(msg, code="sessions.no_station")
    order = CommandStation(StationId(row["station_id"]), Action.STOP, session_id=SessionId(session_id))
    await house.write(caller.operator_id, order_station, order, actor=actor_of(caller))
    return RedirectResponse(f"/console/sessions/{session_id}", 303)


@router.post("/console/inbox/{item_id}")
async def resolve(
    item_id: str,
    caller: Operations,
    house: TheHouse,
    decision: Annotated[Decision, Form()],
    note: Text = "",
    customer: Text = "",
) -> Response:
    """Dismiss an item, or decide about what stands behind it."""
    order = ResolveItem(item_id, decision, note.strip(), customer.strip() or None)
    await house.write(caller.operator_id, resolve_item, order, actor=actor_of(caller))
    return RedirectResponse("/console/inbox", 303)


@router.post("/console/jobs/{job_id}/retry")
async def retry(job_id: str, caller: Operations, house: TheHouse) -> Response:
    """Put a failed job back in line."""
    await house.write(caller.operator_id, retry_job, RetryJob(job_id), actor=actor_of(caller))
    return RedirectResponse("/console/jobs", 303)


@router.post("/console/payments/{payment_id}/retry")
async def retry_payment(payment_id: str, caller: Collector, house: TheHouse) -> Response:
    """Try a payment again."""
    await house.write(caller.operator_id, order_retry, TryAgain(PaymentId(payment_id)), actor=actor_of(caller))
    return RedirectResponse(f"/console/payments/{payment_id}", 303)


@router.post("/console/payments/{payment_id}/release")
async def release(payment_id: str, caller: Collector, house: TheHouse) -> Response:
    """Let a hold go that no session has used."""
    order = VoidHold(PaymentId(payment_id), "cancelled")
    await house.write(caller.operator_id, order_release, order, actor=actor_of(caller))
    return RedirectResponse(f"/console/payments/{payment_id}", 303)


@router.post("/console/payments/{payment_id}/refund")
async def refund(
    payment_id: str,
    caller: Collector,
    house: TheHouse,
    amount: Text,
    once: Text,
    reason: Text = "",
) -> Response:
    """Give money back. `once` was drawn with the form, so that sending it twice gives back once."""
    row = await payment_of(house, caller.operator_id, payment_id)
    sum_given: Money = money(amount.strip(), currency(row["currency"]).code)
    order = GiveBack(PaymentId(payment_id), sum_given, reason.strip() or "requested", f"{actor_of(caller)}/{once}")
    await house.write(caller.operator_id, order_refund, order, actor=actor_of(caller))
    return RedirectResponse(f"/console/payments/{payment_id}", 303)
