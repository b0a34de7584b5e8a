"""People of the operator: who is what, who was invited, who is signed in where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from tallywatt.customers.access import secret_hash
from tallywatt.customers.roles import ROLES, Role
from tallywatt.entrypoints.http.console.shown import Text, done, shown
from tallywatt.entrypoints.http.doors import Admin, TheHouse, actor_of
from tallywatt.entrypoints.http.telling import found
from tallywatt.entrypoints.pages import language
from tallywatt.entrypoints.pages.letters import link_url
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import TallywattError
from tallywatt.workflows.add_person import ChangeRole, EndMembership, change_role, end_membership
from tallywatt.workflows.invite_person import InvitePerson, RevokeInvitation, invite_person, revoke_invitation
from tallywatt.workflows.sign_in import LeaveConsole, LeaveEverywhere, leave_console, leave_everywhere

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
PEOPLE = "/console/settings/people"
PAGE = 200


@router.get(PEOPLE)
async def list_people(request: Request, caller: Admin, house: TheHouse, cursor: str = "") -> Response:
    """Members and open invitations."""
    return await _page(request, house, caller, cursor=cursor)


async def _page(
    request: Request, house: House, caller: Caller, status: int = 200, cursor: str = "", **context: Any
) -> Response:
    rows = await house.ask(house.views.members, caller.operator_id, cursor, PAGE + 1)
    invited = await house.ask(house.views.invitations, caller.operator_id, PAGE)
    now = house.machine.now()
    for row in invited:
        row["url"] = link_url(house.settings.base_url, "invitation", house.letter_secret(row["id"]))
        row["expired"] = now >= parse_instant(row["expires_at"])
    told = {
        "subject": "people",
        "rows": rows[:PAGE],
        "next": rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        "invited": invited,
        "roles": ROLES,
        "has_post": house.has_post,
        "refusal": None,
        "given": {},
    }
    return await shown(request, house, caller, "settings_people.html", "settings", status, **{**told, **context})


@router.post(f"{PEOPLE}/invitations")
async def invite(
    request: Request,
    caller: Admin,
    house: TheHouse,
    email: Text,
    role: Annotated[Role, Form()],
    customers: Text = "",
) -> Response:
    """Invite somebody: by letter where there is a mail server, and by a link to hand over in any case."""
    invitation_id = house.new_id("invitation")
    command = InvitePerson(
        email,
        role,
        references(customers),
        invitation_id,
        secret_hash(house.letter_secret(invitation_id)),
        by_letter=house.has_post,
        language=language.language(),
    )
    try:
        await house.write(caller.operator_id, invite_person, command, actor=actor_of(caller))
    except TallywattError as refusal:
        given = {"email": email, "role": role.value, "customers": customers}
        return await _page(request, house, caller, 400, refusal=refusal, given=given)
    return done(PEOPLE, "invited", "#invitations")


@router.post(f"{PEOPLE}/invitations/{{invitation_id}}/revoke")
async def revoke(invitation_id: str, caller: Admin, house: TheHouse) -> Response:
    """Take an invitation back."""
    await house.write(caller.operator_id, revoke_invitation, RevokeInvitation(invitation_id), actor=actor_of(caller))
    return done(PEOPLE, "removed", "#invitations")


@router.get(f"{PEOPLE}/{{membership_id}}")
async def show_member(request: Request, membership_id: str, caller: Admin, house: TheHouse) -> Response:
    """One member: role, sessions, and the way out."""
    return await _member_page(request, house, caller, membership_id)


async def _member_page(
    request: Request, house: House, caller: Caller, membership_id: str, status: int = 200, **context: Any
) -> Response:
    row = found(await house.ask(house.views.member, caller.operator_id, membership_id), "member", "people.not_found")
    sessions = await house.ask(house.views.sessions_of_person, caller.operator_id, row["person_id"])
    now = house.machine.now()
    told = {
        "subject": "people",
        "row": row,
        "sessions": [one for one in sessions if now < one["expires"]],
        "roles": ROLES,
        "refusal": None,
        "me": caller,
    }
    return await shown(request, house, caller, "settings_person.html", "settings", status, **{**told, **context})


@router.post(f"{PEOPLE}/{{membership_id}}/role")
async def change(
    request: Request,
    membership_id: str,
    caller: Admin,
    house: TheHouse,
    role: Annotated[Role, Form()],
    customers: Text = "",
) -> Response:
    """Another role, or other customers."""
    command = ChangeRole(membership_id, role, references(customers))
    try:
        made = await house.write(caller.operator_id, change_role, command, actor=actor_of(caller))
    except TallywattError as refusal:
        return await _member_page(request, house, caller, membership_id, 400, refusal=refusal)
    return done(f"{PEOPLE}/{made.membership_id}", "saved")


@router.post(f"{PEOPLE}/{{membership_id}}/remove")
async def remove(request: Request, membership_id: str, caller: Admin, house: TheHouse) -> Response:
    """Take the role away; the sessions that came with it end."""
    try:
        await house.write(caller.operator_id, end_membership, EndMembership(membership_id), actor=actor_of(caller))
    except TallywattError as refusal:
        return await _member_page(request, house, caller, membership_id, 400, refusal=refusal)
    return done(PEOPLE, "removed")


@router.post(f"{PEOPLE}/{{membership_id}}/sign-out")
async def sign_out(
    membership_id: str, caller: Admin, house: TheHouse, session: Annotated[str, Form(max_length=64)] = ""
) -> Response:
    """Sign a person out: of one session that is named, else everywhere."""
    row = found(await house.ask(house.views.member, caller.operator_id, membership_id), "member", "people.not_found")
    if session:
        order = LeaveConsole(session, row["person_id"])
        await house.write(caller.operator_id, leave_console, order, actor=actor_of(caller))
    else:
        everywhere = LeaveEverywhere(row["person_id"], caller.session_id)
        await house.write(caller.operator_id, leave_everywhere, everywhere, actor=actor_of(caller))
    return done(f"{PEOPLE}/{membership_id}", "left")


def references(text: str) -> tuple[str, ...]:
    """Customers as they are typed: by commas or on lines."""
    return tuple(dict.fromkeys(one.strip() for one in text.replace("\n", ",").split(",") if one.strip()))
