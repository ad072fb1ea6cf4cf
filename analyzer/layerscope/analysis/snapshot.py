"""What of an image can be compared with another? Read from a report as JSON holds it, so that a saved report will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from layerscope.frozen import frozen

TOTALS = (
    "archive_bytes", "content_bytes", "live_bytes", "replaced_bytes", "deleted_bytes", "overhead_bytes", "tar_bytes",
    "pull_bytes", "reclaimable_fact_bytes", "reclaimable_likely_bytes", "reclaimable_possible_bytes", "layers",
    "files", "packages",
)  # fmt: skip


LARGEST = 1 << 80  # of sparse files a sum may be larger than one file can be; what is tar's alone may be less than nothing


@frozen
class LayerShot:
    """A layer: `key` is its diff ID, else its digest; None if it has neither."""

    index: int
    key: str | None
    instruction: str
    content_bytes: int
    pull_bytes: int | None
    tar_bytes: int


@frozen
class PackageShot:
    """A package that is there at the end; `bytes` are all that are its, hidden ones too."""

    type: str
    name: str
    version: str
    path: str
    bytes: int
    layer: int | None


@frozen
class CauseShot:
    """The causes of one id, summed; `each` has bytes and title of each of them, by its fix."""

    id: str
    bytes: int
    each: Mapping[str, tuple[int, str]]


@frozen
class Snapshot:
    """An image as its report tells of it."""

    name: str
    totals: Mapping[str, int | None]
    layers: tuple[LayerShot, ...]
    packages: tuple[PackageShot, ...]
    causes: tuple[CauseShot, ...]
    complete: bool
    pull_estimated: bool = False


class NotAReportError(ValueError):
    """A document is no report of layerscope."""


def read_snapshot(document: Mapping[str, Any]) -> Snapshot:
    """Read a report; unknown keys are passed over, what is missing is a `NotAReportError`."""
    version = document.get("schema_version")
    if not isinstance(version, str) or not version.startswith("1.") or "totals" not in document or "causes" not in document:
        raise NotAReportError("this is no report of layerscope (schema 1)")
    try:
        image = document["image"]
        return Snapshot(
            name=str((image["names"] or [image["config_digest"] or image["source"]])[0]),
            totals={name: _size(document["totals"].get(name)) for name in TOTALS},
            layers=tuple(_layers(document["layers"])),
            packages=tuple(_packages(document["packages"])),
            causes=tuple(_causes(document["causes"])),
            complete=document.get("complete") is not False,
            pull_estimated=document["totals"].get("pull_estimated") is True,
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotAReportError(f"this report of layerscope is damaged: {error!r}") from error


def _layers(rows: list[dict[str, Any]]) -> Iterator[LayerShot]:
    for row in rows:
        yield LayerShot(
            _size(row["index"]) or 0,
            _text(row["diff_id"]) or _text(row["digest"]) or None,
            _text(row["instruction"]),
            _size(row["content_bytes"]) or 0,
            _size(row["pull_bytes"]),
            _size(row["tar_bytes"]) or 0,
        )


def _packages(rows: list[dict[str, Any]]) -> Iterator[PackageShot]:
    for row in rows:
        if row["removed_in"] is None and row["parent"] is None:
            type_, name, version, path = (_text(row[key]) for key in ("type", "name", "version", "path"))
            yield PackageShot(type_, name, version, path, _size(row["bytes"]) or 0, _size(row["layer"]))


def _causes(rows: list[dict[str, Any]]) -> Iterator[CauseShot]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(_text(row["id"]), []).append(row)
    for id_, same in found.items():
        each: dict[str, tuple[int, str]] = {}
        for row in same:
            fix = _text(row["fix"])
            each[fix] = (each.get(fix, (0, ""))[0] + (_size(row["bytes"]) or 0), _text(row["title"]))
        yield CauseShot(id_, sum(size for size, _ in each.values()), each)


def _size(value: object) -> int | None:
    """Return a number of bytes, or what else is counted; a TypeError if it is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise TypeError(f"{value!r:.40} is no size")
    return value


def _text(value: object) -> str:
    """Return a text, "" for None; a TypeError if it is neither."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value or ""
