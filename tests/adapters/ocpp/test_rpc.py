"""OCPP-J framing."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallywatt.adapters.ocpp import rpc


def test_a_call_is_read_with_its_payload_left_alone() -> None:
    """The payload is decoded once, by the form of its action."""
    found = rpc.read(b'[2,"id-1","Heartbeat",{"x": 1.10}]')
    assert isinstance(found, rpc.Call)
    assert (found.message_id, found.action, bytes(found.payload)) == ("id-1", "Heartbeat", b'{"x": 1.10}')


def test_a_missing_payload_is_an_empty_one() -> None:
    """Seen from stations whose heartbeat ends after its name."""
    found = rpc.read(b'[2,"id-1","Heartbeat"]')
    assert isinstance(found, rpc.Call)
    assert bytes(found.payload) == b"{}"


@pytest.mark.parametrize(
    ("text", "kind", "id_text", "action", "payload"),
    [
        (b'[2,"a","StopTransaction",{"transactionId":1,', 2, b'"a"', "StopTransaction", None),
        (b'[2, 17, "Heartbeat", {}]', 2, b"17", "Heartbeat", b"{}"),
        (b'[2,"a","Boot","x"', 2, b'"a"', "Boot", None),
        (b'[2,"a"]', 2, b'"a"', None, None),
        (b'[9,"a",{}]', 9, b'"a"', None, None),
        (b'[7,"a","X","",{}]', 7, b'"a"', "X", None),
        (b"hello", None, None, None, None),
        (b"{}", None, None, None, None),
        (b"", None, None, None, None),
        (b"[" * 50_000, None, None, None, None),
        (b'[2,"\xe9","Authorize",{"idTag":"\xe9"}]', 2, b'"\xef\xbf\xbd"', "Authorize", b'{"idTag":"\xef\xbf\xbd"}'),
    ],
)
def test_a_careless_message_gives_up_what_it_can(
    text: bytes, kind: int | None, id_text: bytes | None, action: str | None, payload: bytes | None
) -> None:
    """With the id an error can be sent, with the action money is told from chatter."""
    found = rpc.read(text)
    assert isinstance(found, rpc.Broken)
    assert (found.kind, found.id_text, found.action) == (kind, id_text, action)
    assert (None if found.payload is None else bytes(found.payload)) == payload


@given(st.binary(max_size=200))
@example(b'[2,"' + b'\\"' * 300 + b'","A",{}]')
@example(b'[2,"a","b",{"c":1e999999999}]')
def test_no_bytes_at_all_break_the_reader(text: bytes) -> None:
    """Anybody can send anything to an open port."""
    assert rpc.read(text) is not None


def test_a_nul_in_a_text_is_left_out() -> None:
    """PostgreSQL keeps no NUL in a text: the fact would fail for ever."""
    found = rpc.read(b'[2,"a","Authorize",{"idTag":"AB\\u0000C"}]')
    assert isinstance(found, rpc.Call)
    assert json.loads(bytes(found.payload)) == {"idTag": "ABC"}


@given(st.text(max_size=40), st.text(max_size=300))
def test_what_we_send_is_json_whatever_the_station_called_its_message(message_id: str, why: str) -> None:
    """Ids are echoed, and stations choose them."""
    assert json.loads(rpc.answer(message_id, b"{}")) == [3, message_id, {}]
    assert json.loads(rpc.refusal(message_id, "NotSupported", why)) == [4, message_id, "NotSupported", why[:255], {}]
    assert json.loads(rpc.request(message_id, "Reset", b"{}")) == [2, message_id, "Reset", {}]


def test_an_id_that_was_a_number_is_echoed_as_a_number() -> None:
    """A station that counts its messages looks for the number that it sent."""
    assert rpc.answer(b"17", b"{}") == b"[3,17,{}]"
