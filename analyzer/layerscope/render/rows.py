"""What does one row of each table of a JSON document hold?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from layerscope.analysis.books import LayerBooks
from layerscope.analysis.causes import Cause, PathShare
from layerscope.analysis.duplicates import DuplicateSet
from layerscope.analysis.exposure import Exposure
from layerscope.analysis.files import FileRow
from layerscope.model import HistoryRow, Kind, Layer, Note
from layerscope.packages.inventory import Group
from layerscope.packages.shares import OwnerShare, PackageShare
from layerscope.render.escape import decode, path_b64, path_text

if TYPE_CHECKING:
    from layerscope.analysis.placement import Place

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Object = dict[str, Json]


def layer_row(layer: Layer, books: LayerBooks, place: Place | None) -> Object:
    """Return one row of `layers`; `place` is where a Dockerfile made it."""
    return {
        "index": layer.position,
        "present": layer.present,
        "digest": layer.digest,
        "diff_id": layer.diff_id,
        "verified": layer.verified,
        "media_type": layer.media_type,
        "compression": layer.compression,
        "instruction": layer.instruction,
        "created_by": layer.created_by,
        "created": layer.created,
        "blob_bytes": books.blob_bytes,
        "pull_bytes": books.pull_bytes,
        "pull_estimated": books.pull_estimated,
        "pull_low_bytes": layer.pull.low if layer.pull and books.pull_bytes else books.pull_bytes,
        "pull_high_bytes": layer.pull.high if layer.pull and books.pull_bytes else books.pull_bytes,
        "pull_method": _pull_method(layer),
        "tar_bytes": books.tar_bytes,
        "content_bytes": books.content_bytes,
        "overhead_bytes": books.overhead_bytes,
        "compression_bytes": books.compression_bytes,
        "live_bytes": books.live_bytes,
        "replaced_bytes": books.replaced_bytes,
        "deleted_bytes": books.deleted_bytes,
        "docker_bytes": books.docker_bytes,
        "entries": _entries(books),
        "same_as": layer.same_as,
        "dockerfile": place_object(place),
    }


def place_object(place: Place | None) -> Json:
    """Return lines of the Dockerfile."""
    return None if place is None else {"line": place.line, "end": place.end, "sure": place.sure}


def _pull_method(layer: Layer) -> str | None:
    """Return how the pull size is known: as stored, or how an uncompressed layer was compressed."""
    if layer.pull is not None:
        return f"gzip -6, {layer.pull.method}"
    return None if layer.compression == "none" else "stored"


def history_row(index: int, row: HistoryRow, place: Place | None) -> Object:
    """Return one row of `history`."""
    return {
        "index": index,
        "created_by": row.created_by,
        "created": row.created,
        "empty": row.empty,
        "layer": row.layer,
        "dockerfile": place_object(place),
    }


def package_row(share: PackageShare) -> Object:
    """Return one row of `packages`; its path is the folder of the installation, or the database that tells of it."""
    package = share.package
    return {
        "type": package.type,
        "name": package.name,
        "version": package.version,
        "arch": package.arch,
        "purl": package.purl,
        "path": path_text(package.location or package.origin),
        "parent": share.parent.purl if share.parent else None,
        "layer": share.layer,
        "removed_in": share.removed_in,
        "reason": package.reason,
        "evidence": package.evidence,
        "roots": share.roots,
        "required_by": list(share.required_by),
        "recommended_by": list(share.recommended_by),
        "retained_bytes": share.retained_bytes,
        "bytes": share.bytes,
        "live_bytes": share.live_bytes,
        "hidden_bytes": share.hidden_bytes,
        "files": share.files,
        "pull_estimate_bytes": share.pull_bytes,
        "bytes_by_layer": {str(layer): size for layer, size in sorted(share.by_layer.items())},
        "license": package.license,
        "source": package.source,
    }


def group_row(group: Group) -> Object:
    """Return one row of `groups`."""
    return {
        "name": group.name,
        "packages": group.packages,
        "bytes": group.bytes,
        "live_bytes": group.live_bytes,
        "hidden_bytes": group.hidden_bytes,
        "files": group.files,
    }


def owner_row(share: OwnerShare) -> Object:
    """Return one row of `owners`."""
    return {
        "owner": share.owner,
        "class": share.class_,
        "bytes": share.bytes,
        "live_bytes": share.live_bytes,
        "hidden_bytes": share.hidden_bytes,
        "files": share.files,
        "pull_estimate_bytes": share.pull_bytes,
    }


def duplicate_row(group: DuplicateSet) -> Object:
    """Return one row of `duplicates`."""
    return {
        "digest": group.digest,
        "bytes": group.bytes,
        "copies": group.copies,
        "wasted_bytes": group.wasted_bytes,
        "paths": _paths(group.paths),
    }


def cause_row(cause: Cause) -> Object:
    """Return one row of `causes`."""
    return {
        "id": cause.id,
        "title": cause.title,
        "certainty": cause.certainty.value,
        "bytes": cause.bytes,
        "tar_bytes": cause.tar_bytes,
        "layer": cause.layer,
        "instruction": cause.instruction,
        "hidden_in": cause.hidden_in,
        "hidden_by_instruction": cause.hidden_by_instruction,
        "fix": cause.fix,
        "in_base": cause.in_base,
        "path_count": cause.path_count,
        "paths": _paths(cause.paths),
    }


def exposure_row(exposure: Exposure) -> Object:
    """Return one row of `security`."""
    return {
        "id": exposure.id,
        "level": exposure.level,
        "title": exposure.title,
        "path": None if exposure.path is None else path_text(exposure.path),
        "path_b64": None if exposure.path is None else path_b64(exposure.path),
        "layer": exposure.layer,
        "state": exposure.state,
        "hidden_in": exposure.hidden_in,
        "package": exposure.package,
        "detail": exposure.detail,
    }


def note_row(note: Note) -> Object:
    """Return one row of `notes`."""
    return {
        "id": note.id,
        "level": note.level.value,
        "message": note.message,
        "layer": note.layer,
        "path": None if note.path is None else path_text(note.path),
        "offset": note.offset,
    }


def file_row(file: FileRow) -> Object:
    """Return one row of `files`; a hard link's target is absolute as paths are, a symlink's as it was written."""
    link = None if file.link is None else decode(file.link)
    return {
        "path": path_text(file.path),
        "path_b64": path_b64(file.path),
        "kind": file.kind.name.lower(),
        "bytes": file.bytes,
        "mode": f"{file.mode:04o}",
        "uid": file.uid,
        "gid": file.gid,
        "layer": file.layer,
        "fate": file.fate.name.lower(),
        "ended_by": file.ended_by,
        "owner": file.owner,
        "pull_estimate_bytes": file.pull,
        "link": f"/{link}" if link is not None and file.kind is Kind.HARDLINK else link,
    }


def _entries(books: LayerBooks) -> Json:
    counts = books.entries
    if counts is None:
        return None
    return {
        "files": counts.files,
        "directories": counts.directories,
        "symlinks": counts.symlinks,
        "hardlinks": counts.hardlinks,
        "devices": counts.devices,
        "whiteouts": counts.whiteouts,
    }


def _paths(places: Iterable[PathShare]) -> list[Json]:
    return [{"path": path_text(at.path), "path_b64": path_b64(at.path), "bytes": at.bytes, "layer": at.layer} for at in places]
