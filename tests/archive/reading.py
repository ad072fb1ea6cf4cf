"""How does a test read what it made? In place, or passing once; and the books are checked every time."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path

from jsonschema import Draft202012Validator
from layerscope import api
from layerscope.model import Fate, Kind, Level
from layerscope.render.document import report_json
from layerscope.render.options import Options
from layerscope.render.schemas import schema_text

WAYS = ("place", "gzip", "pipe")
VALIDATOR = Draft202012Validator(json.loads(schema_text("report")))


def load(data, way="place", **options):
    """Return the image of an archive, read in place, out of gzip, or from standard input."""
    if way == "pipe":
        return api.load("-", stdin=io.BytesIO(data), **options)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tar"
        path.write_bytes(gzip.compress(data, 1, mtime=0) if way == "gzip" else data)
        return api.load(str(path), **options)


def read(data, way="place", **options):
    """Return the report on an archive (bytes) or a folder (a path), its books checked."""
    if isinstance(data, Path):
        report = api.analyze(api.load(str(data), **options))
        size = sum({(found := path.stat()).st_ino: found.st_size for path in data.rglob("*") if path.is_file()}.values())
        check_books(report, size)
    else:
        report = api.analyze(load(data, way, **options))
        check_books(report, len(data))
    return report


def document(report):
    """Return the JSON document of a report, checked against its schema."""
    made = json.loads(report_json(report, Options()))
    errors = [error.message for error in VALIDATOR.iter_errors(made)]
    assert not errors, errors[:3]
    return made


def check_books(report, archive_bytes):
    """Every byte is counted once: columns, rows and the archive agree."""
    made = document(report)
    totals, rows = made["totals"], made["layers"]
    assert totals["archive_bytes"] == archive_bytes
    assert archive_bytes == (
        totals["live_bytes"]
        + totals["replaced_bytes"]
        + totals["deleted_bytes"]
        + totals["overhead_bytes"]
        - totals["compression_bytes"]
        + totals["metadata_bytes"]
        + totals["orphan_bytes"]
        + totals["container_bytes"]
    )
    assert archive_bytes == sum(totals[f"{part}_bytes"] for part in ("blob", "metadata", "orphan", "container"))
    for row in [*rows, totals]:
        if row.get("present", True):
            assert row["content_bytes"] == row["live_bytes"] + row["replaced_bytes"] + row["deleted_bytes"]
            assert row["tar_bytes"] == row["content_bytes"] + row["overhead_bytes"]
            assert row["compression_bytes"] == row["tar_bytes"] - row["blob_bytes"]
    for part in ("blob", "tar", "content", "overhead", "compression", "live", "replaced", "deleted", "docker"):
        assert totals[f"{part}_bytes"] == sum(row[f"{part}_bytes"] or 0 for row in rows), part
    assert totals["content_bytes"] == sum(owner["bytes"] for owner in made["owners"])
    hidden = totals["replaced_bytes"] + totals["deleted_bytes"]
    assert hidden == sum(cause["bytes"] for cause in made["causes"] if cause["hidden_in"] is not None)
    assert 0 <= made["efficiency"] <= 1
    assert made["complete"] is not any(note["level"] == "error" for note in made["notes"])


def ids(report, level=None):
    """Return the ids of a report's notes, of one level or of all."""
    return {note.id for note in report.notes if level is None or note.level == Level(level)}


def message(report, case):
    """Return the message of the first note of a case."""
    return next(note.message for note in report.notes if note.id == case)


def live(report):
    """Return the live files: path to size."""
    rows = api.list_files(report.image)
    return {row.path.decode(): row.bytes for row in rows if row.kind == Kind.FILE and row.fate == Fate.LIVE}


LAYOUT_BOUND = {
    "image": ("source", "names", "config_digest", "manifest_digest"),
    "totals": (
        "archive_bytes", "file_bytes", "blob_bytes", "metadata_bytes", "orphan_bytes", "container_bytes", "compression_bytes",
        "pull_bytes", "pull_estimated", "pull_low_bytes", "pull_high_bytes",
    ),
    "layers": (
        "digest", "media_type", "compression", "blob_bytes", "pull_bytes", "pull_estimated", "compression_bytes", "verified",
        "pull_low_bytes", "pull_high_bytes", "pull_method", "instruction", "created_by",
    ),
    "history": ("created_by", "instruction"),
}  # fmt: skip


def essence(report):
    """Return the JSON document without what differs from layout to layout."""
    made = document(report)
    for key, names in LAYOUT_BOUND.items():
        for row in made[key] if isinstance(made[key], list) else [made[key]]:
            for name in names:
                row.pop(name, None)
    made["notes"] = [note for note in made["notes"] if note["level"] != "info"]
    for cause in made["causes"]:
        cause.pop("tar_bytes", None)
    return made
