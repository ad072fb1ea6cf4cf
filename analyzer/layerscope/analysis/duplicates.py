"""Which live files hold the same content more than once?"""

from __future__ import annotations

from dataclasses import dataclass

from layerscope.analysis.causes import PathShare


@dataclass(frozen=True, slots=True)
class DuplicateSet:
    """Live files of equal content that are different inodes; `bytes` is the size of one."""

    digest: bytes
    bytes: int
    copies: int
    paths: tuple[PathShare, ...]

    @property
    def wasted_bytes(self) -> int:
        """What all but one copy take."""
        return self.bytes * (self.copies - 1)
