"""What would dive say?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dive:
    """dive's numbers by dive's definitions; `user_wasted_percent` is a ratio, None where that tool has NaN."""

    efficiency: float
    size_bytes: int
    user_size_bytes: int
    wasted_bytes: int
    user_wasted_percent: float | None
