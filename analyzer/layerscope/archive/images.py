"""What is one image, read whole?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from layerscope.archive import pull
from layerscope.archive.config import ConfigDocument, align_history
from layerscope.archive.container.base import Container, Member
from layerscope.archive.elsewhere import look_elsewhere
from layerscope.archive.equal import Place, mark_equal
from layerscope.archive.layouts.candidate import Candidate, Found, LayerRef
from layerscope.archive.layouts.oci import LENGTHS
from layerscope.archive.layouts.opaque import drop_opaque, opaque_index, why_opaque
from layerscope.archive.layouts.selection import document_of, familiar
from layerscope.archive.notebook import Notebook
from layerscope.archive.prints import PRINTS, Prints
from layerscope.archive.scan import Scan
from layerscope.archive.storage import divide
from layerscope.archive.tar.folders import pass_over_deep
from layerscope.errors import ArchiveError, LimitError
from layerscope.model import Config, Image, Layer, LayerIndex, Level


@dataclass(slots=True)
class Pool:
    """Layers of several images whose contents are to be compared with one another, once all are read.

    `prints` took those of all of them, `labels` are the images' once they are compared.
    """

    prints: Prints = PRINTS
    labels: dict[int, bytes] = field(default_factory=dict)
    indexes: list[LayerIndex] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def mark(self) -> None:
        """Fill in the numbers of contents."""
        self.labels.update(mark_equal(self.indexes, self.places, self.prints))


def build(container: Container, found: Found, candidate: Candidate, pool: Pool | None = None) -> Image:
    """Read one image whole; contents are compared within it, or later with all that is in the pool."""
    notes = Notebook()
    try:
        document = document_of(container, candidate, notes)
    except ArchiveError as error:
        notes.fail(error.id or "A33", str(error))
        document = ConfigDocument(Config(), None, ())
    config_digest = _check_config(container, candidate, notes)
    limit = container.settings.limits.layers
    if len(candidate.layers) > limit:
        raise LimitError(f"the image has {len(candidate.layers):,} layers, more than {limit:,}", limit="layers")
    if document.diff_ids is not None and len(document.diff_ids) != len(candidate.layers):
        notes.warn("B10", f"layers in the config: {len(document.diff_ids)}, in the manifest: {len(candidate.layers)}")
    if _differ(candidate.platform, document.config.platform):
        notes.warn(
            "A50", f"the index says {candidate.platform}, the config {document.config.platform}: readers choose differently"
        )
    history = align_history(document.history, len(candidate.layers), notes)
    layers = tuple(_layers(container, candidate, document, {row.layer: row for row in history if row.layer is not None}, notes))
    if document.config.os == "windows":
        layers = tuple(_windows(layer, notes) for layer in layers)
    members = [layer.member for layer in candidate.layers]
    look_elsewhere(container, members, layers, notes)
    labels = compare(container, members, layers, pool)
    layers = _price(container, members, layers)
    storage = divide(container, found, candidate, notes)
    return Image(
        source=container.source,
        layout=candidate.layout,
        names=tuple(dict.fromkeys(map(familiar, candidate.names))),
        config=replace(document.config, annotations=candidate.annotations),
        config_digest=config_digest,
        manifest_digest=candidate.manifest_digest,
        layers=layers,
        history=history,
        storage=storage,
        notes=(*container.notes.freeze(), *notes.freeze()),
        inspected=container.settings.inspectors.names,
        labels=labels,
    )


def _differ(told: str | None, written: str | None) -> bool:
    """Whether two platforms differ, as far as both tell."""
    if told is None or written is None:
        return False
    return any(one != other for one, other in zip(told.split("/"), written.split("/"), strict=False))


def _check_config(container: Container, candidate: Candidate, notes: Notebook) -> str | None:
    """Return the config's digest, as it is; one that is claimed and wrong is a note (B11)."""
    if candidate.config is None:
        return candidate.config_digest
    try:
        data = container.read(candidate.config)
    except ArchiveError:
        return candidate.config_digest
    claimed = candidate.config_digest
    algorithm = "sha256" if claimed is None else claimed.partition(":")[0]
    if algorithm not in LENGTHS:
        return claimed
    actual = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
    if claimed is not None and claimed != actual:
        notes.warn("B11", f"the config is named {claimed[:19]} and has the digest {actual[:19]}")
    return actual


def _layers(
    container: Container, candidate: Candidate, document: ConfigDocument, history: dict[int, object], notes: Notebook
) -> Iterable[Layer]:
    first: dict[int, int] = {}
    for position, ref in enumerate(candidate.layers):
        row = history.get(position)
        claimed = document.diff_ids[position] if document.diff_ids and position < len(document.diff_ids) else None
        member = ref.member
        if member is not None and ref.foreign and member.size == 0 and ref.size:
            member = None  # a stub (A37)
        layer = Layer(
            position=position,
            digest=ref.digest,
            diff_id=claimed,
            media_type=ref.media_type,
            compression=None,
            blob_bytes=None,
            descriptor_bytes=ref.size,
            instruction=getattr(row, "instruction", "(no history)"),
            created_by=getattr(row, "created_by", None),
            created=getattr(row, "created", None),
            foreign=ref.foreign,
            urls=ref.urls,
        )
        if member is None:
            if not ref.foreign:
                notes.add("A09", Level.ERROR, f"{ref.name} is not in the archive", layer=position)
            else:
                notes.add("A37", Level.INFO, "a layer that archives leave out; its bytes are not counted", layer=position)
            yield layer
        elif member.ident in first:
            yield replace(layer, same_as=first[member.ident], blob_bytes=member.size)
        else:
            first[member.ident] = position
            yield _scanned(container, layer, ref, member, notes)


def _scanned(container: Container, layer: Layer, ref: LayerRef, member: Member, notes: Notebook) -> Layer:
    position = layer.position
    reason = why_opaque(ref.media_type)
    if reason is not None:
        notes.add(
            reason[0], Level.ERROR, f"{reason[1]}: its {member.size:,} bytes are counted, its files are not", layer=position
        )
        return _unread(layer, member)
    try:
        scan = container.scan(member)
    except ArchiveError as error:
        notes.add(error.id, Level.ERROR, str(error), layer=position)
        return _unread(layer, member)
    for note in scan.index.notes:
        notes.add(note.id, note.level, note.message, path=note.path, offset=note.offset, layer=position)
    pass_over_deep(scan.index, container.settings.limits, notes, position)
    if ref.size is not None and ref.size != member.size:
        level = Level.ERROR if member.size < ref.size else Level.WARNING
        notes.add("E05", level, f"the blob is said to have {ref.size:,} bytes and has {member.size:,}", layer=position)
    if ref.media_type and scan.blob_bytes and not _media_fits(ref.media_type, scan.compression):
        message = f"the media type says {ref.media_type}, the bytes are {_called(scan.compression)}"
        notes.add("D10", Level.WARNING, message, layer=position)
    if scan.compression in ("bzip2", "xz"):
        notes.add("D09", Level.INFO, f"compressed with {scan.compression}, which OCI does not allow", layer=position)
    found = replace(
        layer,
        compression=scan.compression,
        blob_bytes=scan.blob_bytes,
        verified=_verified(layer, scan, notes),
        index=scan.index,
        pull=scan.pull,
        flow=scan.flow,
    )
    container.settings.lap(f"layer {position}{', recalled' * scan.recalled}")
    return found


def _unread(layer: Layer, member: Member) -> Layer:
    """Return a layer that is not looked into; how its bytes are packed nobody knows, so a registry sends them as they are."""
    return replace(layer, blob_bytes=member.size, index=opaque_index(member.size))


def _windows(layer: Layer, notes: Notebook) -> Layer:
    index = None if layer.index is None else drop_opaque(layer.index)
    if index is not layer.index:
        notes.add("A38", Level.WARNING, "opaque marks, which Windows does not obey", layer=layer.position)
    return replace(layer, index=index)


def _called(compression: str) -> str:
    return "not compressed" if compression == "none" else f"{compression} data"


def _media_fits(media_type: str, compression: str) -> bool:
    lowered = media_type.lower()
    if "gzip" in lowered:
        return compression == "gzip"
    if "zstd" in lowered:
        return compression == "zstd"
    if lowered.endswith((".tar", "+tar")):
        return compression == "none"
    return True


def _verified(layer: Layer, scan: Scan, notes: Notebook) -> bool | None:
    """Compare what is claimed with what was hashed; None if nothing was hashed or nothing is claimed."""
    result: bool | None = None
    for what, claimed, actual in (("digest", layer.digest, scan.digest), ("diff ID", layer.diff_id, scan.index.diff_id)):
        if claimed is None or actual is None or claimed.partition(":")[0] != actual.partition(":")[0]:
            continue
        if claimed == actual:
            result = True if result is None else result
        else:
            notes.add(
                "B11", Level.WARNING, f"the {what} is said to be {claimed[:19]} and is {actual[:19]}", layer=layer.position
            )
            result = False
    return result


def compare(
    container: Container, members: Sequence[Member | None], layers: Sequence[Layer], pool: Pool | None = None
) -> Mapping[int, bytes]:
    """Find out which files of all layers hold the same content; return what will have the labels."""
    places = []
    for layer, member in zip(layers, members, strict=True):
        if layer.index is not None and layer.compression == "none" and len(layer.index):
            place = container.place(member)
            if place is not None:
                places.append(Place(layer.index, *place))
    ours = pool or Pool(container.settings.prints)
    ours.indexes += [layer.index for layer in layers if layer.index is not None]
    ours.places += places
    if pool is None:
        ours.mark()
        container.settings.lap("equal files")
    return ours.labels


def _price(container: Container, members: Sequence[Member | None], layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Find out what the uncompressed layers that lie in place would cost to pull."""
    found: dict[int, pull.Place] = {}
    for layer, member in zip(layers, members, strict=True):
        if layer.index is not None and layer.compression == "none" and layer.pull is None and layer.blob_bytes is not None:
            place = container.place(member)
            if place is not None:
                found[layer.position] = pull.Place(*place, layer.blob_bytes)
    prices = dict(zip(found, pull.price(list(found.values()), container.settings.pull), strict=True))
    container.settings.lap("pull sizes")
    return tuple(replace(layer, pull=prices.get(layer.position, layer.pull)) for layer in layers)
