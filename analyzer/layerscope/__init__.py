"""What makes a container image fat, which instruction and which package did it, and what to do about it."""

from layerscope._version import __version__
from layerscope.analysis.files import FileRow
from layerscope.api import ImageSummary, analyze, list_files, list_images, load
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
