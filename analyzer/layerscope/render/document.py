"""What does a program read? The JSON documents, schema 1, every key always there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerscope._version import __version__
from layerscope.analysis.base import Base, find_base
from layerscope.analysis.files import FileRow
from layerscope.analysis.held import Held
from layerscope.model import Image, Release
from layerscope.render import rows
from layerscope.render.escape import json_text, unicode
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object
from layerscope.render.text.files import rank_files
from layerscope.render.text.notes import all_notes
from layerscope.report import COUNTS, Report

if TYPE_CHECKING:
    from layerscope.analysis.placement import Placement

SCHEMA_VERSION = "1.0"
_NO_ROWS, _NEXT = "[]\n}\n", ",\n    "


def report_document(report: Report) -> Object:
    """Return the report as schema 1 says it; valid Unicode throughout."""
    image, placed = report.image, report.placement
    layers, steps = (placed.layers, placed.rows) if placed else ({}, {})
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "layerscope", "version": __version__},
        "complete": report.complete,
        "image": image_object(image, report.release, report.base),
        "totals": _totals(report),
        "have": _have(report.held),
        "base_share": base_share(report),
        "efficiency": report.books.efficiency,
        "dive": {
            "efficiency": report.dive.efficiency,
            "size_bytes": report.dive.size_bytes,
            "user_size_bytes": report.dive.user_size_bytes,
            "wasted_bytes": report.dive.wasted_bytes,
            "user_wasted_percent": report.dive.user_wasted_percent,
        },
        "dockerfile": _dockerfile(placed),
        "layers": [
            rows.layer_row(layer, books, layers.get(layer.position))
            for layer, books in zip(image.layers, report.books.layers, strict=True)
        ],
        "history": [rows.history_row(index, row, steps.get(index)) for index, row in enumerate(image.history)],
        "packages": [rows.package_row(share) for share in report.ownership.packages],
        "owners": [rows.owner_row(share) for share in report.ownership.owners],
        "duplicates": [rows.duplicate_row(group) for group in report.duplicates],
        "causes": [rows.cause_row(cause) for cause in report.causes],
        "security": [rows.exposure_row(exposure) for exposure in report.exposures],
        "secrets_scanned": report.secrets_scanned,
        "notes": [rows.note_row(note) for note in all_notes(report)],
    }
    return clean(document)


def files_document(image: Image, files: Sequence[FileRow]) -> Object:
    """Return the files as schema 1 says it."""
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "image": image_object(image, None),
        "folders": None,
        "files": [rows.file_row(file) for file in files],
    }
    return clean(document)


def report_json(report: Report, _options: Options) -> str:
    """Return the report's document as text."""
    return write_json(report_document(report))


def files_json(image: Image, files: Sequence[FileRow], options: Options) -> str:
    """Return the files' document as text, largest first; all of them unless the options say how many.

    A row is one line: json indents in Python, which takes seconds for the files of one large image.
    """
    ranked = rank_files(files, options.sort)[: options.top]
    text = write_json(files_document(image, ()))
    if not ranked:
        return text
    lines = (json.dumps(clean(rows.file_row(file)), ensure_ascii=False, allow_nan=False) for file in ranked)
    return f"{text.removesuffix(_NO_ROWS)}[\n    {json_text(_NEXT.join(lines))}\n  ]\n}}\n"


def write_json(document: Object) -> str:
    """Return a document as text that is valid UTF-8 and safe to print."""
    return json_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)) + "\n"


def clean(document: Object) -> Object:
    """Return a document in which every text is valid Unicode."""
    return {unicode(key): _clean(value) for key, value in document.items()}


def image_object(image: Image, release: Release | None, base: Base | None = None) -> Object:
    """Return what every document says of its image."""
    config = image.config
    return {
        "source": image.source,
        "names": list(image.names),
        "platform": config.platform,
        "config_digest": image.config_digest,
        "manifest_digest": image.manifest_digest,
        "created": config.created,
        "os": {
            "id": release.id if release else None,
            "version_id": release.version_id if release else None,
            "pretty_name": release.pretty_name if release else None,
        },
        "user": config.user,
        "entrypoint": list(config.entrypoint),
        "cmd": list(config.cmd),
        "workdir": config.workdir,
        "labels": dict(config.labels),
        "base": _base(base or find_base(image)),
    }


def _base(base: Base) -> Object:
    """Return what is known of the base image; nobody has looked whether what the image claims is true."""
    return {"name": base.name, "digest": base.digest, "layers": base.layers, "how": base.how}


def base_share(report: Report) -> Json:
    """Return what of the image is the base image's, null if nothing tells which layers are."""
    share = report.base_share()
    if share is None:
        return None
    return {
        "layers": share.layers,
        "content_bytes": share.content_bytes,
        "pull_bytes": share.pull_bytes,
        "reclaimable_bytes": share.reclaimable_bytes,
        "causes": len(share.causes),
        "security": len(share.exposures),
        "left_out": report.aside is not None,
    }


def _dockerfile(placed: Placement | None) -> Json:
    """Return which Dockerfile was compared, and where its FROM names the base image."""
    if placed is None:
        return None
    return {"path": placed.path, "from": rows.place_object(placed.base), "image": placed.image, "user_line": placed.user}


def _have(held: Held | None) -> Json:
    """Return what is left to pull beside other images, null if nobody asked."""
    if held is None:
        return None
    return {
        "sources": list(held.sources),
        "layers": list(held.layers),
        "held_bytes": held.held_bytes,
        "left_bytes": held.left_bytes,
        "chain_left_bytes": held.chain_left_bytes,
    }


def _totals(report: Report) -> Object:
    numbers: Object = dict(report.totals())
    counts = {name: numbers.pop(name) for name in COUNTS}
    docker = numbers.pop("docker_bytes")
    estimated = any(row.pull_estimated for row in report.books.layers)
    return {**numbers, "pull_estimated": estimated, "docker_bytes": docker, **counts}


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return value if value.isascii() else unicode(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return clean(value)
    return value
