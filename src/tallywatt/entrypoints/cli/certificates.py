"""`tallywatt authority`, and the certificates of stations: who vouches for them, what was signed, what holds no longer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.orders import station
from tallywatt.entrypoints.cli.show import Column, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.stations import IdentityArgument
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.errors import BadInput, NotFound

authority = group("authority", "The authority that signs certificates of stations.")

__all__ = ["authority", "station"]


@authority.command(
    "create", **examples("tallywatt authority create", "tallywatt authority create --name 'Town Charging' --years 20")
)
def create(
    name: Annotated[str | None, typer.Option("--name", help="In its certificate; else the operator's name.")] = None,
    years: Annotated[int, typer.Option("--years", min=1, max=40, help="How long it holds.")] = 15,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an authority. Its key is sealed at once, and shown to nobody."""
    from tallywatt.wiring import machine_now, make_authority
    from tallywatt.workflows.certify import PutAuthority, put_authority

    with at_desk(operator) as desk:
        named = name or desk.operator.name
        made = make_authority(named, years, machine_now())
        command = PutAuthority(named, made.certificate, made.key, made.fingerprint, made.holds_from, made.holds_until)
        kept = desk.do(put_authority, command)
        [row] = [one for one in desk.ask(desk.views.authorities) if one["id"] == kept["authority_id"]]
    if as_json:
        say_json(row)
        return
    say_fields([("authority", row["name"]), ("SHA-256", row["fingerprint"]), ("holds until", row["holds_until"])])
    say("Stations that ask for a certificate get one from now on. Its own: tallywatt authority show")


@authority.command("show", **examples("tallywatt authority show > authority.pem", "tallywatt authority show --json"))
def show(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Show the authorities that are trusted: their certificates in PEM."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.authorities)
    if as_json:
        say_json(found)
        return
    if not found:
        msg = "there is no authority yet"
        raise NotFound(msg, code="certificates.no_authority", remedy="make one: tallywatt authority create")
    for one in found:
        say(one["certificate"].rstrip())


@station.command(
    "certificates",
    **examples("tallywatt station certificates CP-17", "tallywatt station certificates CP-17 --request CP-17.csr"),
)
def certificates(
    identity: IdentityArgument,
    request: Annotated[
        Path | None, typer.Option("--request", metavar="FILE", help="Have this request signed, in PEM.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List a station's certificates, or have one signed by hand."""
    from tallywatt.workflows.certify import AskCertificate, ask_certificate

    with at_desk(operator) as desk:
        row = desk.ask(desk.views.station, identity)
        if row is None:
            msg = f"there is no station {identity!r}"
            raise NotFound(msg, code="stations.not_found")
        if request is not None:
            desk.do(ask_certificate, AskCertificate(identity, _text_of(request)))
        found = desk.ask(desk.views.certificates_of, row["id"])
    if as_json:
        say_json(found)
        return
    columns = (
        Column("asked", "requested_at"),
        Column("state", "state"),
        Column("holds until", "holds_until"),
        Column("reason", "reason", folds=True),
        Column("certificate", "id", folds=True),
    )
    say_table(columns, found, empty="It has asked for none.")


@station.command("revoke", **examples("tallywatt station revoke 0198f… --reason stolen"))
def revoke(
    certificate: Annotated[str, typer.Argument(metavar="CERTIFICATE", help="Its id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """End a certificate: who shows it is not let in any more."""
    from tallywatt.workflows.certify import RevokeCertificate, revoke_certificate

    with at_desk(operator) as desk:
        row = desk.do(revoke_certificate, RevokeCertificate(certificate, reason))
    told = {"id": row["certificate_id"], "state": row["state"], "serial": row["serial"]}
    if as_json:
        say_json(told)
        return
    say(f"Certificate {told['serial']} is valid no longer.")


@station.command(
    "secure",
    **examples("tallywatt station secure CP-17 --profile 3", "tallywatt station secure CP-18 --protocol ocpp2.0.1"),
)
def secure(
    identity: IdentityArgument,
    profile: Annotated[
        int | None, typer.Option("--profile", min=0, max=3, help="The least security profile; 0: any.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", help="Spoken when it offers several; '' for what it offers first.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say how a station must connect, and by which version."""
    from tallywatt.workflows.change_station import ChangeStation, change_station

    if profile is None and protocol is None:
        msg = "say what is to be otherwise"
        raise BadInput(msg, code="stations.nothing_to_change", remedy="give --profile, --protocol or both")
    with at_desk(operator) as desk:
        row = desk.do(change_station, ChangeStation(identity, security_profile=profile, preferred_protocol=protocol))
    told = {name: row[name] for name in ("identity", "security_profile", "preferred_protocol")}
    if as_json:
        say_json(told)
        return
    say_fields(
        [("station", identity), ("least profile", told["security_profile"]), ("prefers", told["preferred_protocol"])]
    )


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file} cannot be read as PEM"
        raise BadInput(msg, code="file.unreadable") from error
