"""Where tests keep their databases: in memory where there is room for them.

A commit waits for the disk, as it must: some milliseconds, a hundred thousand times in a run. No test asks what survives the
loss of power: those that kill, kill processes, and what a process has written stays.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
LEAST_BYTES = 4 * 1024**3
"""What a run needs at its height is less than half of it."""
ROOT = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes the folders of `tmp_path`; whoever has named a place of their own, keeps it."""


def keep_in_memory() -> None:
    """Let the folders of tests be made in memory, unless somebody named a place or there is too little."""
    if ROOT in os.environ or "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= LEAST_BYTES:
        os.environ[ROOT] = str(MEMORY)
