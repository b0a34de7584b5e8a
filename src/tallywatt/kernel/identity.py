"""Pure: identity. UUIDv7 (RFC 9562) made by the application, and the draw from which one command takes all it needs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NewType

from tallywatt.kernel.clock import Instant

OperatorId = NewType("OperatorId", str)
CustomerId = NewType("CustomerId", str)
TokenId = NewType("TokenId", str)
LocationId = NewType("LocationId", str)
StationId = NewType("StationId", str)
EvseId = NewType("EvseId", str)
CommandId = NewType("CommandId", str)
SessionId = NewType("SessionId", str)
FrameId = NewType("FrameId", str)
OfferId = NewType("OfferId", str)
TariffVersionId = NewType("TariffVersionId", str)
PolicyVersionId = NewType("PolicyVersionId", str)
RatedId = NewType("RatedId", str)
PaymentId = NewType("PaymentId", str)
OperationId = NewType("OperationId", str)
ProviderAccountId = NewType("ProviderAccountId", str)
EntryId = NewType("EntryId", str)
InvoiceId = NewType("InvoiceId", str)
JobId = NewType("JobId", str)

RANDOM_BYTES = 10


def uuid7(machine: Instant, random: bytes) -> str:
    """A UUIDv7 from machine time (48 bits of milliseconds) and ten random bytes, in its canonical text."""
    value = (machine & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(random[:RANDOM_BYTES], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True, slots=True)
class Draw:
    """What a command drew from the world once: machine time, business time and chance.

    A workflow takes every id from here by name, so that running it again gives the same ids.
    """

    machine: Instant
    business: Instant
    seed: bytes

    def id(self, name: str) -> str:
        """The UUIDv7 of that name: the same name gives the same id, other names give unrelated ones."""
        digest = hashlib.blake2b(name.encode(), key=self.seed, digest_size=RANDOM_BYTES).digest()
        return uuid7(self.machine, digest)

    def token(self, name: str, characters: int) -> str:
        """An unguessable text of Crockford base32 characters, five bits each."""
        digest = hashlib.blake2b(name.encode(), key=self.seed, digest_size=64, person=b"token").digest()
        number = int.from_bytes(digest, "big")
        return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> 5 * i & 31] for i in range(characters))


def natural_key(*parts: object) -> str:
    """The key of a fact's content: the same parts give the same 128-bit text, whoever sends them and however often."""
    texts = ["" if part is None else str(part) for part in parts]
    text = "".join(f"{len(one)}:{one}" for one in texts)  # a length before each, so that no content looks like a border
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
