"""Keep a secret of a provider, sealed; change it; forget it. No answer, event or record ever holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.payments.secret import KIND, SEALED_HERE, SealedSecret, bound_to
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.workflows.ports import UnitOfWork

LONGEST_SECRET = 10_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class PutSecret:
    """A name of one's own, and what is to be kept."""

    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """What is told of a secret: never itself."""

    secret_id: str
    name: str
    reference: str


def put_secret(work: UnitOfWork, command: PutSecret) -> KeptSecret:
    """Seal a secret. The same name again replaces it, and accounts that use it open their connections anew."""
    if not _NAME.fullmatch(command.name):
        msg = "a secret is named with small letters, digits, dots and dashes, at most 64"
        raise BadInput(msg, code="secrets.bad_name")
    if not 0 < len(command.secret) <= LONGEST_SECRET:
        msg = f"a secret has 1 to {LONGEST_SECRET} characters"
        raise BadInput(msg, code="secrets.bad_secret")
    known = work.sealed_secrets.one_by(name=command.name)
    secret_id = known.secret_id if known is not None else work.draw.id(f"secret/{command.name}")
    about = bound_to(work.operator, secret_id)
    key_id, sealed = work.vault.seal(KIND, secret_id, command.secret.encode(), about)
    if known is not None:
        row = work.sealed_secrets.lock(secret_id)
        work.sealed_secrets.put(replace(row, key_id=key_id, sealed_secret=sealed, changed_at=work.machine_now))
        for account in _users_of(work, secret_id):
            work.provider_accounts.put(work.provider_accounts.lock(account.account_id))
    else:
        row = SealedSecret(secret_id, command.name, key_id, sealed, work.machine_now, work.machine_now)
        if not work.sealed_secrets.add(row):
            msg = "this secret is being kept at this moment; ask again"
            raise Conflict(msg, code="secrets.taken")
    record_action(work, "secret.put", "secret", secret_id, after={"name": command.name, "replaced": known is not None})
    return KeptSecret(secret_id, command.name, f"{SEALED_HERE}{command.name}")


@dataclass(frozen=True, slots=True)
class RemoveSecret:
    """Which secret."""

    name: str


def remove_secret(work: UnitOfWork, command: RemoveSecret) -> KeptSecret:
    """Forget a secret that no account uses: what is left of it is sealed with nothing in it."""
    known = work.sealed_secrets.one_by(name=command.name)
    if known is None:
        msg = f"there is no secret {command.name!r}"
        raise NotFound(msg, code="secrets.not_found", remedy="see: tallywatt secrets list")
    users = _users_of(work, known.secret_id)
    if users:
        msg = f"the account {users[0].name!r} uses this secret"
        raise Conflict(msg, code="secrets.in_use")
    row = work.sealed_secrets.lock(known.secret_id)
    key_id, sealed = work.vault.seal(KIND, known.secret_id, b"", bound_to(work.operator, known.secret_id))
    gone = f"removed {known.secret_id}"
    work.sealed_secrets.put(replace(row, name=gone, key_id=key_id, sealed_secret=sealed, changed_at=work.machine_now))
    record_action(work, "secret.remove", "secret", known.secret_id, before={"name": command.name})
    return KeptSecret(known.secret_id, command.name, f"{SEALED_HERE}{command.name}")


def kept_reference(work: UnitOfWork, reference: str) -> str:
    """A reference as an account keeps it: by the secret's id, so that it goes on meaning the same."""
    if not reference.startswith(SEALED_HERE):
        return reference
    name = reference.removeprefix(SEALED_HERE)
    known = work.sealed_secrets.one_by(name=name) or work.sealed_secrets.find(name)
    if known is None:
        msg = f"there is no secret {name!r}"
        raise NotFound(msg, code="secrets.not_found", remedy=f"keep it first: tallywatt secrets put {name}")
    return f"{SEALED_HERE}{known.secret_id}"


def _users_of(work: UnitOfWork, secret_id: str) -> list[ProviderAccount]:
    reference = f"{SEALED_HERE}{secret_id}"
    accounts = work.provider_accounts.by()
    return [
        one
        for one in accounts
        if reference in {one.secret_reference, *one.webhook_secret_references, one.report_secret_reference}
    ]
