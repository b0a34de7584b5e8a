"""Errors: one tree, each with a stable code, all of them drawn in the module's docstring."""

from __future__ import annotations

import inspect

import pytest

from tallywatt.kernel import errors
from tallywatt.kernel.errors import BadInput, TallywattError

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]
ALL: list[type[TallywattError]] = [one for one in CLASSES if issubclass(one, TallywattError)]


def test_every_error_of_the_kernel_belongs_to_the_one_tree() -> None:
    """One handler turns them into answers; an error outside the tree would show as a crash."""
    assert CLASSES == ALL


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.__name__)
def test_every_error_has_a_code_of_its_own_and_a_place_in_the_picture(one: type[TallywattError]) -> None:
    """Programs rely on the code for ever; people read the picture first."""
    others = {other.code for other in ALL if other is not one}

    assert one.code not in others
    assert one is TallywattError or one.__name__ in (errors.__doc__ or "")


def test_an_error_speaks_to_people_and_to_programs() -> None:
    """A sentence, a code, and what to do about it."""
    error = BadInput("the zone is missing", code="location.no_zone", remedy="add --zone Europe/London")

    assert str(error) == error.message == "the zone is missing"
    assert error.code == "location.no_zone"
    assert error.remedy == "add --zone Europe/London"
    assert BadInput.code == BadInput("something else").code == "input.bad"
