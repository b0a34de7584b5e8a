"""Identity: UUIDv7 from what a command drew, unguessable tokens, and keys of content."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RANDOM_BYTES, Draw, natural_key, uuid7

MACHINE = st.integers(min_value=0, max_value=2**48 - 1).map(Instant)
RANDOM = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)
SEED = st.binary(min_size=16, max_size=32)
NAMES = st.text(max_size=30)


@given(machine=MACHINE, random=RANDOM)
def test_an_id_is_a_uuid_of_version_seven_that_carries_its_millisecond(machine: Instant, random: bytes) -> None:
    """RFC 9562, so that every database, language and log viewer knows what it is."""
    text = uuid7(machine, random)
    parsed = uuid.UUID(text)

    assert str(parsed) == text
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == machine


@given(machine=MACHINE, first=RANDOM, second=RANDOM)
def test_ids_of_later_milliseconds_sort_later_as_text(machine: Instant, first: bytes, second: bytes) -> None:
    """Rows of one time lie together in an index, and a list by id is a list by age."""
    assert uuid7(machine, first) < uuid7(Instant(machine + 1), second) or machine == 2**48 - 1


def a_draw(seed: bytes, machine: int = 1_535_098_500_000) -> Draw:
    return Draw(Instant(machine), Instant(0), seed)


@given(seed=SEED, name=NAMES)
def test_the_same_command_run_again_draws_the_same_ids(seed: bytes, name: str) -> None:
    """The writer may run a command twice after a conflict; the second run must mean the same rows."""
    assert a_draw(seed).id(name) == a_draw(seed).id(name)
    assert a_draw(seed).token(name, 20) == a_draw(seed).token(name, 20)


@given(seed=SEED, names=st.lists(NAMES, unique=True, min_size=2, max_size=20))
def test_every_name_draws_an_id_of_its_own(seed: bytes, names: list[str]) -> None:
    """Session, payment and entry of one command share a millisecond and nothing else."""
    draw = a_draw(seed)

    assert len({draw.id(name) for name in names}) == len(names)
    assert len({draw.token(name, 20) for name in names}) == len(names)


@given(seeds=st.lists(SEED, unique=True, min_size=2, max_size=10))
def test_two_commands_of_one_millisecond_never_share_an_id(seeds: list[bytes]) -> None:
    """Eight writers in one millisecond are ordinary."""
    assert len({a_draw(seed).id("session") for seed in seeds}) == len(seeds)


@given(seed=SEED, characters=st.integers(min_value=0, max_value=64))
def test_a_token_has_the_length_and_the_letters_that_were_asked_for(seed: bytes, characters: int) -> None:
    """OCPP 1.6 allows 20 characters; Crockford's letters are read aloud without mistakes."""
    token = a_draw(seed).token("remote start", characters)

    assert len(token) == characters
    assert set(token) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_a_token_says_nothing_about_the_id_of_the_same_name() -> None:
    """Ids appear in links and logs; a token is a secret of the same command."""
    draw = a_draw(b"a seed of a command")
    id_digits = draw.id("link").replace("-", "")[12:]

    assert draw.token("link", 20) not in id_digits.upper()


PARTS = st.lists(st.one_of(st.integers(), st.text()), min_size=1, max_size=6)


@given(parts=PARTS)
def test_the_same_fact_has_the_same_key_however_often_it_comes(parts: list[object]) -> None:
    """A resend is found by its content, whatever message id it carries this time."""
    assert natural_key(*parts) == natural_key(*parts)
    assert len(natural_key(*parts)) == 32


@given(parts=PARTS, other=PARTS)
def test_different_facts_have_different_keys(parts: list[object], other: list[object]) -> None:
    """Otherwise a session would be swallowed as a resend of another."""
    same = [str(part) for part in parts] == [str(part) for part in other]

    assert (natural_key(*parts) == natural_key(*other)) == same


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    """Station 1 connector 12 is not station 11 connector 2."""
    assert natural_key("1", "12") != natural_key("11", "2")
    assert natural_key("a", None, "b") != natural_key("a", "b", None)
    assert natural_key("a\x1fb") != natural_key("a", "b")
    assert natural_key("1:a") != natural_key("", "a")
    assert natural_key("a", None) == natural_key("a", "")
