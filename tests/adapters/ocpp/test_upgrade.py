"""How a station opens its WebSocket."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from tallywatt.adapters.ocpp.upgrade import Address, address_of, basic_key, chosen_protocol, put_right


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (b"/ocpp/CP1", Address(None, "CP1")),
        (b"/ocpp/op/CP1", Address("op", "CP1")),
        (b"/ocpp//op//CP1/", Address("op", "CP1")),
        (b"/ocpp/CP%201?x=y", Address(None, "CP 1")),
        (b"/ocpp/op/DE%2AABC%2FE1", Address("op", "DE*ABC/E1")),
        (b"/ocpp/%C3%A9", Address(None, "é")),
        (b"/ocpp/%E9", None),
        (b"/ocpp/CP%0A1", None),
        (b"/ocpp/" + b"X" * 200, None),
        (b"/ocpp", None),
        (b"/ocpp/", None),
        (b"/ocpp/a/b/c", None),
        (b"/steve/CP1", None),
        (b"/", None),
    ],
)
def test_the_path_names_the_station(target: bytes, address: Address | None) -> None:
    """Ids are percent-decoded; nothing in them may be invisible."""
    assert address_of(target) == address


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


def test_the_key_is_what_follows_the_id() -> None:
    """An id may hold a colon, a key any bytes; another station's credentials are none."""
    assert basic_key(f"Basic {encoded(b'CP:1:secret:x')}", "CP:1") == b"secret:x"
    assert basic_key(f"basic  {encoded(bytes([*b'CP1:', 0, 255, 58]))}", "CP1") == bytes([0, 255, 58])
    assert basic_key(f"Basic {encoded(b'CP2:secret')}", "CP1") is None
    assert basic_key(f"Bearer {encoded(b'CP1:secret')}", "CP1") is None
    assert basic_key("Basic ???", "CP1") is None
    assert basic_key(None, "CP1") is None


@given(st.text())
def test_no_header_breaks_the_door(header: str) -> None:
    """Anybody can send anything; only the words of the scheme can carry a key."""
    key = basic_key(header, "CP1")
    assert key is None or header.lower().startswith("basic")


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        (["ocpp2.0.1, ocpp1.6"], ("ocpp2.0.1", "ocpp2.0.1")),
        (["ocpp2.1", "ocpp1.6"], ("ocpp1.6", "ocpp1.6")),
        (["OCPP1.6"], ("ocpp1.6", "OCPP1.6")),
        (["ocpp1.5"], None),
        ([], None),
    ],
)
def test_the_first_version_that_both_speak_is_spoken(offers: list[str], chosen: tuple[str, str] | None) -> None:
    """In the station's order, answered in its own spelling."""
    assert chosen_protocol(offers, ("ocpp1.6", "ocpp2.0.1")) == chosen


@pytest.mark.parametrize("connection", ["Upgrade", "keep-alive, Upgrade", "upgrade,keep-alive", "keep-alive"])
def test_a_connection_header_is_a_list_of_tokens(connection: str) -> None:
    """`keep-alive, Upgrade` is valid; some stations leave `Upgrade` out and mean it (ev-server 2761)."""
    headers: CIMultiDict[str] = CIMultiDict({"connection": connection, "sec-websocket-key": "k"})
    put_right(headers)
    assert headers["Connection"] == "upgrade"
    assert headers["Upgrade"] == "websocket"


def test_a_plain_request_is_not_made_an_upgrade() -> None:
    """A browser that looks in is told so."""
    headers: CIMultiDict[str] = CIMultiDict({"Connection": "keep-alive"})
    put_right(headers)
    assert headers["Connection"] == "keep-alive"
