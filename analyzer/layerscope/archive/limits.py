"""How much will be read of an input that nobody vouches for?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from layerscope.errors import LayerscopeError

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on everything; each is raised by `--limit NAME=VALUE`.

    entries             rows of one layer, and of the outer archive
    layers              layers of one image
    manifests           manifests and indexes followed in one archive
    json_bytes          one JSON document (B13: config, manifest, index)
    json_depth          nesting of one JSON document
    nesting             index inside index (A44)
    name_bytes          one path (C38: longer ones are kept and told, up to here)
    special_bytes       one PAX or GNU long-name record (Go's archive/tar: 1 MiB)
    sparse_fragments    fragments of one sparse file (Go's archive/tar: 1 Mi)
    layer_bytes         one layer, decompressed
    archive_bytes       the whole archive, decompressed
    ratio               decompressed bytes for each compressed one, once 64 MiB are out
    window_bytes        memory that a zstd frame may ask for
    kept_file_bytes     one file kept for later stages
    kept_bytes          all files kept of one layer
    document_bytes      all small members kept of an archive that can be read only once
    """

    entries: int = 5_000_000
    layers: int = 1_000
    manifests: int = 10_000
    json_bytes: int = 32 * MIB
    json_depth: int = 100
    nesting: int = 8
    name_bytes: int = MIB
    special_bytes: int = MIB
    sparse_fragments: int = 1 << 20
    layer_bytes: int = 256 * GIB
    archive_bytes: int = 1024 * GIB
    ratio: int = 1_000
    window_bytes: int = 128 * MIB
    kept_file_bytes: int = 64 * MIB
    kept_bytes: int = 512 * MIB
    document_bytes: int = 256 * MIB

    def raised(self, values: Mapping[str, int]) -> Limits:
        """Return these limits with some set anew; an unknown name or a value below 1 is a LayerscopeError."""
        known = [field.name for field in fields(self)]
        for name, value in values.items():
            if name not in known:
                raise LayerscopeError(f"no limit is called {name!r}; there are {', '.join(known)}")
            if value < 1:
                raise LayerscopeError(f"limit {name} must be at least 1, not {value}")
        return replace(self, **values)
