"""How much will be read of an input that nobody vouches for?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

from layerscope.errors import LayerscopeError
from layerscope.frozen import frozen
from layerscope.model import LayerIndex

MIB = 1 << 20
GIB = 1 << 30
SHORT_NAME = 100


@frozen
class Limits:
    """Caps on everything; each is raised by `--limit NAME=VALUE`.

    entries             entries of all layers of one archive, and of the archive itself
    layers              layers of one image
    manifests           manifests and indexes followed in one archive
    json_bytes          one JSON document (config, manifest, index)
    json_depth          nesting of one JSON document
    nesting             index inside index
    special_bytes       one PAX or GNU extension header (Go's archive/tar: 1 MiB)
    extension_bytes     all PAX and GNU extension headers of one archive's layers: long names, attributes
    folder_bytes        paths of all folders of one layer that no entry of it names
    sparse_fragments    pieces of data of all sparse files of one archive
    layer_bytes         one layer, decompressed
    archive_bytes       the whole archive, decompressed
    ratio               decompressed bytes for each compressed one, once 64 MiB are out
    window_bytes        memory that a zstd frame may ask for
    kept_file_bytes     one file that is looked into (a package database)
    kept_bytes          all files that are looked into
    document_bytes      all documents of an archive that can be read only once
    file_bytes          one file that `cat` or `export-file` writes
    seconds             one run of the command, which is then given up; whoever calls the library keeps the time
    """

    entries: int = 5_000_000
    layers: int = 1_000
    manifests: int = 10_000
    json_bytes: int = 32 * MIB
    json_depth: int = 100
    nesting: int = 8
    special_bytes: int = MIB
    extension_bytes: int = GIB
    folder_bytes: int = 256 * MIB
    sparse_fragments: int = 1 << 20
    layer_bytes: int = 256 * GIB
    archive_bytes: int = 1024 * GIB
    ratio: int = 1_000
    window_bytes: int = 128 * MIB
    kept_file_bytes: int = 64 * MIB
    kept_bytes: int = 512 * MIB
    document_bytes: int = 256 * MIB
    file_bytes: int = 4 * GIB
    seconds: int = 3600

    def raised(self, values: Mapping[str, int]) -> Limits:
        """Return these limits with some set anew; an unknown name or a value below 1 is a LayerscopeError."""
        known = [field.name for field in fields(self)]
        for name, value in values.items():
            if name not in known:
                raise LayerscopeError(f"no limit is called {name!r}; there are {', '.join(known)}")
            if value < 1:
                raise LayerscopeError(f"limit {name} must be at least 1, not {value}")
        return replace(self, **values)

    def less(self, index: LayerIndex) -> Limits:
        """Return what is left of the limits that hold for all layers together, once one has been read."""
        return replace(self, **{name: max(left - taken, 0) for name, left, taken in self._shared(index)})

    def hold(self, index: LayerIndex) -> bool:
        """Whether what is left of those limits is enough for a layer."""
        return all(taken <= left for _, left, taken in self._shared(index))

    def _shared(self, index: LayerIndex) -> Iterator[tuple[str, int, int]]:
        """Yield the limits that hold for all layers together: name, what is left, what a layer takes."""
        long_names = sum(size for size in map(len, index.paths) if size > SHORT_NAME)
        long_links = sum(len(link) for link in index.links.values() if len(link) > SHORT_NAME)
        attributes = sum(len(name) + len(value) for found in index.xattrs.values() for name, value in found)
        yield "entries", self.entries, len(index)
        yield "extension_bytes", self.extension_bytes, long_names + long_links + attributes
        yield "sparse_fragments", self.sparse_fragments, sum(map(len, index.sparse.values()))
        yield "kept_bytes", self.kept_bytes, sum(map(len, index.kept.values()))
