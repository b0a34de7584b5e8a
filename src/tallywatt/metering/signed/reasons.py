"""Pure: every reason that a verdict on signed meter values can give: a stable code, and a sentence for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Signature(StrEnum):
    """What is known of the signatures."""

    VALID = "valid"
    INVALID = "invalid"
    """Checked with the key and found wrong, or no signature that this key could have made."""
    UNVERIFIABLE = "unverifiable"
    """Nobody can say: the key, the format or the algorithm is missing or unknown."""


class Code(StrEnum):
    """Why something is not verified or not billable; the values are stable."""

    # what came
    DATA_MISSING = "data_missing"
    DATA_UNREADABLE = "data_unreadable"
    DATA_TOO_LONG = "data_too_long"
    DUPLICATE_KEY = "duplicate_key"
    FORMAT_UNSUPPORTED = "format_unsupported"
    FORMAT_DIFFERS = "format_differs"
    VERSION_UNKNOWN = "version_unknown"
    # the key and the signature
    KEY_MISSING = "key_missing"
    KEY_UNREADABLE = "key_unreadable"
    KEY_NOT_REGISTERED = "key_not_registered"
    KEY_NOT_VALID_THEN = "key_not_valid_then"
    KEY_DIFFERS = "key_differs"
    ALGORITHM_UNSUPPORTED = "algorithm_unsupported"
    ALGORITHM_DIFFERS = "algorithm_differs"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_UNREADABLE = "signature_unreadable"
    SIGNATURE_WRONG = "signature_wrong"
    SIGNED_BY_OTHER_KEY = "signed_by_other_key"
    # how records belong together
    BEGIN_MISSING = "begin_missing"
    END_MISSING = "end_missing"
    BEGIN_TWICE = "begin_twice"
    END_TWICE = "end_twice"
    READINGS_OUT_OF_ORDER = "readings_out_of_order"
    RECORDS_OUT_OF_ORDER = "records_out_of_order"
    CONTEXT_DIFFERS = "context_differs"
    PAGINATION_MISSING = "pagination_missing"
    PAGINATION_DIFFERS = "pagination_differs"
    PAGINATION_NOT_RISING = "pagination_not_rising"
    RECORD_REPLAYED = "record_replayed"
    METER_MISSING = "meter_missing"
    METER_DIFFERS = "meter_differs"
    METER_UNEXPECTED = "meter_unexpected"
    SESSION_DIFFERS = "session_differs"
    USER_DIFFERS = "user_differs"
    USER_NOT_IDENTIFIED = "user_not_identified"
    CHARGE_POINT_DIFFERS = "charge_point_differs"
    NOT_OF_A_TRANSACTION = "not_of_a_transaction"
    # energy
    REGISTER_UNKNOWN = "register_unknown"
    REGISTER_AMBIGUOUS = "register_ambiguous"
    UNIT_UNKNOWN = "unit_unknown"
    UNIT_DIFFERS = "unit_differs"
    VALUE_UNREADABLE = "value_unreadable"
    REGISTER_FELL = "register_fell"
    METER_STATUS = "meter_status"
    ENERGY_ERROR = "energy_error"
    ERROR_DURING_CHARGING = "error_during_charging"
    EVENTS_BETWEEN = "events_between"
    # time
    TIME_UNREADABLE = "time_unreadable"
    TIME_FELL = "time_fell"
    TIME_ERROR = "time_error"
    CLOCK_NOT_SYNCHRONISED = "clock_not_synchronised"
    # what is worth knowing, and forbids nothing
    PAGINATION_GAP = "pagination_gap"
    DURATION_ONLY = "duration_only"
    ALGORITHM_NOT_TOLD = "algorithm_not_told"
    DELIVERED_KEY_DIFFERS = "delivered_key_differs"


SENTENCES: Final[dict[Code, str]] = {
    Code.DATA_MISSING: "there is no data to verify",
    Code.DATA_UNREADABLE: "the data is not in the form of its format",
    Code.DATA_TOO_LONG: "the data is longer than any signed meter value is",
    Code.DUPLICATE_KEY: "a field stands twice in one record, so it says two things",
    Code.FORMAT_UNSUPPORTED: "records of this format are not verified here",
    Code.FORMAT_DIFFERS: "the data is of another format than the one that was told",
    Code.VERSION_UNKNOWN: "this version of the format is not known",
    Code.KEY_MISSING: "no public key is given, and none is in the data",
    Code.KEY_UNREADABLE: "the public key cannot be read, or is no point of its curve",
    Code.KEY_NOT_REGISTERED: "the key came with the data, and proves nothing about the meter",
    Code.KEY_NOT_VALID_THEN: "the meter's key did not hold at the time of the reading",
    Code.KEY_DIFFERS: "the key inside the record is not the meter's key",
    Code.ALGORITHM_UNSUPPORTED: "this signature algorithm is not one of the format's",
    Code.ALGORITHM_DIFFERS: "the record names another curve than that of the meter's key",
    Code.SIGNATURE_MISSING: "there is no signature",
    Code.SIGNATURE_UNREADABLE: "what stands for the signature is none",
    Code.SIGNATURE_WRONG: "the signature does not fit the data and the key",
    Code.SIGNED_BY_OTHER_KEY: "the key that came with the data made this signature, not the meter's key",
    Code.BEGIN_MISSING: "there is no reading at the start of the transaction",
    Code.END_MISSING: "there is no reading at the end of the transaction",
    Code.BEGIN_TWICE: "there are two readings at the start of the transaction",
    Code.END_TWICE: "there are two readings at the end of the transaction",
    Code.READINGS_OUT_OF_ORDER: "the readings of a record are not in the order of a transaction",
    Code.RECORDS_OUT_OF_ORDER: "the records are not in the order in which they were made",
    Code.CONTEXT_DIFFERS: "a record stands in the place of another one",
    Code.PAGINATION_MISSING: "a record has no page number, so it may be a copy of another one",
    Code.PAGINATION_DIFFERS: "the records are of different page counters",
    Code.PAGINATION_NOT_RISING: "the page number does not rise from the first record to the last",
    Code.RECORD_REPLAYED: "a record that was used before stands here again",
    Code.METER_MISSING: "the data does not say of which meter it is",
    Code.METER_DIFFERS: "the records are of different meters",
    Code.METER_UNEXPECTED: "the records are of another meter than the one that was there",
    Code.SESSION_DIFFERS: "the records are of different sessions",
    Code.USER_DIFFERS: "the records name different users",
    Code.USER_NOT_IDENTIFIED: "the meter reports that the user's identification failed",
    Code.CHARGE_POINT_DIFFERS: "the records are of different charge points",
    Code.NOT_OF_A_TRANSACTION: "the record is a reading outside of transactions",
    Code.REGISTER_UNKNOWN: "no reading is of a register of energy delivered",
    Code.REGISTER_AMBIGUOUS: "several registers tell different energy",
    Code.UNIT_UNKNOWN: "the unit is neither Wh nor kWh",
    Code.UNIT_DIFFERS: "the readings have different units",
    Code.VALUE_UNREADABLE: "a reading tells no figure that a register can have",
    Code.REGISTER_FELL: "the register at the end is lower than at the start",
    Code.METER_STATUS: "the meter reports that it was not in order",
    Code.ENERGY_ERROR: "the meter reports that energy must not be billed",
    Code.ERROR_DURING_CHARGING: "an error during charging made what follows unusable",
    Code.EVENTS_BETWEEN: "the meter counted an event between start and end",
    Code.TIME_UNREADABLE: "a reading tells no time",
    Code.TIME_FELL: "the end is before the start",
    Code.TIME_ERROR: "the meter reports that time must not be billed",
    Code.CLOCK_NOT_SYNCHRONISED: "the meter's clock was not synchronised",
    Code.PAGINATION_GAP: "records between the first and the last are not here",
    Code.DURATION_ONLY: "the duration may be billed, the time of day may not",
    Code.ALGORITHM_NOT_TOLD: "the record names no algorithm; the curve of the key was used",
    Code.DELIVERED_KEY_DIFFERS: "the key that came with the data is not the meter's key, and was not used",
}
"""What each code says to a person."""

WARNINGS: Final = frozenset(
    {Code.PAGINATION_GAP, Code.DURATION_ONLY, Code.ALGORITHM_NOT_TOLD, Code.DELIVERED_KEY_DIFFERS}
)
"""Worth knowing; they forbid nothing."""

OF_ENERGY: Final = frozenset(
    {
        Code.REGISTER_UNKNOWN, Code.REGISTER_AMBIGUOUS, Code.UNIT_UNKNOWN, Code.UNIT_DIFFERS, Code.VALUE_UNREADABLE,
        Code.REGISTER_FELL, Code.METER_STATUS, Code.ENERGY_ERROR,
    }
)  # fmt: skip
"""They forbid to bill energy; time may still be billed."""

OF_TIME: Final = frozenset({Code.TIME_UNREADABLE, Code.TIME_ERROR, Code.CLOCK_NOT_SYNCHRONISED})
"""They forbid to bill time; energy may still be billed."""
