"""Who a process is, and whether one has certainly ended: what frees the leases of the dead, and never those of the living."""

from __future__ import annotations

import os
import subprocess
import sys

from tallywatt.adapters.machine import is_gone, process_name

NAME = "from tallywatt.adapters.machine import process_name; print(process_name(), flush=True); input()"


def test_a_process_of_this_machine_is_gone_when_it_was_killed_and_not_before() -> None:
    """A payment must not wait two minutes for the lease of a process that everybody can see is dead."""
    with subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        alive = is_gone(name)
        other.kill()
        other.wait(10)

    assert not alive
    assert is_gone(name)
    assert is_gone(f"{name}/3"), "a sender of webhooks adds the number of its try"


def test_a_name_of_our_own_number_is_that_of_one_before_us() -> None:
    """In a container the server is always process 1."""
    assert is_gone(process_name())


def test_of_processes_elsewhere_nothing_is_known() -> None:
    """Another machine, another container, or a name of an older version: their leases run out by themselves."""
    where = process_name().partition("/")[0]

    assert not is_gone(f"elsewhere/{os.getpid()}")
    assert not is_gone(f"{where}x/{os.getpid()}")
    assert not is_gone(f"{where}/nobody")
    assert not is_gone("")
