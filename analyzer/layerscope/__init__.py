"""What makes a container image fat, which instruction and which package did it, and what to do about it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from layerscope._version import __version__

if TYPE_CHECKING:
    from layerscope.analysis.files import FileRow
    from layerscope.api import analyze, list_files, list_images, load
    from layerscope.archive.layouts.selection import ImageSummary
    from layerscope.errors import (
        ArchiveError,
        ExtraMissingError,
        LayerscopeError,
        LimitError,
        PolicyError,
        SelectionError,
        UnsupportedError,
    )
    from layerscope.model import Fate, Image, Kind, Layer, LayerIndex, Level, Note, Package
    from layerscope.report import Report

__all__ = [
    "ArchiveError",
    "ExtraMissingError",
    "Fate",
    "FileRow",
    "Image",
    "ImageSummary",
    "Kind",
    "Layer",
    "LayerIndex",
    "LayerscopeError",
    "Level",
    "LimitError",
    "Note",
    "Package",
    "PolicyError",
    "Report",
    "SelectionError",
    "UnsupportedError",
    "__version__",
    "analyze",
    "list_files",
    "list_images",
    "load",
]

_HOMES = {
    "analysis.files": ("FileRow",),
    "api": ("analyze", "list_files", "list_images", "load"),
    "archive.selection": ("ImageSummary",),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "model": ("Fate", "Image", "Kind", "Layer", "LayerIndex", "Level", "Note", "Package"),
    "report": ("Report",),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `layerscope --version` needs none of them."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"layerscope.{home}"), name)
    raise AttributeError(f"module 'layerscope' has no attribute {name!r}")
