"""Workers: they claim jobs, do what needs the outside world, and apply the outcome through the writer."""

from tallywatt.entrypoints.worker.courier import Courier
from tallywatt.entrypoints.worker.janitor import Janitor
from tallywatt.entrypoints.worker.lanes import LANES, Lane, Workers

__all__ = ["LANES", "Courier", "Janitor", "Lane", "Workers"]
