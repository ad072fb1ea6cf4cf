"""How is a report told? `FORMATS` maps the name of each format to the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layerscope.analysis.files import FileRow
from layerscope.model import Image
from layerscope.render.document import files_json, report_json
from layerscope.render.images import IMAGE_FORMATS
from layerscope.render.markdown import report_markdown
from layerscope.render.options import Options
from layerscope.render.tables import TABLES, files_csv, report_csv
from layerscope.render.text import report_text
from layerscope.render.text.files import files_text
from layerscope.report import Report

__all__ = ["FILE_FORMATS", "FORMATS", "IMAGE_FORMATS", "TABLES", "Options"]

FORMATS: dict[str, Callable[[Report, Options], str]] = {
    "text": report_text,
    "json": report_json,
    "markdown": report_markdown,
    "csv": report_csv,
}
FILE_FORMATS: dict[str, Callable[[Image, Sequence[FileRow], Options], str]] = {
    "text": files_text,
    "json": files_json,
    "csv": files_csv,
}
