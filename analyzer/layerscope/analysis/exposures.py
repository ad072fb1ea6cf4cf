"""What do headers, names and the config tell that a security review wants to see?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exposure:
    """One fact for a security review.

    level   "info", "warning" or "error"
    state   "visible", "deleted", "replaced" or "config"
    """

    id: str
    level: str
    title: str
    path: bytes | None
    layer: int | None
    state: str
    hidden_in: int | None = None
    package: str | None = None
    detail: str | None = None
