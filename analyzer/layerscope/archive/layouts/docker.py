"""Which images does `docker save` (of any age, or a tool that imitates it) put into an archive?

manifest.json lists them since Docker 1.10; before, `repositories` names the top layer and each layer its parent (A01 to A06,
A26 to A30). https://github.com/moby/docker-image-spec/blob/main/spec.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from layerscope.archive.container.base import Container, Member
from layerscope.archive.documents import Json, cased, integer, mapping, objects, parse, rows, string_map, text, texts
from layerscope.archive.layouts.candidate import Candidate, Found, LayerRef
from layerscope.archive.layouts.oci import digest_of_name
from layerscope.archive.tar.header import clean
from layerscope.errors import ArchiveError
from layerscope.model import Level

PARENTS = 1_000
KEYS = ("Config", "RepoTags", "Layers")


def member_name(name: str) -> bytes:
    """Return the container's name for a name in a manifest: looked up in the index only, never on disk (E01)."""
    return clean(name.encode("utf-8", "surrogateescape"))[0]


def find_docker(container: Container) -> Found | None:
    """Return what manifest.json lists; None if the container has none, or one of another schema."""
    member = container.find(b"manifest.json")
    limits, notes = container.settings.limits, container.notes
    if member is None:
        return None
    document = parse(container.read(member), "manifest.json", limits, notes)
    if document is None or document == []:
        raise ArchiveError("manifest.json lists no image", id="A33")
    if not isinstance(document, list):
        return None
    items = list(objects(document))
    if len(items) > limits.manifests:
        raise ArchiveError(f"manifest.json lists {len(items):,} images (--limit manifests=VALUE raises the limit)", id="E09")
    items = [cased(item, KEYS, "manifest.json", notes) for item in items]
    if items and not any(item.get("Layers") or item.get("Config") for item in items):
        if "Image" in items[0] or "ImageIndex" in items[0]:
            raise ArchiveError(
                "this is an imgpkg bundle tar, which layerscope does not read; save the image with docker or skopeo", id="A55"
            )
        if all("RepoTags" not in item for item in items):
            raise ArchiveError("manifest.json is not docker's: its items have neither Config nor Layers", id="A55")
    documents = {member.ident}
    repositories = container.find(b"repositories")
    if repositories is not None:
        documents.add(repositories.ident)
    candidates = _distinct(_candidate(container, item) for item in items)
    if not candidates:
        raise ArchiveError("manifest.json lists no image", id="A33")
    return Found(candidates, frozenset(documents))


def claims_digest(name: str) -> bool:
    """Whether the hex in a layer's name is the blob's digest: not so in `<id>/layer.tar` and `<diff ID>.tar`."""
    return name.startswith(("blobs/", "sha256:")) or name.endswith((".tar.gz", ".tgz", ".tar.zst"))


def _candidate(container: Container, item: Json) -> Candidate:
    notes = container.notes
    config_name = text(item.get("Config")) or ""
    names = texts(item.get("RepoTags"))
    sources = mapping(item.get("LayerSources"))
    config = container.find(member_name(config_name)) if config_name else None
    layers = []
    for row in rows(item.get("Layers"), "Layers in manifest.json", notes):
        listed = text(row) or ""
        found = container.find(member_name(listed)) if listed else None
        digest = digest_of_name(listed)
        source = mapping(sources.get(digest)) if digest else {}
        if found is None and digest:
            found = container.find(b"blobs/" + digest.replace(":", "/", 1).encode())
        layers.append(
            LayerRef(
                name=listed or "(unnamed)",
                member=found,
                digest=text(source.get("digest")) or (digest if claims_digest(listed) else None),
                media_type=text(source.get("mediaType")),
                size=integer(source.get("size")),
            )
        )
    return Candidate(
        layout="docker",
        names=names,
        config=config,
        config_name=config_name or "(unnamed)",
        config_digest=digest_of_name(config_name),
        manifest_digest=None,
        layers=tuple(layers),
        annotations=string_map(item.get("Annotations")),
    )


def _distinct(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the images, one that is listed again (nobody could choose between the two) once, by all its names (A15)."""
    found: dict[object, Candidate] = {}
    for one in candidates:
        key = (one.config_name, one.config, one.layers)
        known = found.setdefault(key, one)
        if known is not one:
            found[key] = replace(known, names=tuple(dict.fromkeys((*known.names, *one.names))))
    return tuple(found.values())


def find_legacy(container: Container) -> Found | None:
    """Return the images of an archive without manifest.json: `repositories`, or the layers that are nobody's parent (A04)."""
    versions = {
        name.split(b"/")[0].decode("ascii", "replace"): member
        for name, member in container.members.items()
        if name.count(b"/") == 1 and name.endswith(b"/json")
    }
    if not versions:
        return None
    limits, notes = container.settings.limits, container.notes
    documents: dict[str, Json] = {}
    for name, member in versions.items():
        if len(documents) >= limits.manifests:
            raise ArchiveError("more layers than can be followed (--limit manifests=VALUE raises the limit)", id="E09")
        try:
            documents[name] = mapping(parse(container.read(member), f"{name}/json", limits, notes))
        except ArchiveError as error:
            notes.fail(error.id, str(error))
    tops: dict[str, list[str]] = {}
    described: set[int] = set()
    repositories = container.find(b"repositories")
    if repositories is not None:
        described.add(repositories.ident)
        for repository, tags in mapping(parse(container.read(repositories), "repositories", limits, notes)).items():
            for tag, top in mapping(tags).items():
                if isinstance(top, str):
                    tops.setdefault(top, []).append(f"{text(repository)}:{text(tag)}")
    if not tops:
        parents = {text(document.get("parent")) for document in documents.values()}
        tops = {name: [] for name in sorted(documents) if name not in parents}
    notes.info("A04", "no manifest.json: an archive of Docker before 1.10, read by its chain of parents")
    if (why := container.ended_early()) is not None and why.level is not Level.ERROR:
        notes.fail("A54", "without manifest.json in it, an archive that ends without end blocks is taken for cut")
    candidates = tuple(
        candidate
        for top, names in tops.items()
        if (candidate := _chain(container, top, names, documents, versions)) is not None
    )
    return Found(candidates, frozenset(described)) if candidates else None


def _chain(
    container: Container, top: str, names: list[str], documents: dict[str, Json], versions: dict[str, Member]
) -> Candidate | None:
    if top not in documents:
        container.notes.warn("A33", f"repositories names the layer {text(top)!r}, which is not there")
        return None
    chain: list[str] = []
    name: str | None = top
    while name and name not in chain and len(chain) < PARENTS:
        chain.append(name)
        name = text(mapping(documents.get(name)).get("parent"))
    layers = []
    for layer in reversed(chain):
        member = container.find(layer.encode("utf-8", "replace") + b"/layer.tar")
        layers.append(LayerRef(name=f"{layer}/layer.tar", member=member))
    return Candidate(
        layout="docker",
        names=tuple(names),
        config=versions.get(top),
        config_name=f"{top}/json",
        config_digest=None,
        manifest_digest=None,
        layers=tuple(layers),
    )
