"""The two ceremonies of WebAuthn: a passkey is made, a passkey is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tallywatt.kernel.errors import BadInput, NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TRANSPORTS = 8


@dataclass(frozen=True, slots=True)
class MadePasskey:
    """A passkey as an authenticator has just made it."""

    credential_id: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    backed_up: bool


@dataclass(frozen=True, slots=True)
class UsedPasskey:
    """What a use of a passkey says about it."""

    sign_count: int
    backed_up: bool
    user_handle: str | None


class Ceremonies:
    """For one relying party: the name under which the pages are reached."""

    def __init__(self, base_url: str, name: str) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._rp_id = parts.hostname or ""
        self._name = name

    def ask_to_make(
        self, challenge: bytes, person_id: str, email: str, name: str, known: Sequence[str]
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` is asked. `known` are the credentials that this person has already."""
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._name,
            user_id=person_id.encode(),
            user_name=email,
            user_display_name=name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known],
        )
        return options_to_json_dict(options)

    def made(self, answer: dict[str, Any], challenge: bytes) -> MadePasskey:
        """The passkey of an answer, or BadInput."""
        try:
            found = verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception as error:
            msg = "the browser's answer does not hold"
            raise BadInput(msg, code="passkeys.bad_answer", remedy="try again") from error
        told = answer.get("response", {}).get("transports") or []
        transports = tuple(str(one)[:20] for one in told[:MOST_TRANSPORTS]) if isinstance(told, list) else ()
        return MadePasskey(
            bytes_to_base64url(found.credential_id),
            found.credential_public_key,
            found.sign_count,
            transports,
            found.credential_backed_up,
        )

    def ask_to_use(self, challenge: bytes) -> dict[str, Any]:
        """What `navigator.credentials.get` is asked: any passkey of ours, and who it is, is the browser's to know."""
        options = generate_authentication_options(
            rp_id=self._rp_id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        return options_to_json_dict(options)

    def used(self, answer: dict[str, Any], challenge: bytes, public_key: bytes, sign_count: int) -> UsedPasskey:
        """What an answer proves, or NotSignedIn. A counter that did not move on speaks of a copied key."""
        try:
            found = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=True,
            )
            handle = answer["response"].get("userHandle")
            user = base64url_to_bytes(handle).decode() if handle else None
        except Exception as error:
            msg = "the passkey's answer does not hold"
            raise NotSignedIn(msg, code="passkeys.bad_answer", remedy="try again, or come in another way") from error
        return UsedPasskey(found.new_sign_count, found.credential_backed_up, user)
