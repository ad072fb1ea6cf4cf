"""How is a report told? `FORMATS` maps the name of each format to the function that writes it, imported on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from layerscope.render.options import Options

if TYPE_CHECKING:
    from layerscope.analysis.files import FileRow
    from layerscope.model import Image
    from layerscope.render.images import ImageRow
    from layerscope.report import Report

__all__ = ["FILE_FORMATS", "FORMATS", "IMAGE_FORMATS", "Options"]

Write = TypeVar("Write")


class _Formats(Mapping[str, Write]):
    """Functions by the name of their format; where each is: its module in this room, and its name there."""

    def __init__(self, **places: str) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Write:
        module, _, function = self._places[name].rpartition(".")
        found: Write = getattr(import_module(f"{__name__}.{module}"), function)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


FORMATS: Mapping[str, Callable[[Report, Options], str]] = _Formats(
    text="text.report_text", json="document.report_json", markdown="markdown.report_markdown", csv="tables.report_csv"
)
FILE_FORMATS: Mapping[str, Callable[[Image, Sequence[FileRow], Options], str]] = _Formats(
    text="text.files.files_text", json="document.files_json", csv="tables.files_csv"
)
IMAGE_FORMATS: Mapping[str, Callable[[str, Sequence[ImageRow], Options], str]] = _Formats(
    text="images.images_text", json="images.images_json", csv="images.images_csv"
)
