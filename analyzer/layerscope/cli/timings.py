"""How long did each stage take? Processor seconds and seconds on the clock, from the start of the process."""

from __future__ import annotations

import time


class Timings:
    """A stopwatch: called with the name of each stage when it is over."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._rows = [("start-up", self._cpu, self._cpu)]

    def __call__(self, stage: str) -> None:
        """Take the time since the stage before."""
        cpu, wall = time.process_time(), time.perf_counter()
        self._rows.append((stage, cpu - self._cpu, wall - self._wall))
        self._cpu, self._wall = cpu, wall

    def text(self) -> str:
        """Return a line for each stage, and their sum."""
        rows = [*self._rows, ("all", sum(row[1] for row in self._rows), sum(row[2] for row in self._rows))]
        width = max(len(row[0]) for row in rows)
        return "\n".join(f"{name:{width}}  {cpu:8.3f} s CPU  {wall:8.3f} s" for name, cpu, wall in rows)
