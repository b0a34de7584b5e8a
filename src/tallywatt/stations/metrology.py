"""Pure: which law of measurement holds at an EVSE, and what it asks of a session before it may be billed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Metrology(StrEnum):
    """The profiles that an EVSE can have."""

    NONE = "none"
    DE_CALIBRATION_LAW = "de_calibration_law"
    """MessEG and MessEV: what is billed is signed by the meter, and the customer can check it."""
    MID = "mid"
    """Directive 2014/32/EU: a meter with a conformity marking and a display; its register is billed as it is told."""
    US_CTEP = "us_ctep"
    """NIST Handbook 44, section 3.40: a type-approved system; its register is billed as it is told."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What a profile asks for."""

    needs_signature: bool = False
    """Energy is billed by what the meter has signed, and by nothing else."""


DEMANDS: Final = {
    Metrology.NONE: Demands(),
    Metrology.DE_CALIBRATION_LAW: Demands(needs_signature=True),
    Metrology.MID: Demands(),
    Metrology.US_CTEP: Demands(),
}
