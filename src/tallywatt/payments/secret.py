"""Pure: secrets of providers that are kept here, sealed, and named by a reference like those that are kept elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

SEALED_HERE: Final = "vault:"
"""A reference that starts with it names a secret of this database; `env:` and `file:` name places outside."""
KIND: Final = "provider_secret"
"""The class of sealed data to which they belong."""


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret of an operator. Its name is for people; references carry its id."""

    secret_id: str
    name: str
    key_id: str
    sealed_secret: bytes
    created_at: Instant
    changed_at: Instant
    version: int = 1


def bound_to(operator_id: str, secret_id: str) -> str:
    """What a secret is sealed with: copied into another row it opens nothing."""
    return f"{operator_id}/{secret_id}"
