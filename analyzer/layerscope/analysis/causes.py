"""What makes the image fat, who did it, and what is the fix?"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from layerscope.frozen import frozen


class Certainty(StrEnum):
    """How sure it is that the bytes need not be there."""

    FACT = "fact"
    LIKELY = "likely"
    POSSIBLE = "possible"


@frozen
class PathShare:
    """A path, the content bytes it stands for, and the layer that stores it."""

    path: bytes
    bytes: int
    layer: int


@frozen
class Cause:
    """Bytes that need not be there, and why.

    bytes       content that the fix frees
    tar_bytes   the same with headers and padding, and the folders, symlinks and empty files that go along: what a rebuild saves
    layer       position of the layer that stores the bytes
    hidden_in   position of the layer that hid them; None for live bytes
    path_count  how many paths; `paths` are the largest few
    in_base     whether the bytes lie in a layer of the base image
    rows        rows of the stack that are claimed: the files, then what goes along
    parts       row -> bytes of its content that are claimed, where the rest of the file stays
    """

    id: str
    title: str
    certainty: Certainty
    bytes: int
    tar_bytes: int
    layer: int
    instruction: str
    hidden_in: int | None
    hidden_by_instruction: str | None
    fix: str
    path_count: int
    paths: tuple[PathShare, ...]
    in_base: bool = False
    rows: array[int] = field(default_factory=lambda: array("q"), repr=False, compare=False)
    parts: Mapping[int, int] = field(default_factory=dict, repr=False, compare=False)
