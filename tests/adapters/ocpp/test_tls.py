"""Security profiles 2 and 3 over real sockets: who gets in with which key and which certificate, and who does not."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from tallywatt.adapters.certificates.authority import make_authority, sign
from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.ocpp.server import Tls
from tallywatt.adapters.storage.directory import MemoryDirectory
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Broken
from tallywatt.stations.certificates import CertificateState
from tallywatt.workflows.certify import (
    KeepCertificate,
    PutAuthority,
    RevokeCertificate,
    keep_certificate,
    put_authority,
    renew_certificate,
    revoke_certificate,
)
from tallywatt.workflows.change_station import ChangeStation, change_station
from tallywatt.workflows.command_station import CommandAnswered, command_answered
from tallywatt.workflows.ports import LinkAnswer
from tests.adapters.ocpp.conftest import House
from tests.adapters.ocpp.house import HeldWriter, Neighbours, Told, a_credential, basic
from tests.adapters.ocpp.scene import Point, Scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tallywatt.stations.certificates import Issued, StationCertificate

pytestmark = pytest.mark.asyncio(loop_scope="module")
POLICY_VIOLATION = 1008
YEAR = 365 * 24 * 3600 * 1000


def now() -> Instant:
    """X.509 knows the machine's time alone."""
    return MachineClock().now()


def a_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def as_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def a_request(name: str, key: ec.EllipticCurvePrivateKey) -> str:
    """What a station sends to be signed."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def a_server_certificate(folder: Path, name: str = "gateway") -> tuple[Path, Path, str]:
    """Certificate and key of a gateway at 127.0.0.1 in files, signed by itself."""
    key = a_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = dt.datetime.fromtimestamp(now() / 1000, dt.UTC) - dt.timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = made.public_bytes(serialization.Encoding.PEM).decode()
    certificate, secret = folder / "gateway.pem", folder / "gateway.key"
    certificate.write_text(text)
    secret.write_text(as_pem(key))
    return certificate, secret, text


AUTHORITY = make_authority("Operator", 10, now())
STRANGER = make_authority("Somebody else", 10, now())


def certified(name: str, by: Any = AUTHORITY, at: Instant | None = None, days: int = 30) -> tuple[Issued, str]:
    """A certificate of a station, and its key."""
    key = a_key()
    return sign(a_request(name, key), name, by.certificate, by.key, at or now(), days), as_pem(key)


def dressed(folder: Path, trusted: str, own: tuple[Issued | StationCertificate, str] | None = None) -> ssl.SSLContext:
    """How a station speaks TLS: whom it trusts, and what it shows."""
    context = ssl.create_default_context(cadata=trusted)
    if own is not None:
        file = folder / f"{own[0].serial}.pem"
        file.write_text(f"{own[0].certificate}{own[1]}")
        context.load_cert_chain(file)
    return context


class Walled:
    """A gateway with both ports, and what its stations know of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate, self.key, self.text = a_server_certificate(folder)
        self.house = House(HeldWriter(), Told(), Neighbours([a_credential("CP1")]))

    async def open(self) -> None:
        tls = Tls(0, self.certificate, self.key, lambda: (AUTHORITY.certificate,))
        await self.house.gateway.start("127.0.0.1", 0, tls)

    def station(self, profile: int = 0, *certificates: Issued) -> None:
        """The one station, as the operator has set it."""
        shown = frozenset(one.fingerprint for one in certificates)
        self.house.neighbours.credentials = [replace(a_credential("CP1"), security_profile=profile, certificates=shown)]

    @asynccontextmanager
    async def connected(self, own: tuple[Issued, str] | None = None, *, key: bool = True, plain: bool = False) -> Any:
        """A socket through one of the doors."""
        gateway = self.house.gateway
        url = f"ws://127.0.0.1:{gateway.port}" if plain else f"wss://localhost:{gateway.tls_port}"
        async with connect(
            f"{url}/ocpp/CP1",
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers=basic("CP1") if key else {},
            compression=None,
            ssl=None if plain else dressed(self.folder, self.text, own),
        ) as socket:
            yield socket

    async def is_let_in(self, own: tuple[Issued, str] | None = None, **how: bool) -> bool:
        """Whether its boot is heard."""
        async with self.connected(own, **how) as socket:
            try:
                await socket.send(json.dumps([2, "1", "Heartbeat", {}]))
                return bool(json.loads(await socket.recv())[0] == 3)
            except ConnectionClosed:
                return bool(socket.close_code != POLICY_VIOLATION)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def walled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walled]:
    one = Walled(tmp_path_factory.mktemp("tls"))
    await one.open()
    yield one
    await one.house.gateway.stop(grace_seconds=1)
    one.house.writer.stop()


async def test_basic_authentication_goes_within_tls(walled: Walled) -> None:
    """Profile 2: the key, and nobody who listens; a wrong key is refused as ever."""
    walled.station(2)
    assert await walled.is_let_in()
    with pytest.raises(InvalidStatus, match="401"):
        await walled.is_let_in(key=False)


@pytest.mark.parametrize("profile", [2, 3])
async def test_a_station_that_must_come_by_tls_is_refused_on_the_plain_port(walled: Walled, profile: int) -> None:
    """Its key is right, and that is not enough."""
    walled.station(profile)
    with pytest.raises(InvalidStatus, match="403"):
        await walled.is_let_in(plain=True)


async def test_a_station_without_a_minimum_still_comes_as_it_did(walled: Walled) -> None:
    """Nothing changes for who sets nothing."""
    walled.station(0)
    assert await walled.is_let_in(plain=True)


async def test_a_station_with_a_certificate_needs_no_key(walled: Walled) -> None:
    """Profile 3: its own certificate, signed by the operator's authority."""
    own = certified("CP1")
    walled.station(3, own[0])
    assert await walled.is_let_in(own, key=False)


async def test_a_key_is_not_enough_where_a_certificate_is_asked_for(walled: Walled) -> None:
    """Basic authentication over TLS is profile 2."""
    walled.station(3, certified("CP1")[0])
    assert not await walled.is_let_in()


async def test_the_certificate_of_another_station_opens_nothing(walled: Walled) -> None:
    """Signed by the same authority, for another name."""
    own, other = certified("CP1"), certified("CP2")
    walled.station(3, own[0])
    assert not await walled.is_let_in(other, key=False)


async def test_a_certificate_that_was_revoked_or_never_bound_opens_nothing(walled: Walled) -> None:
    """The right name and the right authority are not enough: the station is bound to this one certificate."""
    walled.station(3, certified("CP1")[0])
    assert not await walled.is_let_in(certified("CP1"), key=False)


@pytest.mark.parametrize("kind", ["a stranger's", "expired"])
async def test_a_certificate_that_nobody_vouches_for_ends_the_handshake(walled: Walled, kind: str) -> None:
    """Before a word of HTTP is heard."""
    long_ago = Instant(now() - YEAR)
    own = certified("CP1", STRANGER) if kind == "a stranger's" else certified("CP1", at=long_ago, days=1)
    walled.station(3, own[0])
    with pytest.raises((OSError, InvalidMessage)):
        await walled.is_let_in(own, key=False)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_older_versions_of_tls_are_not_spoken(walled: Walled) -> None:
    """OCPP asks for 1.2 at least."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", walled.house.gateway.tls_port, ssl=context)


async def test_a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_is_not(walled: Walled) -> None:
    """Whatever renews certificates writes files; a half-written one must not lock all stations out."""
    walled.station(2)
    shield = walled.house.gateway._shield
    assert shield is not None
    _, _, walled.text = a_server_certificate(walled.folder, "renewed")
    shield.look_again()
    assert await walled.is_let_in(), "it trusts the new one alone"
    walled.certificate.write_text("-----BEGIN CERTIFICATE-----\nhalf")
    shield.look_again()
    assert await walled.is_let_in()
    walled.certificate.write_text(walled.text)


async def test_a_gateway_without_a_usable_certificate_says_so(walled: Walled, tmp_path: Path) -> None:
    """By its file, and never by what is in it."""
    secret = tmp_path / "broken.key"
    secret.write_text("not-to-be-told")
    with pytest.raises(Broken) as refused:
        await walled.house.another_gateway().start("127.0.0.1", None, Tls(0, walled.certificate, secret))
    assert (refused.value.code, "not-to-be-told" in str(refused.value)) == ("serve.bad_certificate", False)


@pytest.mark.parametrize(
    ("request_of", "code"),
    [
        (lambda: "-----BEGIN CERTIFICATE REQUEST-----\nx", "certificates.bad_request"),
        (lambda: a_request("CP2", a_key()), "certificates.other_name"),
        (lambda: "A" * 6000, "certificates.bad_request"),
    ],
)
async def test_a_request_that_is_not_the_stations_own_is_not_signed(request_of: Any, code: str) -> None:
    """A station that could ask for another's name would be that other."""
    with pytest.raises(BadInput) as refused:
        sign(request_of(), "CP1", AUTHORITY.certificate, AUTHORITY.key, now())
    assert refused.value.code == code


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_a_station_gets_its_certificate_over_ocpp_and_connects_with_it(
    scene: Scene, tmp_path: Path, protocol: str
) -> None:
    """SignCertificate, CertificateSigned, a new connection by profile 3, its renewal, and its end by revocation."""
    made = make_authority(f"For {protocol}", 10, now())
    told = PutAuthority(
        made.fingerprint[:8], made.certificate, made.key, made.fingerprint, made.holds_from, made.holds_until
    )
    scene.do(put_authority, told)
    key = a_key()
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        request = a_request(point.identity, key)
        for _ in range(2):
            assert (await point.say("SignCertificate", {"csr": request}))["status"] == "Accepted"
        [asked] = point.look("station_certificates", station_id=point.station_id)
        issued = sign(asked.request, point.identity, made.certificate, made.key, now(), days=20)
        row = scene.do(keep_certificate, KeepCertificate(asked.certificate_id, issued))
        assert row.state is CertificateState.ISSUED
        await _delivered(scene, point, row.command_id, issued.chain)
        assert await _asked_again(scene, point, request, row.command_id) == issued.chain
        scene.do(change_station, ChangeStation(point.identity, security_profile=3))
        assert scene.do(renew_certificate, row.certificate_id), "it ends within a month"
        [renewal] = [one for one in point.commands() if one.name in {"TriggerMessage", "ExtendedTriggerMessage"}]
        assert str(renewal.payload["content"]["requestedMessage"]).startswith("SignCharg")
        await _comes_by_certificate(scene, point, (issued, as_pem(key)), tmp_path)


async def _asked_again(scene: Scene, point: Point, request: str, command_id: str) -> str:
    """The chain that goes out when a station asks for the same once more, and nobody has signed it twice."""
    [command] = point.look("station_commands", command_id=command_id)
    scene.do(command_answered, CommandAnswered(command.command_id, LinkAnswer("accepted", "Accepted")))
    assert (await point.say("SignCertificate", {"csr": request}))["status"] == "Accepted"
    [row] = point.look("station_certificates", station_id=point.station_id)
    assert row.command_id != command_id
    [command] = point.look("station_commands", command_id=row.command_id)
    return str(command.payload["content"]["certificateChain"])


async def _delivered(scene: Scene, point: Point, command_id: str, chain: str) -> None:
    """CertificateSigned goes out with the chain."""
    [command] = point.look("station_commands", command_id=command_id)
    sending = asyncio.create_task(asyncio.to_thread(scene.gateway.call, point.station_id, command, 5))
    assert point.socket is not None
    _, message_id, action, payload = json.loads(await point.socket.recv())
    assert (action, payload["certificateChain"]) == ("CertificateSigned", chain)
    await point.socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))
    assert (await sending).outcome == "accepted"


async def _comes_by_certificate(scene: Scene, point: Point, own: tuple[Issued, str], folder: Path) -> None:
    certificate, key, text = a_server_certificate(folder)
    directory = MemoryDirectory(scene.store.reading)
    house = House(HeldWriter(), Told(), Neighbours())
    gateway = house.another_gateway()
    gateway._directory = directory
    await gateway.start("127.0.0.1", None, Tls(0, certificate, key, lambda: directory.authorities))
    url = f"wss://localhost:{gateway.tls_port}/ocpp/op/{point.identity}"
    secured: dict[str, Any] = {
        "subprotocols": [Subprotocol(point.protocol)], "compression": None, "ssl": dressed(folder, text, own),
    }  # fmt: skip
    async with connect(url, **secured) as socket:
        await socket.send(json.dumps([2, "1", "Heartbeat", {}]))
        assert json.loads(await socket.recv())[0] == 3
    [row] = point.look("station_certificates", station_id=point.station_id)
    scene.do(revoke_certificate, RevokeCertificate(row.certificate_id, "lost"))
    directory.refill()
    async with connect(url, **secured) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    await gateway.stop(grace_seconds=1)
    house.writer.stop()
