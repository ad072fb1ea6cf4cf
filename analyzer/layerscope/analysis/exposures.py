"""What do headers, names and the config tell that a security review wants to see?"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from layerscope.analysis.accounts import find_accounts
from layerscope.analysis.credentials import find_credentials
from layerscope.analysis.exposure import Exposure, Ground, Owner, hold_back
from layerscope.analysis.marks import find_marks
from layerscope.analysis.modes import Since, find_modes
from layerscope.analysis.told import find_told
from layerscope.analysis.tools import find_tools
from layerscope.model import Image
from layerscope.rootfs import Stack

__all__ = ["Exposure", "find_exposures"]


def find_exposures(
    image: Image, stack: Stack, fates: bytearray, ended: array[int], owner: Owner = lambda _row: None, *, managed: bool = False
) -> tuple[Exposure, ...]:
    """Return what modes, names, accounts, the config and the marks of an inspection tell.

    `owner` names the package that has a row; `managed` says that a distribution's database is there.
    """
    return tuple(hold_back(_find(image, Ground(stack, fates, ended, owner, managed))))


def _find(image: Image, ground: Ground) -> Iterator[Exposure]:
    yield from find_told(image)
    since = Since()
    for layer in image.layers:
        if layer.index is not None:
            yield from find_modes(layer.index, layer.position, ground, since)
            yield from find_credentials(layer.index, layer.position, ground)
            yield from find_marks(layer.index, layer.position, ground)
    yield from find_accounts(image, ground)
    yield from find_tools(ground)
