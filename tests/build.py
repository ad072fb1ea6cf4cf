"""How does a test make an image?

Byte by byte, and without the program's help or `tarfile`'s: the header writer below writes what it is told, also nonsense.

    base = layer({"etc": Dir(), "etc/hosts": b"127.0.0.1", "etc/motd": Symlink("/run/motd")})
    top = tar(whiteout("etc/hosts"), entry("etc/new", b"x", mode=0o600), end=0)
    data = docker_save(Image([base, top], tags=["app:1"], history=["ADD rootfs", "RUN rm"]), style="docker25")

A *layer* is the bytes of an uncompressed tar. An archive is first *members*, a dict from name to content, which a test may
edit at will, and then bytes: `archive(docker(image, style="legacy"), omit=["*/VERSION"])`. Everything is deterministic.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import zstandard

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 512
MAGIC = {"ustar": b"ustar\x0000", "gnu": b"ustar  \x00", "v7": bytes(8)}
DATE = "2024-01-01T00:00:00Z"


# --- tar: one entry ---------------------------------------------------------------------------------------------------


def raw(value: bytes | str) -> bytes:
    """Return text as bytes; surrogates come back as the bytes that they were."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def padded(data: bytes, size: int = BLOCK) -> bytes:
    """Fill up with zeros to a multiple of `size`."""
    return data + bytes(-len(data) % size)


def number(value: int | bytes, width: int) -> bytes:
    """Write a number field: octal if it fits, else base 256; bytes go in as they are."""
    if isinstance(value, bytes):
        return value.ljust(width, b"\0")
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return bytes([0xFF if value < 0 else 0x80]) + value.to_bytes(width - 1, "big", signed=True)


def entry(
    name: bytes | str,
    data: bytes = b"",
    *,
    type: bytes = b"0",  # noqa: A002
    mode: int | bytes = 0o644,
    uid: int | bytes = 0,
    gid: int | bytes = 0,
    mtime: int | bytes = 0,
    link: bytes | str = b"",
    size: int | bytes | None = None,
    magic: str | bytes = "ustar",
    prefix: bytes | str = b"",
    uname: bytes | str = b"",
    gname: bytes | str = b"",
    devmajor: int | bytes = 0,
    devminor: int | bytes = 0,
    checksum: int | bytes | None = None,
) -> bytes:
    """Return header, data and padding of one entry.

    `size` and `checksum` override what would be right. Number fields take bytes for what no number is. `prefix` may run to
    the end of the header (167 bytes), which is where GNU tar keeps other things.
    """
    name, link, prefix = raw(name), raw(link), raw(prefix)
    if len(name) > 100 or len(link) > 100 or len(prefix) > 167:
        raise ValueError(f"does not fit a header, use pax() or gnu_long(): {name!r} {link!r} {prefix!r}")
    header = struct.pack(
        "100s8s8s8s12s12s8s1s100s8s32s32s8s8s167s",
        name,
        number(mode, 8),
        number(uid, 8),
        number(gid, 8),
        number(len(data) if size is None else size, 12),
        number(mtime, 12),
        b" " * 8,
        type,
        link,
        MAGIC[magic] if isinstance(magic, str) else magic,
        raw(uname),
        raw(gname),
        number(devmajor, 8) if magic != "v7" else b"",
        number(devminor, 8) if magic != "v7" else b"",
        prefix,
    )
    total = sum(header) if checksum is None else checksum
    stamp = total if isinstance(total, bytes) else b"%06o\0 " % total
    return header[:148] + stamp.ljust(8, b"\0") + header[156:] + padded(data)


def record(key: bytes | str, value: bytes | str | int) -> bytes:
    """Return one PAX record, its length in front of it."""
    rest = b" " + raw(key) + b"=" + raw(str(value) if isinstance(value, int) else value) + b"\n"
    length = len(rest) + 1
    while length != len(str(length)) + len(rest):
        length = len(str(length)) + len(rest)
    return raw(str(length)) + rest


def pax(records: Mapping[str, Any] | Iterable[tuple[str, Any]], type: bytes = b"x", **header: Any) -> bytes:  # noqa: A002
    """Return a PAX extension header; pairs instead of a dict allow one key twice."""
    pairs = records.items() if isinstance(records, Mapping) else records
    return entry(header.pop("name", "PaxHeaders.0/x"), b"".join(record(*pair) for pair in pairs), type=type, **header)


def gnu_long(name: bytes | str, type: bytes = b"L", **header: Any) -> bytes:  # noqa: A002
    """Return GNU tar's extension header for a long name (L) or a long link target (K)."""
    return entry("././@LongLink", raw(name) + b"\0", type=type, magic="gnu", mode=0, **header)


Fragments = Sequence[tuple[int, bytes]]


def ended(fragments: Fragments, size: int) -> Fragments:
    """Mark a hole at the end by an empty fragment, as GNU tar does and wants."""
    at, data = fragments[-1] if fragments else (0, b"")
    return fragments if at + len(data) == size else [*fragments, (size, b"")]


def sparse_gnu(name: bytes | str, fragments: Fragments, size: int, **header: Any) -> bytes:
    """Return a sparse file as old GNU tar writes it (type S); more than four fragments need extended headers."""

    def table(rows: Fragments, room: int) -> bytes:
        return b"".join(number(at, 12) + number(len(data), 12) for at, data in rows).ljust(room * 24, b"\0")

    fragments, extensions = ended(fragments, size), b""
    for start in range(4, len(fragments), 21):
        rest = fragments[start + 21 :]
        extensions += table(fragments[start : start + 21], 21) + (b"\1" if rest else b"\0") + bytes(7)
    tail = bytes(41) + table(fragments[:4], 4) + (b"\1" if extensions else b"\0") + number(size, 12)
    stored = b"".join(data for _, data in fragments)
    head = entry(name, type=b"S", magic="gnu", prefix=tail, size=len(stored), **header)
    return head + extensions + padded(stored)


def sparse_pax(name: bytes | str, fragments: Fragments, size: int, version: str = "1.0", **header: Any) -> bytes:
    """Return a sparse file as PAX headers describe it, in version 0.0, 0.1 or 1.0."""
    fragments = ended(fragments, size)
    stored = b"".join(data for _, data in fragments)
    count, about = len(fragments), []
    if version == "1.0":
        about += [("major", 1), ("minor", 0), ("name", name), ("realsize", size)]
        numbers = [count, *(n for at, data in fragments for n in (at, len(data)))]
        stored = padded(b"".join(b"%d\n" % n for n in numbers)) + stored
    elif version == "0.1":
        rows = ",".join(f"{at},{len(data)}" for at, data in fragments)
        about += [("name", name), ("size", size), ("numblocks", count), ("map", rows)]
    else:
        about += [("size", size), ("numblocks", count)]
        about += [pair for at, data in fragments for pair in (("offset", at), ("numbytes", len(data)))]
    shown = name if version == "0.0" else b"GNUSparseFile.0/" + raw(name)[-80:]
    return pax([(f"GNU.sparse.{key}", value) for key, value in about]) + entry(shown, stored, **header)


def marked(folder: bytes | str, mark: bytes) -> bytes:
    """Return the path of a mark in a folder; the root is the empty path."""
    return raw(folder).rstrip(b"/") + b"/" + mark if raw(folder) else mark


def whiteout(path: bytes | str, **header: Any) -> bytes:
    """Return the entry that deletes a path of the layers below."""
    folder, _, name = raw(path).rpartition(b"/")
    return entry(marked(folder, b".wh." + name), **header)


def opaque(folder: bytes | str, **header: Any) -> bytes:
    """Return the entry that hides what the layers below have in a folder."""
    return entry(marked(folder, b".wh..wh..opq"), **header)


# --- tar: many entries ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """What stands at a path: made by `File`, `Dir`, `Symlink`, `Hardlink`, `Device`."""

    type: bytes
    data: bytes = b""
    link: bytes | str = b""
    header: Mapping[str, Any] = field(default_factory=dict)
    pax: Mapping[str, Any] = field(default_factory=dict)


def File(data: bytes | str = b"", pax: Mapping[str, Any] | None = None, **header: Any) -> Node:
    return Node(b"0", raw(data), b"", header, pax or {})


def Dir(pax: Mapping[str, Any] | None = None, **header: Any) -> Node:
    return Node(b"5", b"", b"", {"mode": 0o755} | header, pax or {})


def Symlink(target: bytes | str, **header: Any) -> Node:
    return Node(b"2", b"", target, {"mode": 0o777} | header)


def Hardlink(target: bytes | str, **header: Any) -> Node:
    return Node(b"1", b"", target, header)


def Device(major: int, minor: int, type: bytes = b"3", **header: Any) -> Node:  # noqa: A002
    return Node(type, b"", b"", {"devmajor": major, "devminor": minor} | header)


Tree = Mapping[str, bytes | str | Node]


def files(tree: Tree, *, parents: bool = False, **header: Any) -> bytes:
    """Return the entries of a whole tree, in the order of the dict; `parents` puts the folders above in front of each.

    Names too long for a header go into a PAX header, as docker writes them. `header` holds for every entry that says nothing
    else.
    """
    rows: dict[str, bytes | str | Node] = {}
    for path, value in tree.items():
        above = path.strip("/").split("/")[:-1]
        for depth in range(1, len(above) + 1) if parents else ():
            folder = "/".join(above[:depth])
            rows |= {folder: Dir()} if folder not in rows and folder not in tree and folder + "/" not in tree else {}
        rows[path] = value
    parts = []
    for path, value in rows.items():
        node = value if isinstance(value, Node) else File(value)
        name = raw(path) + (b"/" if node.type == b"5" and not path.endswith("/") else b"")
        more = dict(node.pax)
        more |= {"path": name} if len(name) > 100 else {}
        more |= {"linkpath": node.link} if len(raw(node.link)) > 100 else {}
        parts.append(pax(more) if more else b"")
        about = {**header, **node.header}
        parts.append(entry(name[:100], node.data, type=node.type, link=raw(node.link)[:100], **about))
    return b"".join(parts)


def tar(*entries: bytes, end: int = 2, pad: int = 1) -> bytes:
    """Join entries to a tar with `end` zero blocks at its end, filled up to a multiple of `pad` (GNU tar: 10240)."""
    return padded(b"".join(entries) + bytes(BLOCK * end), pad)


def layer(tree: Tree, **options: Any) -> bytes:
    """Return a whole, healthy layer."""
    return tar(files(tree, **options))


# --- compression ------------------------------------------------------------------------------------------------------


def parts_of(data: bytes, count: int) -> list[bytes]:
    """Cut data into `count` pieces."""
    step = max(1, -(-len(data) // count))
    return [data[at : at + step] for at in range(0, max(1, len(data)), step)]


def gz(data: bytes, members: int = 1) -> bytes:
    """Compress with gzip, as one member or as several."""
    return b"".join(gzip.compress(part, 6, mtime=0) for part in parts_of(data, members))


def zst(data: bytes, frames: int = 1, skippable: bytes | None = None, level: int = 3) -> bytes:
    """Compress with zstandard, as one frame or as several; `skippable` is the content of a skippable frame in front."""
    skip = b"" if skippable is None else struct.pack("<II", 0x184D2A50, len(skippable)) + skippable
    return skip + b"".join(zstandard.ZstdCompressor(level).compress(part) for part in parts_of(data, frames))


def xz(data: bytes) -> bytes:
    """Compress with xz."""
    return lzma.compress(data)


Codec = str | Callable[[bytes], bytes]
CODECS: dict[str, Callable[[bytes], bytes]] = {"none": bytes, "gzip": gz, "zstd": zst, "bzip2": bz2.compress, "xz": xz}
MAGICS = {
    b"\x1f\x8b": "+gzip",
    b"\x28\xb5\x2f\xfd": "+zstd",
    b"\x50\x2a\x4d\x18": "+zstd",
    b"BZh": "+bzip2",
    b"\xfd7zXZ": "+xz",
}


def compress(data: bytes, codec: Codec) -> bytes:
    """Compress with a codec by name, or with any function."""
    return CODECS[codec](data) if isinstance(codec, str) else codec(data)


# --- documents --------------------------------------------------------------------------------------------------------


def dumps(document: Any) -> bytes:
    """Write JSON, compact and in the order given."""
    return json.dumps(document, separators=(",", ":")).encode()


def sha(data: bytes) -> str:
    """Return the SHA-256 as hex."""
    return hashlib.sha256(data).hexdigest()


def digest(data: bytes) -> str:
    """Return the SHA-256 as the specification writes it."""
    return f"sha256:{sha(data)}"


def config(
    layers: Sequence[bytes],
    history: Sequence[str | dict[str, Any]] | None = (),
    *,
    platform: str = "linux/amd64",
    **more: Any,
) -> bytes:
    """Return an image config.

    A history row is a text (`#` in front: it made no layer) or a dict; an empty history gets a row a layer, None leaves it
    out. Keys of `more` with a capital (Env, Cmd, User, Labels) belong to the run configuration, the others to the document.
    """
    if history is not None and not history:
        history = [f"RUN step {number}" for number in range(len(layers))]
    system, architecture, *variant = platform.split("/")
    document: dict[str, Any] = {"created": DATE, "architecture": architecture, "os": system}
    document |= {"variant": variant[0]} if variant else {}
    document["config"] = {key: value for key, value in more.items() if key[0].isupper()}
    document["rootfs"] = {"type": "layers", "diff_ids": [digest(data) for data in layers]}
    if history is not None:
        document["history"] = [row if isinstance(row, dict) else history_row(row) for row in history]
    return dumps(document | {key: value for key, value in more.items() if not key[0].isupper()})


def history_row(text: str) -> dict[str, Any]:
    """Return a history row of an instruction; `#` in front says that it made no layer."""
    row: dict[str, Any] = {"created": DATE, "created_by": text.removeprefix("#")}
    return row | {"empty_layer": True} if text.startswith("#") else row


@dataclass(frozen=True)
class Image:
    """An image to write.

    layers       uncompressed tars, base first
    tags         names, "app:1"
    history      see `config`
    codec        compression of all layers, or a list with one a layer; None: what the style is used to
    more         see `config`: {"Env": [...], "platform": "linux/arm64"}
    document     the config's bytes, instead of what the fields above give
    descriptors  {layer number: keys to put into its OCI descriptor}: a media type that lies, urls, a wrong size
    """

    layers: Sequence[bytes]
    tags: Sequence[str] = ("app:latest",)
    history: Sequence[str | dict[str, Any]] | None = ()
    codec: Codec | Sequence[Codec] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    document: bytes | None = None
    descriptors: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def config(self) -> bytes:
        """The config's bytes."""
        return self.document or config(self.layers, self.history, **self.more)

    @property
    def platform(self) -> str:
        """`os/architecture[/variant]`, as the fields say."""
        return str(self.more.get("platform", "linux/amd64"))

    def codecs(self, usual: Codec) -> list[Codec]:
        """Return the compression of each layer."""
        chosen = usual if self.codec is None else self.codec
        return [chosen] * len(self.layers) if isinstance(chosen, str) or callable(chosen) else list(chosen)

    def blobs(self, usual: Codec = "none") -> list[bytes]:
        """Return the layers as they are stored."""
        return [compress(data, codec) for data, codec in zip(self.layers, self.codecs(usual), strict=True)]


Images = Image | Sequence[Image]
Members = dict[str, bytes | Node]


def several(images: Images) -> list[Image]:
    """Return one image or many as a list."""
    return [images] if isinstance(images, Image) else list(images)


# --- docker save ------------------------------------------------------------------------------------------------------


def docker(images: Images, style: str = "docker25") -> Members:
    """Return the members of a docker-archive as a producer writes it; the styles are the keys of `STYLES`."""
    return STYLES[style](several(images))


def docker_save(images: Images, style: str = "docker25", **knobs: Any) -> bytes:
    """Return a docker-archive; see `archive` for the knobs."""
    return archive(docker(images, style), **knobs)


def v1_ids(image: Image) -> list[str]:
    """Return the made-up ids that docker gives to the folders of the legacy layout."""
    ids: list[str] = []
    for data in image.layers:
        ids.append(sha(f"{ids[-1] if ids else ''} {digest(data)}".encode()))
    return ids


def repositories(images: Sequence[Image], tops: Sequence[str]) -> bytes:
    """Return the document that names the top layer of every tag."""
    names: dict[str, dict[str, str]] = {}
    for image, top in zip(images, tops, strict=True):
        for tag in image.tags:
            name, _, version = tag.rpartition(":")
            names.setdefault(name, {})[version] = top
    return dumps(names)


def v1_json(ids: Sequence[str], number: int) -> bytes:
    """Return the `json` of a legacy folder."""
    return dumps({"id": ids[number], **({"parent": ids[number - 1]} if number else {}), "created": DATE})


def manifest_json(rows: Sequence[tuple[Image, str, Sequence[str]]]) -> list[dict[str, Any]]:
    """Return manifest.json from image, name of its config, names of its layers."""
    return [{"Config": name, "RepoTags": list(image.tags) or None, "Layers": list(layers)} for image, name, layers in rows]


def by_name(members: Members) -> Members:
    """Order members as a walk through folders does."""
    return dict(sorted(members.items()))


def legacy(images: Sequence[Image]) -> Members:
    """Docker before 25: a folder a layer; a layer that was stored before is a symlink."""
    members: Members = {}
    stored: dict[bytes, str] = {}
    rows, tops = [], []
    for image in images:
        ids = v1_ids(image)
        for number, (name, data) in enumerate(zip(ids, image.blobs(), strict=True)):
            first = stored.setdefault(data, name)
            members |= {f"{name}/": Dir(), f"{name}/VERSION": b"1.0", f"{name}/json": v1_json(ids, number)}
            members[f"{name}/layer.tar"] = data if first == name else Symlink(f"../{first}/layer.tar")
        members[f"{sha(image.config)}.json"] = image.config
        rows.append((image, f"{sha(image.config)}.json", [f"{name}/layer.tar" for name in ids]))
        tops += ids[-1:] or [""]
    members |= {"manifest.json": dumps(manifest_json(rows)), "repositories": repositories(images, tops)}
    return by_name(members)


def docker25(images: Sequence[Image]) -> Members:
    """Docker 25 to 28: OCI blobs of uncompressed layers, both manifests, LayerSources, unreferenced version-1 JSON."""
    members = oci(images, names="docker25", usual="none")
    manifests, tops = [], []
    for image in images:
        blobs, ids = image.blobs(), v1_ids(image)
        for number in range(len(ids)):
            document = v1_json(ids, number)
            members[blob(document)] = document
        (row,) = manifest_json([(image, blob(image.config), [blob(data) for data in blobs])])
        sources = {
            digest(data): {"mediaType": OCI + "layer.v1.tar", "size": len(data), "digest": digest(data)} for data in blobs
        }
        manifests.append(row | {"LayerSources": sources})
        tops += [sha(data) for data in blobs[-1:]] or [""]
    members |= {"manifest.json": dumps(manifests), "repositories": repositories(images, tops)}
    return by_name(members)


def containerd(images: Sequence[Image]) -> Members:
    """Docker with the containerd store, nerdctl, buildx: compressed blobs first, oci-layout last."""
    members = oci(images, names="docker25")
    rows = [(image, blob(image.config), [blob(data) for data in image.blobs("gzip")]) for image in images]
    return by_name(members | {"manifest.json": dumps(manifest_json(rows))})


def podman(images: Sequence[Image]) -> Members:
    """Podman and skopeo: layers at the root by diff ID, folders with links to them, names in full."""
    layers: Members = {}
    rest: Members = {}
    rows, tops = [], []
    for image in images:
        ids = v1_ids(image)
        full = Image(image.layers, [tag if "/" in tag else f"docker.io/library/{tag}" for tag in image.tags])
        for number, data in enumerate(image.blobs()):
            layers[f"{sha(image.layers[number])}.tar"] = data
            rest[f"{ids[number]}/layer.tar"] = Symlink(f"../{sha(image.layers[number])}.tar")
            rest |= {f"{ids[number]}/VERSION": b"1.0", f"{ids[number]}/json": v1_json(ids, number)}
        rest[f"{sha(image.config)}.json"] = image.config
        rows.append((full, f"{sha(image.config)}.json", [f"{sha(data)}.tar" for data in image.layers]))
        tops += ids[-1:] or [""]
    names = repositories([row[0] for row in rows], tops)
    return layers | rest | {"repositories": names, "manifest.json": dumps(manifest_json(rows))}


def flat(
    config_name: Callable[[bytes], str], layer_name: Callable[[bytes], str], usual: Codec
) -> Callable[[Sequence[Image]], Members]:
    """Return a writer for producers that only name things their own way: layers, config, manifest.json last."""

    def write(images: Sequence[Image]) -> Members:
        members: Members = {}
        rows = []
        for image in images:
            blobs = image.blobs(usual)
            members |= {layer_name(data): data for data in blobs} | {config_name(image.config): image.config}
            rows.append((image, config_name(image.config), [layer_name(data) for data in blobs]))
        return members | {"manifest.json": dumps(manifest_json(rows))}

    return write


STYLES: dict[str, Callable[[Sequence[Image]], Members]] = {
    "legacy": legacy,
    "docker25": docker25,
    "containerd": containerd,
    "podman": podman,
    "kaniko": flat(digest, lambda data: f"{sha(data)}.tar.gz", "gzip"),
    "jib": flat(lambda _: "config.json", lambda data: f"{sha(data)}.tar.gz", "gzip"),
    "bazel": flat(lambda data: f"blobs/sha256/{sha(data)}", lambda data: f"blobs/sha256/{sha(data)}.tar.gz", "gzip"),
    "nix": flat(lambda data: f"{sha(data)}.json", lambda data: f"{sha(data)}/layer.tar", "none"),
}


# --- OCI --------------------------------------------------------------------------------------------------------------

OCI = "application/vnd.oci.image."


def blob(data: bytes) -> str:
    """Return the name under which a layout stores a blob."""
    return f"blobs/sha256/{sha(data)}"


def descriptor(kind: str, data: bytes, **more: Any) -> dict[str, Any]:
    """Return a descriptor of a blob; `kind` is the end of an OCI media type, or a whole one."""
    return {"mediaType": kind if "/" in kind else OCI + kind, "digest": digest(data), "size": len(data)} | more


def naming(tag: str, names: str) -> dict[str, Any]:
    """Return the annotations that name an image: as docker, as skopeo ("ref": the tag only) or as jib ("full")."""
    version, ref = tag.rpartition(":")[2], "org.opencontainers.image.ref.name"
    full = tag if "/" in tag else f"docker.io/library/{tag}"
    styles = {"docker25": {"io.containerd.image.name": full, ref: version}, "ref": {ref: version}, "full": {ref: full}}
    return {"annotations": styles[names]} if names in styles else {}


def oci(
    images: Images,
    *,
    names: str = "ref",
    usual: Codec = "gzip",
    nested: bool = False,
    attest: bool = False,
    absent: Sequence[str] = (),
) -> Members:
    """Return the members of an OCI layout.

    names   how descriptors are named: "docker25", "ref", "full" or "" (not at all)
    nested  index.json names one index, which holds the images as platforms
    attest  every image has an attestation beside it, as BuildKit writes
    absent  platforms ("linux/arm64") that the index names and the layout does not hold
    """
    members: Members = {"blobs/": Dir(), "blobs/sha256/": Dir(), "oci-layout": dumps({"imageLayoutVersion": "1.0.0"})}
    top: list[dict[str, Any]] = []

    def add(data: bytes) -> bytes:
        members[blob(data)] = data
        return data

    def platform(text: str) -> dict[str, Any]:
        return {"platform": dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))}

    def manifest(config: dict[str, Any], layers: list[dict[str, Any]]) -> bytes:
        about = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json"}
        return add(dumps(about | {"config": config, "layers": layers}))

    every = several(images)
    for image in every:
        layers: list[dict[str, Any]] = []
        for number, data in enumerate(image.blobs(usual)):
            suffix = next((suffix for magic, suffix in MAGICS.items() if data.startswith(magic)), "")
            layers.append(descriptor(f"layer.v1.tar{suffix}", add(data)) | dict(image.descriptors.get(number, {})))
        written = manifest(descriptor("config.v1+json", add(image.config)), layers)
        plain = descriptor("manifest.v1+json", written, **(platform(image.platform) if nested or attest else {}))
        named = [naming(tag, names) for tag in image.tags if names and not nested]
        top += [plain | name for name in named or [{}]]
        if attest:
            statement = add(dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": [digest(written)]}))
            about = {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": digest(written),
            }
            layers = [descriptor("application/vnd.in-toto+json", statement)]
            written = manifest(descriptor("config.v1+json", add(config([], None, platform="unknown/unknown"))), layers)
            top.append(descriptor("manifest.v1+json", written, annotations=about, **platform("unknown/unknown")))
    top += [descriptor("manifest.v1+json", f"not here: {text}".encode(), **platform(text)) for text in absent]
    index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json"}
    if nested:
        inner = add(dumps(index | {"manifests": top}))
        top = [descriptor("index.v1+json", inner, **naming(tag, names)) for tag in every[0].tags or [""]]
    return by_name(members | {"index.json": dumps(index | {"manifests": top})})


def oci_archive(images: Images, *, knobs: Mapping[str, Any] | None = None, **options: Any) -> bytes:
    """Return an OCI archive: options of `oci`, and knobs of `archive`."""
    return archive(oci(images, **options), **knobs or {})


def oci_layout(folder: Path, images: Images, **options: Any) -> Path:
    """Write an OCI layout as a folder."""
    return spill(folder, oci(images, **options))


def dir_members(image: Image, usual: Codec = "gzip") -> Members:
    """Return the members of a folder as `skopeo copy dir:` writes it."""
    layout = {name: data for name, data in oci(image, usual=usual).items() if isinstance(data, bytes)}
    blobs = {name.removeprefix("blobs/sha256/"): data for name, data in layout.items() if "sha256" in name}
    top = json.loads(layout["index.json"])["manifests"][0]
    manifest = blobs.pop(top["digest"].removeprefix("sha256:"))
    return {"version": b"Directory Transport Version: 1.1\n", "manifest.json": manifest, **blobs}


def dir_layout(folder: Path, image: Image, usual: Codec = "gzip") -> Path:
    """Write a `dir:` folder."""
    return spill(folder, dir_members(image, usual))


# --- members to bytes, or to a folder ---------------------------------------------------------------------------------


def archive(
    members: Tree,
    *,
    omit: Sequence[str | bytes] = (),
    order: Callable[[list[str]], Iterable[str]] = list,
    again: Sequence[str] = (),
    extra: Tree | None = None,
    prefix: str = "",
    end: int = 2,
    pad: int = 1,
) -> bytes:
    """Return members as an outer tar.

    omit    globs of names to leave out, or the very bytes of a member
    order   reorders the names: `sorted`, `reversed`, a lambda
    again   globs of names to write a second time at the end
    extra   stray members, at the end
    prefix  in front of each name: "./", "/"
    """
    globs = [text for text in omit if isinstance(text, str)]
    kept = [name for name, data in members.items() if data not in omit and not any(fnmatch(name, glob) for glob in globs)]
    names = order(kept)
    rows = [(name, members[name]) for name in names]
    rows += [(name, data) for name, data in rows if any(fnmatch(name, glob) for glob in again)]
    rows += (extra or {}).items()
    return tar(*(files({prefix + name: data}) for name, data in rows), end=end, pad=pad)


def spill(folder: Path, members: Tree) -> Path:
    """Write members below a folder."""
    for name, value in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        node = value if isinstance(value, Node) else File(value)
        if node.type == b"5":
            path.mkdir(exist_ok=True)
        elif node.type == b"2":
            path.symlink_to(raw(node.link).decode())
        else:
            path.write_bytes(node.data)
    return folder
