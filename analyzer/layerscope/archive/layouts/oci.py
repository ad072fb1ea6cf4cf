"""Which images does an OCI layout hold, or a `dir:` folder, or a registry's storage?

index.json leads to manifests, through nested indexes, and those to blobs named by digest. OCI image-spec: image-layout.md,
image-index.md, manifest.md, descriptor.md; the docker media types mean the same (A48).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

from layerscope.archive.container.base import Container, Member
from layerscope.archive.documents import Json, cased, field, integer, mapping, objects, parse, rows, string_map, text, texts
from layerscope.archive.layouts.candidate import Candidate, Found, LayerRef
from layerscope.errors import ArchiveError, LimitError, UnsupportedError
from layerscope.regex import regex

DIGEST = regex(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]{1,512}")
LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
HEX = regex(r"(?:^|[/:-])([0-9a-f]{64})(?:\.|/|$)")
NAME_KEYS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
REMEMBERED = 16
KEYS = ("manifests", "config", "layers")
LAYER_TYPES = regex(r"layer|rootfs|\btar\b|diff", re.IGNORECASE)

Locate = Callable[[str], Member | None]


def valid_digest(value: object) -> str | None:
    """Return a digest that follows the grammar of descriptor.md, else None (E04)."""
    digest = text(value)
    if digest is None or len(digest) > 600 or DIGEST.fullmatch(digest) is None:
        return None
    algorithm, _, encoded = digest.partition(":")
    length = LENGTHS.get(algorithm)
    if length is not None and re.fullmatch(f"[0-9a-f]{{{length}}}", encoded) is None:
        return None
    return digest


def digest_of_name(name: str) -> str | None:
    """Return the sha256 digest that a member's name spells, if it does."""
    found = HEX.search(name)
    return f"sha256:{found[1]}" if found else None


def find_oci(container: Container) -> Found | None:
    """Return the images of an OCI layout; None if there is no index.json."""
    member = container.find(b"index.json")
    if member is None:
        return None
    walk = Walk(container, "oci", lambda digest: container.find(b"blobs/" + digest.replace(":", "/", 1).encode()))
    marker = container.find(b"oci-layout")
    if marker is None:
        container.notes.info("A23", "no oci-layout file beside index.json")
    else:
        walk.documents.add(marker.ident)
        try:
            version = mapping(walk.parse(marker, "oci-layout")).get("imageLayoutVersion")
        except ArchiveError as error:
            container.notes.warn("A23", str(error))
        else:
            if version != "1.0.0":
                container.notes.warn("A23", f"oci-layout tells version {text(version)!r}, not '1.0.0'")
    walk.documents.add(member.ident)
    walk.index(walk.parse(member, "index.json"), (), frozenset(), 0)
    return walk.found()


def find_dir(container: Container) -> Found | None:
    """Return the image of a `dir:` folder, where manifest.json is an object and blobs are files named by their hex (A24)."""
    member = container.find(b"manifest.json")
    if member is None:
        return None
    walk = Walk(container, "dir", lambda digest: container.find(digest.partition(":")[2].encode()))
    document = walk.parse(member, "manifest.json")
    if not isinstance(document, dict) or not document.keys() & {"layers", "fsLayers", "manifests", "config"}:
        return None
    version = container.find(b"version")
    if version is not None:
        walk.documents.add(version.ident)
    walk.documents.update(member.ident for name, member in container.members.items() if name.startswith(b"signature-"))
    data = container.read(member)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    if "manifests" in document:
        walk.documents.add(member.ident)
        walk.index(document, (), frozenset({digest}), 0)
    else:
        walk.manifest(document, member.ident, digest, (), {}, {})
    return walk.found()


def find_registry(container: Container) -> Found | None:
    """Return the images of a registry's storage folder: every tag of every repository."""
    blobs: dict[str, Member] = {}
    tags: list[tuple[str, Member]] = []
    for name, member in container.members.items():
        parts = name.decode("utf-8", "replace").split("/")
        if "v2" not in parts:
            continue
        inside = parts[parts.index("v2") + 1 :]
        if len(inside) == 5 and inside[0] == "blobs" and inside[4] == "data":
            blobs[f"{inside[1]}:{inside[3]}"] = member
        elif inside[:1] == ["repositories"] and inside[-2:] == ["current", "link"] and inside[-5:-3] == ["_manifests", "tags"]:
            tags.append((f"{'/'.join(inside[1:-5])}:{inside[-3]}", member))
    if not blobs:
        return None
    walk = Walk(container, "registry", blobs.get)
    for tag, link in sorted(tags, key=lambda row: (row[0], row[1].name)):
        digest = valid_digest(container.read(link).decode("utf-8", "replace").strip())
        if digest is None:
            container.notes.warn("E04", f"the tag {tag} leads to no valid digest")
            continue
        walk.descriptor({"digest": digest}, (tag,), frozenset(), 0)
    return walk.found()


class Walk:
    """A walk from an index down to manifests: each followed once a name, cycles and depth guarded (A44)."""

    def __init__(self, container: Container, layout: str, locate: Locate) -> None:
        self.container = container
        self.layout = layout
        self.locate = locate
        self.documents: set[int] = set()
        self.images: dict[str, Candidate] = {}
        self.attached: dict[str, set[int]] = {}  # to which image ("": it is not told), and which members that is
        self.refusals: list[ArchiveError] = []
        self.followed = 0
        self._names: dict[str, dict[str, None]] = {}  # of each image, in order
        self._parsed: dict[int, object] = {}

    def parse(self, member: Member, what: str) -> object:
        """Return a document's value; one that is listed again and again is not read each time."""
        if member.ident in self._parsed:
            return self._parsed[member.ident]
        value = parse(self.container.read(member), what, self.container.settings.limits, self.container.notes)
        value = cased(value, KEYS, what, self.container.notes) if isinstance(value, dict) else value
        if len(self._parsed) >= REMEMBERED:
            self._parsed.clear()
        self._parsed[member.ident] = value
        return value

    def found(self) -> Found:
        """Return the images; what is attached to one (attestations, referrers) describes it."""
        candidates = [
            replace(image, names=tuple(self._names[digest]), documents=image.documents | self.attached.get(digest, set()))
            for digest, image in self.images.items()
        ]
        loose = self.attached.get("", set())
        return Found(tuple(candidates), frozenset(self.documents | loose), tuple(self.refusals))

    def index(self, document: object, names: tuple[str, ...], trail: frozenset[str], depth: int) -> None:
        """Follow every descriptor of an index."""
        if not isinstance(document, dict):
            raise ArchiveError("index.json is not an object", id="A18")
        if "manifests" in document and ("layers" in document or "config" in document):
            raise ArchiveError("a document that is both index and manifest is ambiguous", id="A49")
        for descriptor in objects(document.get("manifests")):
            self.descriptor(descriptor, names, trail, depth)

    def descriptor(self, descriptor: Json, names: tuple[str, ...], trail: frozenset[str], depth: int) -> None:
        """Follow one descriptor to a manifest or a nested index."""
        notes, limits = self.container.notes, self.container.settings.limits
        self.followed += 1
        if self.followed > limits.manifests:
            raise LimitError(f"more than {limits.manifests:,} manifests", limit="manifests")
        digest = valid_digest(field(descriptor, "digest", "a descriptor", notes))
        if digest is None:
            notes.warn("E04", "an index lists an invalid digest; passed over")
            self.refusals.append(ArchiveError("an index lists an invalid digest", id="E04"))
            return
        annotations = string_map(descriptor.get("annotations"))
        names = names or names_of(annotations)
        if digest in trail or depth > limits.nesting:
            if digest in trail:
                message = f"indexes nested in a circle at {digest[:19]}"
                notes.warn("A44", message)
            else:
                message = f"indexes nested too deep at {digest[:19]} (--limit nesting=VALUE raises the limit)"
                notes.fail("A44", message)
            self.refusals.append(ArchiveError(message, id="A44"))
            return
        member = self.locate(digest)
        size = integer(descriptor.get("size"))
        if member is None:  # another platform's (A08)
            self.refusals.append(ArchiveError(f"manifest {digest[:19]} is not in the archive", id="A33"))
            return
        if size is not None and size != member.size:
            notes.warn("E05", f"{digest[:19]} is said to have {size:,} bytes and has {member.size:,}")
        what = f"manifest {digest[:19]}"
        try:
            document = self.parse(member, what)
        except ArchiveError as error:
            notes.fail(error.id, str(error))
            return
        if not isinstance(document, dict):
            notes.warn("A33", f"{what} is not an object")
            return
        if "manifests" in document:
            self.documents.add(member.ident)
            try:
                self.index(document, names, trail | {digest}, depth + 1)
            except LimitError:
                raise
            except ArchiveError as error:
                notes.fail(error.id, f"{what}: {error}")
                self.refusals.append(error)
        else:
            self.manifest(document, member.ident, digest, names, annotations, mapping(descriptor.get("platform")), descriptor)

    def manifest(
        self,
        document: Json,
        ident: int,
        digest: str,
        names: tuple[str, ...],
        annotations: object,
        platform: Json,
        descriptor: Json | None = None,
    ) -> None:
        """Take in one manifest: an image, or something attached to one, or another artifact."""
        if "fsLayers" in document:
            message = f"manifest {digest[:19]} is of schema 1, which layerscope does not read"
            self.refusals.append(UnsupportedError(message, id="A40"))
            self.container.notes.warn("A40", message)
            return
        told = string_map(annotations)
        config = mapping(document.get("config"))
        layers = [mapping(row) for row in rows(document.get("layers"), "layers in a manifest", self.container.notes)]
        if len(layers) > self.container.settings.limits.layers:
            raise LimitError(f"{len(layers):,} layers in one manifest", limit="layers")
        subject = self._subject(document, descriptor or {}, told, platform)
        if subject is not None:
            idents = {ident}
            for item in (config, *layers):
                found = self._blob(item)
                if found is not None:
                    idents.add(found.ident)
            self.attached.setdefault(subject, set()).update(idents)
            what = artifact(document, config, layers, descriptor or {}) or "an attestation without its image"
            self.refusals.append(UnsupportedError(what, id="A13"))
            return
        refusal = artifact(document, config, layers, descriptor or {})
        if refusal is not None:
            self.refusals.append(UnsupportedError(refusal, id="A13"))
            self.container.notes.info("A13", refusal)
            return
        self._names.setdefault(digest, {}).update(dict.fromkeys(names))
        if digest in self.images:
            return
        config_digest = valid_digest(config.get("digest"))
        member = self.locate(config_digest) if config_digest else None
        os, architecture, variant = (text(platform.get(key)) for key in ("os", "architecture", "variant"))
        self.images[digest] = Candidate(
            layout=self.layout,
            names=names,
            config=member,
            config_name=config_digest or "(no digest)",
            config_digest=config_digest,
            manifest_digest=digest,
            layers=tuple(self._layer(item) for item in layers),
            platform="/".join(part for part in (os, architecture, variant) if part) or None,
            annotations={**string_map(document.get("annotations")), **told},
            documents=frozenset({ident}),
            inline_config=None if member else inline(config),
        )

    def _blob(self, descriptor: Json) -> Member | None:
        digest = valid_digest(descriptor.get("digest"))
        return self.locate(digest) if digest else None

    def _layer(self, descriptor: Json) -> LayerRef:
        digest = valid_digest(field(descriptor, "digest", "a descriptor", self.container.notes))
        if digest is None:
            self.container.notes.fail("E04", "a manifest lists a layer with an invalid digest")
        return LayerRef(
            name=digest or "(invalid digest)",
            member=self.locate(digest) if digest else None,
            digest=digest,
            media_type=text(descriptor.get("mediaType")),
            size=integer(descriptor.get("size")),
            urls=texts(descriptor.get("urls")),
        )

    def _subject(self, document: Json, descriptor: Json, told: object, platform: Json) -> str | None:
        """Return the digest of the image that a manifest speaks of ("" if it is not told), None if it is no referrer."""
        annotations = string_map(told)
        if annotations.get("vnd.docker.reference.type") or (
            platform.get("os") == "unknown" and platform.get("architecture") == "unknown"
        ):
            return annotations.get("vnd.docker.reference.digest", "")
        if "io.containerd.manifest.subject" in annotations:
            return annotations["io.containerd.manifest.subject"]
        subject = mapping(document.get("subject"))
        if subject and artifact(document, mapping(document.get("config")), list(objects(document.get("layers"))), descriptor):
            return valid_digest(subject.get("digest")) or ""
        return None


def names_of(annotations: object) -> tuple[str, ...]:
    """Return the name that a descriptor's annotations give (A16, A17)."""
    told = string_map(annotations)
    for key in NAME_KEYS:
        if told.get(key):
            return (told[key],)
    return ()


def artifact(document: Json, config: Json, layers: list[Json], descriptor: Json) -> str | None:
    """Return what a manifest is if it is no image with a file system (A12, A13, A52), else None."""
    kind = text(document.get("artifactType")) or text(descriptor.get("artifactType"))
    config_type = text(config.get("mediaType")) or ""
    types = [text(layer.get("mediaType")) or "" for layer in layers]
    what = kind or (config_type if config_type and "image" not in config_type else "")
    plain = "application/octet-stream" if config_type and not what else ""  # beside an image's config it says nothing (A43)
    if layers and types[0] and not any(LAYER_TYPES.search(name) or name in ("", plain) for name in types):
        what = what or types[0]
    elif not what or any(".image.rootfs." in name or "image.layer" in name for name in types):
        return None
    return f"an OCI artifact of type {what}, which has no file system: not an image"


def inline(descriptor: Json) -> bytes | None:
    """Return the data that a descriptor carries itself, if digest and size hold (A42)."""
    data = descriptor.get("data")
    if not isinstance(data, str) or len(data) > 1 << 20:
        return None
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    good = descriptor.get("digest") == "sha256:" + hashlib.sha256(raw).hexdigest()
    return raw if good and descriptor.get("size") == len(raw) else None


def refuse(container: Container, found: Found) -> None:
    """Raise if there is no image, with the best reason that was met."""
    if not found.candidates:
        listed = container.find(b"index.json") is not None
        nothing = ArchiveError(
            "index.json lists no image" if listed else f"nothing in {container.called} names an image", id="A33"
        )
        raise min(found.refusals, key=lambda refusal: not isinstance(refusal, UnsupportedError), default=nothing)
