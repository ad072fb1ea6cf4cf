"""How do the archive's bytes divide, seen from one image?"""

from __future__ import annotations

from typing import Any

from layerscope.archive.container.base import Container, Member
from layerscope.archive.documents import mapping, parse
from layerscope.archive.layouts.candidate import Candidate, Found
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError
from layerscope.model import Storage

DESCRIBING = frozenset((b"manifest.json", b"index.json", b"oci-layout", b"repositories", b"version"))
NAMED = 5
LONGEST = len("blobs/sha512/") + 128


def divide(container: Container, found: Found, candidate: Candidate | None, notes: Notebook) -> Storage:
    """Divide every stored byte among the image's blobs, the documents that describe it, orphans and the container.

    A stored member counts once, wherever and however often it is listed.
    """
    blobs = {layer.member.ident for layer in candidate.layers if layer.member} if candidate else set()
    others = {layer.member.ident for other in found.candidates for layer in other.layers if layer.member} - blobs
    metadata = _metadata(container, found, candidate, blobs, others)
    sizes = {"blob": 0, "metadata": 0, "orphan": 0}
    strays: list[Member] = []
    for member in container.stored:
        if member.ident in blobs:
            sizes["blob"] += member.size
        elif member.ident in metadata:
            sizes["metadata"] += member.size
        else:
            sizes["orphan"] += member.size
            strays.append(member)
    if strays and candidate is not None:
        shown = ", ".join(_shown(member.name) for member in strays[:NAMED])
        more = f" and {len(strays) - NAMED} more" if len(strays) > NAMED else ""
        notes.info("A45", f"{sizes['orphan']:,} bytes of the archive belong to no part of this image: {shown}{more}")
    return Storage(
        file_bytes=container.file_bytes,
        archive_bytes=container.archive_bytes,
        blob_bytes=sizes["blob"],
        metadata_bytes=sizes["metadata"],
        orphan_bytes=sizes["orphan"],
        container_bytes=container.archive_bytes - sum(sizes.values()),
    )


def _shown(name: bytes) -> str:
    """Return a name for people; of one that is longer than any blob's the end."""
    return ("..." if len(name) > LONGEST else "") + name[-LONGEST:].decode("utf-8", "backslashreplace")


def _metadata(container: Container, found: Found, candidate: Candidate | None, blobs: set[int], others: set[int]) -> set[int]:
    if candidate is None:
        return set()
    used = set(found.documents) | set(candidate.documents)
    if candidate.config is not None:
        used.add(candidate.config.ident)
    foreign = {ident for other in found.candidates if other is not candidate for ident in other.documents} - used
    listed = {layer.name.encode("utf-8", "replace") for layer in candidate.layers}
    foreign |= {other.config.ident for other in found.candidates if other.config is not None} - used
    for name, member in container.members.items():
        ident = member.ident
        if ident in used or ident in blobs or ident in others or ident in foreign:
            continue
        folder, _, base = name.rpartition(b"/")
        if name in DESCRIBING:
            used.add(ident)
        elif base in (b"json", b"VERSION") and folder:
            place = folder + b"/layer.tar"
            layer = container.find(place)
            if layer.ident not in others if layer else place in listed:
                used.add(ident)
        elif _describes(container, member, candidate):
            used.add(ident)
    return used


def _describes(container: Container, member: Member, candidate: Candidate) -> bool:
    """Whether an unreferenced blob is version-1 layer JSON (A05), or a manifest whose config is this image's."""
    if member.size > 1 << 20 or b"/" not in member.name:
        return False
    try:
        data = container.read(member)
        if data[:1] != b"{":
            return False
        document: dict[str, Any] = mapping(parse(data, "a blob", container.settings.limits, Notebook()))
    except ArchiveError:
        return False
    if isinstance(document.get("id"), str) and len(document["id"]) == 64 and "layers" not in document:
        return True
    config = mapping(document.get("config")).get("digest")
    return config is not None and config == candidate.config_digest and "layers" in document
