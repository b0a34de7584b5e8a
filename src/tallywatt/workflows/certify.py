"""Certificates of stations: the authority that signs them, what stations ask for, what is issued, revoked and renewed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.kernel.events import Event
from tallywatt.kernel.identity import natural_key
from tallywatt.stations.certificates import (
    DAY_MILLISECONDS,
    OWN_KIND,
    RENEWED_BEFORE_DAYS,
    Authority,
    CertificateState,
    Issued,
    StationCertificate,
    is_request,
    renewal_message,
    signed_message,
)
from tallywatt.stations.command import Action
from tallywatt.stations.station import StationState
from tallywatt.workflows.change_station import lock_station
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.listen import keep_frame
from tallywatt.workflows.put_secret import PutSecret, put_secret
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.metering.facts import SigningAsked
    from tallywatt.stations.station import Station
    from tallywatt.workflows.ports import UnitOfWork

MOST_REQUESTS = 50
"""Of one station that wait or were refused; more is a station that has lost its mind."""


@dataclass(frozen=True, slots=True)
class PutAuthority:
    """A new authority, and its key in the clear, which is sealed before anything else happens."""

    name: str
    certificate: str
    key: str
    fingerprint: str
    holds_from: Instant
    holds_until: Instant


def put_authority(work: UnitOfWork, command: PutAuthority) -> Authority:
    """Keep an authority: it signs from now on. Those before it stay trusted as long as they hold."""
    kept = put_secret(work, PutSecret(f"authority-{command.fingerprint[:16]}", command.key))
    row = Authority(
        work.draw.id("authority"), command.name, command.certificate, command.fingerprint, kept.secret_id,
        command.holds_from, command.holds_until, work.machine_now,
    )  # fmt: skip
    if not work.authorities.add(row):
        msg = "this authority is kept already"
        raise Conflict(msg, code="certificates.authority_taken")
    record_action(work, "authority.put", "authority", row.authority_id, after={"fingerprint": row.fingerprint})
    work.events.append(Event("authority", row.authority_id, "AuthorityPut"))
    return row


def signing_authority(work: UnitOfWork) -> Authority | None:
    """The newest authority that holds now."""
    holding = [one for one in work.authorities.by() if one.holds_from <= work.machine_now < one.holds_until]
    return max(holding, key=lambda one: (one.created_at, one.authority_id), default=None)


def hear_signing_request(work: UnitOfWork, fact: SigningAsked) -> bool:
    """Take a station's request: whether it gets a certificate. The same request again is answered again, not signed again."""
    keep_frame(work, fact.heard)
    station = work.stations.get(fact.heard.station_id)
    if fact.kind != OWN_KIND or station.state is not StationState.ADOPTED or signing_authority(work) is None:
        return False
    row = _take_request(work, station, fact.request, fact.request_number)
    if row is None or row.state in {CertificateState.REFUSED, CertificateState.REVOKED}:
        return False
    if row.state is CertificateState.ISSUED:
        _send_again(work, row, fact.request_number)
    return True


def _send_again(work: UnitOfWork, row: StationCertificate, number: int | None) -> None:
    """A station that asks once more has lost its certificate, or has never got it."""
    sent = None if row.command_id is None else work.station_commands.find(row.command_id)
    if sent is None or (sent.is_open and sent.answered_at is None):
        return
    content = dict(sent.payload["content"])
    if number is not None and "requestId" in content:
        content["requestId"] = number
    message = {"name": sent.payload["name"], "content": content}
    told = command_station(work, CommandStation(row.station_id, Action.MESSAGE, message))
    work.station_certificates.put(replace(row, command_id=told.command_id))


def _take_request(work: UnitOfWork, station: Station, request: str, number: int | None) -> StationCertificate | None:
    if not is_request(request):
        return None
    key = natural_key("csr", request.strip())
    known = work.station_certificates.one_by(station_id=station.station_id, request_key=key)
    if known is not None:
        return known
    waiting = work.station_certificates.by(station_id=station.station_id)
    refused = [one for one in waiting if one.state in {CertificateState.REQUESTED, CertificateState.REFUSED}]
    if len(refused) >= MOST_REQUESTS:
        return None
    row = StationCertificate(
        work.draw.id("certificate"),
        station.station_id,
        key,
        request,
        number,
        CertificateState.REQUESTED,
        work.machine_now,
    )
    work.station_certificates.add(row)
    work.jobs.add(Job("sign_certificate", row.certificate_id))
    return row


@dataclass(frozen=True, slots=True)
class AskCertificate:
    """A person brings a station's request by hand."""

    identity: str
    request: str


def ask_certificate(work: UnitOfWork, command: AskCertificate) -> StationCertificate:
    """Write down a request that came by hand; a worker signs it."""
    station = lock_station(work, command.identity)
    if signing_authority(work) is None:
        msg = "there is no authority that could sign"
        raise Conflict(msg, code="certificates.no_authority", remedy="make one: tallywatt authority create")
    row = _take_request(work, station, command.request, None)
    if row is None:
        msg = "this is no certificate signing request, or too many of this station were refused"
        raise BadInput(msg, code="certificates.bad_request", remedy="let the station make a new one")
    record_action(work, "certificate.ask", "station", station.station_id, after={"certificate": row.certificate_id})
    return row


@dataclass(frozen=True, slots=True)
class KeepCertificate:
    """What the authority has signed."""

    certificate_id: str
    issued: Issued


def keep_certificate(work: UnitOfWork, command: KeepCertificate) -> StationCertificate:
    """Bind the certificate to its station, send it there, and remember when it must be renewed."""
    held = work.station_certificates.lock(command.certificate_id)
    if held.state is not CertificateState.REQUESTED:
        return held
    issued = command.issued
    station = work.stations.get(held.station_id)
    told = None
    if station.protocol is not None:
        message = signed_message(station.protocol, issued.chain, held.request_number)
        told = command_station(work, CommandStation(held.station_id, Action.MESSAGE, message))
    row = work.station_certificates.put(
        replace(
            held,
            state=CertificateState.ISSUED,
            serial=issued.serial,
            fingerprint=issued.fingerprint,
            certificate=issued.certificate,
            holds_from=issued.holds_from,
            holds_until=issued.holds_until,
            command_id=None if told is None else told.command_id,
        )
    )
    renewal = Instant(issued.holds_until - RENEWED_BEFORE_DAYS * DAY_MILLISECONDS)
    work.jobs.add(Job("renew_certificate", row.certificate_id, not_before=renewal))
    work.events.append(Event("station", row.station_id, "StationCertificateIssued", {"serial": issued.serial}))
    return row


@dataclass(frozen=True, slots=True)
class RefuseCertificate:
    """Why a request is not signed."""

    certificate_id: str
    reason: str


def refuse_certificate(work: UnitOfWork, command: RefuseCertificate) -> StationCertificate:
    """End a request that nobody should sign. The station hears nothing more, and asks anew when it may."""
    held = work.station_certificates.lock(command.certificate_id)
    if held.state is not CertificateState.REQUESTED:
        return held
    ended = replace(held, state=CertificateState.REFUSED, ended_at=work.machine_now, reason=command.reason[:200])
    return work.station_certificates.put(ended)


@dataclass(frozen=True, slots=True)
class RevokeCertificate:
    """Which one, and why."""

    certificate_id: str
    reason: str = ""


def revoke_certificate(work: UnitOfWork, command: RevokeCertificate) -> StationCertificate:
    """From now on a station that shows it is not let in, and its open socket ends."""
    if work.station_certificates.find(command.certificate_id) is None:
        msg = "there is no such certificate"
        raise NotFound(msg, code="certificates.not_found")
    held = work.station_certificates.lock(command.certificate_id)
    if held.state is CertificateState.REVOKED:
        return held
    if held.state is not CertificateState.ISSUED:
        msg = f"this certificate is {held.state.value}: there is nothing to revoke"
        raise Conflict(msg, code="certificates.not_issued")
    ended = replace(
        held, state=CertificateState.REVOKED, ended_at=work.machine_now, reason=command.reason[:200] or None
    )
    record_action(work, "certificate.revoke", "station", held.station_id, after={"serial": held.serial})
    work.events.append(Event("station", held.station_id, "StationCertificateRevoked", {"serial": held.serial or ""}))
    return work.station_certificates.put(ended)


def renew_certificate(work: UnitOfWork, certificate_id: str) -> bool:
    """Ask the station for a new request while its newest certificate still holds; whether to ask again tomorrow."""
    held = work.station_certificates.get(certificate_id)
    mine = work.station_certificates.by(station_id=held.station_id, state=CertificateState.ISSUED.value)
    newer = any((one.holds_until or 0) > (held.holds_until or 0) for one in mine)
    station = work.stations.get(held.station_id)
    is_over = (held.holds_until or 0) <= work.machine_now
    if held.state is not CertificateState.ISSUED or newer or is_over or station.state is not StationState.ADOPTED:
        return False
    if station.protocol is not None:
        payload = renewal_message(station.protocol)
        command_station(work, CommandStation(held.station_id, Action.MESSAGE, payload))
    return True
