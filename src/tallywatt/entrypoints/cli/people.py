"""`tallywatt person`: who may come in, and as what."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, rfc3339_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group

person = group("person", "People: invited with a role; there are no passwords.")


@person.command(
    "invite",
    **examples(
        "tallywatt person invite ann@example.org --role owner",
        "tallywatt person invite dee@example.org --role driver --customer C1 --json",
    ),
)
def invite(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whom.")],
    role: Annotated[Role, typer.Option("--role", help="What they may do.")] = Role.READ_ONLY,
    customers: Annotated[
        list[str] | None,
        typer.Option(
            "--customer", metavar="REFERENCE", help="Whose things a driver or a fleet's manager sees; repeatable."
        ),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="How long the invitation stands.")] = 7,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Invite somebody by a link that works once.

    It is printed, and sent where there is a mail server.
    """
    from tallywatt.customers.access import secret_hash
    from tallywatt.entrypoints.pages.letters import link_url
    from tallywatt.wiring import fresh_id, link_secret
    from tallywatt.workflows.invite_person import InvitePerson, invite_person

    with at_desk(operator) as desk:
        invitation_id = fresh_id("invitation")
        secret = link_secret(desk.settings, invitation_id)
        by_letter = desk.settings.smtp_url is not None
        order = InvitePerson(
            email, role, tuple(customers or ()), invitation_id, secret_hash(secret), days, by_letter=by_letter
        )
        made = desk.do(invite_person, order)
        url = link_url(desk.settings.base_url, "invitation", secret)
    told = {
        "id": made["invitation_id"],
        "email": made["email"],
        "role": made["role"],
        "expires_at": rfc3339_of(made["expires_at"]),
        "sent": by_letter,
        "url": url,
    }
    if as_json:
        say_json(told)
        return
    say_fields([("link", url), ("for", told["email"]), ("as", told["role"]), ("until", told["expires_at"])])
    say("It is sent by e-mail, too." if by_letter else "There is no mail server (TALLYWATT_SMTP_URL): hand it over.")


@person.command("list", **examples("tallywatt person list", "tallywatt person list --json"))
def list_people(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List who is what."""
    with at_desk(operator) as desk:
        found = desk.behind(desk.views.members, "id")
    if as_json:
        say_json(found)
        return
    columns = (Column("name", "name", folds=True), Column("e-mail", "email", folds=True), Column("role", "role"))
    more = (Column("customers", "customers", folds=True), Column("since", "created_at"))
    say_table((*columns, *more), found, empty="Nobody yet. Invite somebody: tallywatt person invite EMAIL --role owner")
