"""Which images are in there, which one is meant, and what is it?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from layerscope.archive import pull
from layerscope.archive.candidate import Candidate, Found, LayerRef
from layerscope.archive.config import ConfigDocument, align_history, read_config
from layerscope.archive.container import Container, Folder, Member, PassingTar, TarFile
from layerscope.archive.docker import find_docker, find_legacy
from layerscope.archive.documents import mapping, parse
from layerscope.archive.equal import Place, mark_equal
from layerscope.archive.filetypes import HEAD, name_bytes
from layerscope.archive.folders import pass_over_deep
from layerscope.archive.notebook import Notebook
from layerscope.archive.oci import LENGTHS, find_dir, find_oci, find_registry, refuse
from layerscope.archive.opaque import drop_opaque, opaque_index, why_opaque
from layerscope.archive.scan import Scan
from layerscope.archive.storage import divide
from layerscope.errors import ArchiveError, LimitError, SelectionError
from layerscope.frozen import frozen
from layerscope.model import Config, Image, Layer, LayerIndex, Level

ROOT_NAMES = frozenset((b"etc", b"bin", b"usr", b"lib", b"sbin", b"var", b".dockerenv", b"Files", b"nix"))
ABOUT_THE_WHOLE = frozenset(("A54", "C55", "D03", "D07", "E08"))
SUFFIXES = {"gzip": ("gzip",), "zstd": ("zstd",), "none": ("tar",)}


@frozen
class ImageSummary:
    """One line of the list of images: what it is called, what it runs on, whether its blobs are there."""

    names: tuple[str, ...]
    platform: str | None
    config_digest: str | None
    layers: int
    missing: int
    layout: str
    id: str | None = None  # what `--image` takes where there is neither name nor digest

    @property
    def complete(self) -> bool:
        """Whether every blob is in the archive."""
        return not self.missing


def discover(container: Container) -> Found:
    """Return all images of a container, those of manifest.json and index.json joined (A07).

    A document that is broken does not hide the other; if neither gives an image, the first complaint is raised.
    """
    complaints: list[ArchiveError] = []
    views: list[Found] = []
    for reader in (find_docker, find_oci, find_dir, find_registry):
        try:
            found = reader(container)
        except LimitError:
            raise
        except ArchiveError as error:
            complaints.append(error)
        else:
            if found is not None:
                views.append(found)
    if not any(view.candidates for view in views):
        try:
            legacy = find_legacy(container)
        except ArchiveError as error:
            complaints.append(error)
            legacy = None
        if legacy is not None:
            views.append(legacy)
    for complaint in complaints:
        container.notes.fail(complaint.id or "A33", str(complaint))
    candidates: tuple[Candidate, ...] = ()
    for view in views:
        candidates = join_views(candidates, view.candidates, container.notes) if candidates else view.candidates
    everything = Found(
        candidates,
        frozenset(ident for view in views for ident in view.documents),
        tuple(refusal for view in views for refusal in view.refusals),
    )
    if not candidates and complaints:
        raise complaints[0]
    refuse(everything)
    return everything


def join_views(docker: tuple[Candidate, ...], oci: tuple[Candidate, ...], notes: Notebook) -> tuple[Candidate, ...]:
    """Join two views of one archive on the config: its member, or its digest where it is missing."""
    rest = list(oci)
    joined = []
    for one in docker:
        twins = [other for other in rest if _same_config(one, other)]
        for twin in twins:
            rest.remove(twin)
            one = _join(one, twin, notes)
        joined.append(one)
    return (*joined, *rest)


def _same_config(one: Candidate, other: Candidate) -> bool:
    if one.config is None or other.config is None:
        return one.config is other.config and one.config_digest is not None and one.config_digest == other.config_digest
    return one.config.ident == other.config.ident


def _join(docker: Candidate, oci: Candidate, notes: Notebook) -> Candidate:
    layers = docker.layers
    if len(docker.layers) == len(oci.layers):
        layers = tuple(_join_layer(a, b) for a, b in zip(docker.layers, oci.layers, strict=True))
        if any(
            a.member and b.member and a.member.ident != b.member.ident for a, b in zip(docker.layers, oci.layers, strict=True)
        ):
            notes.warn("A06", "manifest.json and index.json list different layers; manifest.json's are read")
    elif docker.layers:
        notes.warn(
            "A06", f"manifest.json lists {len(docker.layers)} layers, index.json {len(oci.layers)}; manifest.json's are read"
        )
    else:
        layers = oci.layers
    return replace(
        docker,
        names=tuple(dict.fromkeys((*docker.names, *(() if docker.names else oci.names)))),
        manifest_digest=oci.manifest_digest,
        platform=oci.platform,
        annotations={**docker.annotations, **oci.annotations},
        documents=docker.documents | oci.documents,
        layers=layers,
    )


def _join_layer(docker: LayerRef, oci: LayerRef) -> LayerRef:
    return replace(
        docker,
        member=docker.member or oci.member,
        digest=oci.digest or docker.digest,
        media_type=oci.media_type or docker.media_type,
        size=oci.size if oci.size is not None else docker.size,
        urls=oci.urls or docker.urls,
    )


def familiar(name: str) -> str:
    """Return an image's name as people write it: without docker.io/library/ (A03)."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def platform_of(container: Container, candidate: Candidate) -> str | None:
    """Return the platform that a candidate's config tells, else its descriptor's (A50)."""
    try:
        return _config(container, candidate, Notebook()).config.platform or candidate.platform
    except ArchiveError:
        return candidate.platform


def summarize(container: Container, found: Found) -> tuple[ImageSummary, ...]:
    """Return a line for each image, sorted by name: the order of manifest.json is random (A14)."""
    lines = [
        ImageSummary(
            names=tuple(map(familiar, one.names)),
            platform=platform_of(container, one),
            config_digest=one.config_digest,
            layers=len(one.layers),
            missing=sum(layer.member is None and not layer.foreign for layer in one.layers)
            + (one.config is None and one.inline_config is None),
            layout=one.layout,
            id=one.config_name.partition("/")[0][:12],
        )
        for one in found.candidates
    ]
    return tuple(sorted(lines, key=lambda line: (line.names, line.platform or "", line.config_digest or "")))


def choose(container: Container, found: Found, image: str | None, platform: str | None) -> Candidate:
    """Return the image that is meant; SelectionError with the list if that is not one."""
    pool = list(found.candidates)
    if image is not None:
        pool = [one for one in pool if answers_to(one, image)]
    if platform is not None:
        pool = [one for one in pool if _same_platform(platform_of(container, one), platform)]
    there = [one for one in pool if one.present and (not one.layers or any(layer.member for layer in one.layers))]
    pool = there or pool
    if len(pool) == 1:
        return pool[0]
    if not found.candidates:
        reason = next((f": {note.message}" for note in container.notes.freeze() if note.level is not Level.INFO), "")
        raise ArchiveError(f"{container.source} holds no image that can be read{reason}", id="A33")
    lines = tuple(describe(line) for line in summarize(container, found))
    if not pool:
        wish = " ".join(filter(None, (image, platform)))
        raise SelectionError(f"{container.source} holds no image {wish!r}; it holds", lines)
    broken = next((note for note in container.notes.freeze() if note.level is Level.ERROR), None)
    if broken is not None:  # nobody would have to choose if it were whole
        held = "; ".join(lines)
        raise ArchiveError(
            f"{broken.message}; what is left holds {len(pool)} images to choose from with --image: {held}", id=broken.id
        )
    raise SelectionError(f"{container.source} holds {len(pool)} images; choose one with --image or --platform", lines)


def describe(line: ImageSummary) -> str:
    """Return a summary as a line for people."""
    name = ", ".join(line.names) or line.config_digest or line.id or "(no name)"
    state = "" if line.complete else ", not all in the archive"
    return f"{name}  {line.platform or 'unknown platform'}  {line.layers} layers{state}"


def answers_to(candidate: Candidate, wish: str) -> bool:
    """Whether an image has that name (a missing tag means latest), or a digest that begins so."""
    wanted = familiar(wish)
    for name in map(familiar, candidate.names):
        if name in (wanted, f"{wanted}:latest"):
            return True
    bare = wish.removeprefix("sha256:")
    digests = (candidate.config_digest, candidate.manifest_digest)
    return len(bare) >= 6 and (
        candidate.config_name.startswith(bare)
        or any(digest and digest.partition(":")[2].startswith(bare) for digest in digests)
    )


def _same_platform(have: str | None, wish: str) -> bool:
    if have is None:
        return False
    return have == wish or have.startswith(wish + "/") or have.partition("/")[2] == wish


def list_layers(container: Container) -> frozenset[str]:
    """Return digests and diff IDs of the layers of all images in a container, as it claims them."""
    if not holds_image(container):
        return frozenset()
    found: set[str | None] = set()
    for candidate in discover(container).candidates:
        found.update(digest for layer in candidate.layers for digest in (layer.digest, layer.diff_id))
        with suppress(ArchiveError):
            found.update(_config(container, candidate, Notebook()).diff_ids or ())
    return frozenset(one for one in found if one)


def find_member(container: Container, image: str | None, platform: str | None, position: int) -> Member | None:
    """Return where the container holds a layer of an image; None if the container is the layer."""
    if not holds_image(container):
        return None
    return choose(container, discover(container), image, platform).layers[position].member


def _config(container: Container, candidate: Candidate, notes: Notebook) -> ConfigDocument:
    if candidate.inline_config is not None:
        data = candidate.inline_config
    elif candidate.config is not None:
        data = container.read(candidate.config)
    else:
        raise ArchiveError(f"the config {candidate.config_name} is not in the archive", id="A33")
    return read_config(mapping(parse(data, "the config", container.settings.limits, notes)), notes)


@dataclass(slots=True)
class Pool:
    """Layers of several images whose contents are to be compared with one another, once all are read."""

    indexes: list[LayerIndex] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def mark(self) -> None:
        """Fill in the tokens of contents."""
        mark_equal(self.indexes, self.places)


def build(container: Container, found: Found, candidate: Candidate, pool: Pool | None = None) -> Image:
    """Read one image whole; contents are compared within it, or later with all that is in the pool."""
    notes = Notebook()
    try:
        document = _config(container, candidate, notes)
    except ArchiveError as error:
        notes.fail(error.id or "A33", str(error))
        document = ConfigDocument(Config(), None, ())
    config_digest = _check_config(container, candidate, notes)
    limit = container.settings.limits.layers
    if len(candidate.layers) > limit:
        raise LimitError(f"the image has {len(candidate.layers):,} layers, more than {limit:,}", limit="layers")
    if document.diff_ids is not None and len(document.diff_ids) != len(candidate.layers):
        notes.warn("B10", f"the config tells of {len(document.diff_ids)} layers, the manifest of {len(candidate.layers)}")
    if _differ(candidate.platform, document.config.platform):
        notes.warn(
            "A50", f"the index says {candidate.platform}, the config {document.config.platform}: readers choose differently"
        )
    history = align_history(document.history, len(candidate.layers), notes)
    layers = tuple(_layers(container, candidate, document, {row.layer: row for row in history if row.layer is not None}, notes))
    if document.config.os == "windows":
        layers = tuple(_windows(layer, notes) for layer in layers)
    members = [layer.member for layer in candidate.layers]
    _compare(container, members, layers, pool)
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
            container.settings.lap(f"layer {position}")


def _scanned(container: Container, layer: Layer, ref: LayerRef, member: Member, notes: Notebook) -> Layer:
    position = layer.position
    reason = why_opaque(ref.media_type)
    if reason is not None:
        notes.add(
            reason[0], Level.ERROR, f"{reason[1]}: its {member.size:,} bytes are counted, its files are not", layer=position
        )
        return replace(layer, compression="none", blob_bytes=member.size, index=opaque_index(member.size))
    try:
        scan = container.scan(member)
    except ArchiveError as error:
        notes.add(error.id, Level.ERROR, str(error), layer=position)
        return replace(layer, compression="none", blob_bytes=member.size, index=opaque_index(member.size))
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
    return replace(
        layer,
        compression=scan.compression,
        blob_bytes=scan.blob_bytes,
        verified=_verified(layer, scan, notes),
        index=scan.index,
        pull=scan.pull,
        flow=scan.flow,
    )


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


def _compare(container: Container, members: Sequence[Member | None], layers: Sequence[Layer], pool: Pool | None = None) -> None:
    """Find out which files of all layers hold the same content."""
    places = []
    for layer, member in zip(layers, members, strict=True):
        if layer.index is not None and layer.compression == "none" and len(layer.index):
            place = container.place(member)
            if place is not None:
                places.append(Place(layer.index, *place))
    ours = pool or Pool()
    ours.indexes += [layer.index for layer in layers if layer.index is not None]
    ours.places += places
    if pool is None:
        ours.mark()
        container.settings.lap("equal files")


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


def root_file_system(container: Container, pool: Pool | None = None) -> Image:
    """Read the container itself as one layer (`docker export`, A35), or say what it is if it is no root file system."""
    scan = None
    if isinstance(container, (TarFile, PassingTar)):
        scan = _root_scan(container)
    if scan is None:
        raise ArchiveError(f"{container.source} holds no image: no manifest.json, no index.json", id="A36")
    layer = Layer(
        position=0,
        digest=None,
        diff_id=None,
        media_type=None,
        compression="none",
        blob_bytes=scan.index.tar_bytes,
        descriptor_bytes=None,
        instruction="root file system",
        created_by=None,
        created=None,
        index=scan.index,
    )
    notes = Notebook()
    _compare(container, [None], [layer], pool)
    notes.info("A35", "a root file system without an image around it (docker export?), read as one layer")
    for note in scan.index.notes:
        notes.add(note.id, note.level, note.message, path=note.path, offset=note.offset, layer=0)
    told = {note.id for note in scan.index.notes}
    notes.extend(tuple(note for note in container.notes.freeze() if note.id in ABOUT_THE_WHOLE and note.id not in told))
    pass_over_deep(scan.index, container.settings.limits, notes, 0)
    return Image(
        source=container.source,
        layout="rootfs",
        names=(),
        config=Config(),
        config_digest=None,
        manifest_digest=None,
        layers=(layer,),
        history=(),
        storage=replace(
            divide(container, Found(()), None, notes), blob_bytes=scan.index.tar_bytes, orphan_bytes=0, container_bytes=0
        ),
        notes=notes.freeze(),
        inspected=(container.inspectors if isinstance(container, PassingTar) else container.settings.inspectors).names,
    )


def _root_scan(container: TarFile | PassingTar) -> Scan | None:
    index: LayerIndex = container.index
    if not len(index):
        head = container.head if isinstance(container, PassingTar) else container.buffer[:HEAD]
        if isinstance(container, PassingTar) and container.compressed:
            inside = index.notes[0].message if index.notes else "nothing"
            raise ArchiveError(f"{container.source} is compressed, and holds no tar: {inside}", id="A36")
        what = name_bytes(head)
        if what == "a file of zeros":
            what = "an empty tar"
        raise ArchiveError(f"{container.source} is {what}, not a container image", id="A36")
    tops = {path.partition(b"/")[0] for path in index.paths if path}
    if tops & ROOT_NAMES:
        return container.rootfs()
    if any(path.endswith(b"/Chart.yaml") for path in index.paths):
        raise ArchiveError(f"{container.source} is a Helm chart, not a container image", id="A36")
    shown = ", ".join(sorted(top.decode("utf-8", "backslashreplace") for top in tops)[:5])
    raise ArchiveError(
        f"{container.source} is a tar without manifest.json or index.json, and no root file system either (it holds {shown})",
        id="A36",
    )


def holds_image(container: Container) -> bool:
    """Whether anything in the container speaks of images at all."""
    if any(name in container.members or name in container.links for name in (b"manifest.json", b"index.json", b"repositories")):
        return True
    return any(
        b"docker/registry/v2/" in b"/" + name
        or name.startswith(b"v2/blobs/")
        or (name.endswith(b"/layer.tar") and name.removesuffix(b"layer.tar") + b"json" in container.members)
        for name in container.members
    )


def folder_hint(container: Container) -> str:
    """Return what to say of a folder without an image."""
    assert isinstance(container, Folder)
    return f"{container.source} is a folder without index.json or manifest.json: not an OCI layout, not a dir: folder"
