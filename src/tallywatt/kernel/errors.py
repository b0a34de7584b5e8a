"""Pure: every error that Tallywatt raises on purpose, each with a stable code.

    TallywattError
    ├── BadInput            the caller can mend it                     (HTTP 400)
    │   ├── CurrencyMismatch    sums of two currencies meet            money.currency_mismatch
    │   └── UnknownCurrency     not an ISO 4217 code that we carry     money.unknown_currency
    ├── NotAllowed          authenticated, but not for this            (HTTP 403)
    ├── NotSignedIn         no credential, or one that is not valid    (HTTP 401)
    ├── NotFound            no such thing of this operator             (HTTP 404)
    ├── Conflict            the state of things forbids it             (HTTP 409)
    │   ├── IdempotencyMismatch the same key with another request      request.idempotency_mismatch
    │   └── Stale               somebody changed it first: run again   storage.stale
    ├── ChangedMeanwhile    it is not as the caller saw it             (HTTP 412)
    ├── Busy                a queue is full; try again later           (HTTP 503)
    ├── TooMany             asked more often than a limit allows       (HTTP 429)
    └── Broken              the world outside failed                   (HTTP 500)
        ├── SchemaUnknown       the database has a schema that we do not know   storage.schema_unknown
        └── SecondWriter        another process owns writing           storage.second_writer

Expected outcomes (a decline, a resend) are values, not errors; bugs are `assert`s.
"""

from __future__ import annotations


class TallywattError(Exception):
    """The root: a sentence for people, a stable code for programs, and what to do about it."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code is not None:
            self.code = code


class BadInput(TallywattError):
    """The caller sent something that cannot be meant; the message says what."""

    code = "input.bad"


class CurrencyMismatch(BadInput):
    """Two sums of different currencies met."""

    code = "money.currency_mismatch"


class UnknownCurrency(BadInput):
    """A currency code that is not carried."""

    code = "money.unknown_currency"


class NotSignedIn(TallywattError):
    """No credential was shown, or it is not valid any more."""

    code = "access.not_signed_in"


class NotAllowed(TallywattError):
    """The caller is known, and may not do this."""

    code = "access.not_allowed"


class NotFound(TallywattError):
    """This operator has no such thing."""

    code = "not_found"


class Conflict(TallywattError):
    """The present state of things forbids it."""

    code = "conflict"


class IdempotencyMismatch(Conflict):
    """The same idempotency key came with another request."""

    code = "request.idempotency_mismatch"


class Stale(Conflict):
    """Somebody changed the row first; the writer runs the command again."""

    code = "storage.stale"


class ChangedMeanwhile(TallywattError):
    """The thing is not as the caller saw it; nothing was changed."""

    code = "request.changed_meanwhile"


class Busy(TallywattError):
    """A bounded queue is full; the same request may be sent again later."""

    code = "busy"


class TooMany(TallywattError):
    """Somebody asked more often than a limit allows; after so many seconds the next request is answered."""

    code = "limits.too_many"

    def __init__(
        self, message: str, *, code: str | None = None, remedy: str | None = None, retry_after_seconds: int = 1
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds


class Broken(TallywattError):
    """The world outside failed in a way that no rule foresees."""

    code = "broken"


class SchemaUnknown(Broken):
    """The database carries a schema revision that this version does not know."""

    code = "storage.schema_unknown"


class SecondWriter(Broken):
    """Another process owns writing to this database file."""

    code = "storage.second_writer"
