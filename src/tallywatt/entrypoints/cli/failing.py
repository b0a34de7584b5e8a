"""What went wrong, on standard error: a sentence, its code, and what to do about it; and the exit code."""

from __future__ import annotations

import sys
from typing import Final

from tallywatt.kernel.errors import (
    BadInput,
    Busy,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    SecondWriter,
    TallywattError,
)

OK: Final = 0
FINDING: Final = 1
"""The command did its work and found what should not be, or the world outside failed."""
BAD_INPUT: Final = 2
NO_SUCH_OR_CONFLICT: Final = 3
NOT_ALLOWED: Final = 4
TRY_AGAIN: Final = 5

EXIT_CODES: Final = (
    (OK, "done"),
    (FINDING, "a finding (the audit, an import with refused rows, a demo that does not add up), or a failure outside"),
    (BAD_INPUT, "the command cannot be meant like this: an unknown option, a value that is not one"),
    (NO_SUCH_OR_CONFLICT, "there is no such thing, or the present state of things forbids it"),
    (NOT_ALLOWED, "whoever asks may not do this"),
    (TRY_AGAIN, "too much to do, or another process owns writing: the same command may succeed later"),
)

_BY_CLASS: Final[tuple[tuple[type[TallywattError], int], ...]] = (
    (BadInput, BAD_INPUT),
    (NotFound, NO_SUCH_OR_CONFLICT),
    (Conflict, NO_SUCH_OR_CONFLICT),
    (NotAllowed, NOT_ALLOWED),
    (NotSignedIn, NOT_ALLOWED),
    (Busy, TRY_AGAIN),
    (SecondWriter, TRY_AGAIN),
)


def exit_code(error: TallywattError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), FINDING)


def complain(error: TallywattError) -> None:
    """Say it on standard error."""
    sys.stderr.write(f"Error: {error.message} [{error.code}]\n")
    if error.remedy:
        sys.stderr.write(f"What to do: {error.remedy}\n")
