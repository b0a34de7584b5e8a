"""Options that many commands share: a sum is never read as another one."""

from __future__ import annotations

import pytest
import typer

from tallywatt.entrypoints.cli.words import minor_units


def test_a_sum_in_the_smallest_unit_has_no_point() -> None:
    """Five euros written as 5.00 must not become five cents."""
    assert (minor_units("500"), minor_units(0), minor_units(" 7 ")) == (500, 0, 7)
    for wrong in ("5.00", "5,00", "-1", "", "1e3", "\u0665", "9" * 16):
        with pytest.raises(typer.BadParameter, match=r"500 for 5\.00"):
            minor_units(wrong)
