"""Which images does a container promise? What the readers of its layouts (docker, OCI, `dir:`, registry) agree to return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from layerscope.archive.container.base import Member
from layerscope.errors import ArchiveError
from layerscope.frozen import frozen


@frozen
class LayerRef:
    """A layer that a manifest lists: where it should be, and what is claimed of it."""

    name: str
    member: Member | None
    digest: str | None = None
    diff_id: str | None = None
    media_type: str | None = None
    size: int | None = None
    urls: tuple[str, ...] = ()

    @property
    def foreign(self) -> bool:
        """Whether the layer may be absent without a defect (A37)."""
        return bool(self.urls) or "nondistributable" in (self.media_type or "") or ".foreign." in (self.media_type or "")


@frozen
class Candidate:
    """An image that the container promises.

    layout       "docker", "oci", "dir", "registry" or "rootfs"
    config       its member, None if it is absent; `config_name` is what it is called where it is missed
    platform     as a descriptor tells it, else None
    documents    idents of the members that describe it
    """

    layout: str
    names: tuple[str, ...]
    config: Member | None
    config_name: str
    config_digest: str | None
    manifest_digest: str | None
    layers: tuple[LayerRef, ...]
    platform: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    documents: frozenset[int] = frozenset()
    inline_config: bytes | None = None

    @property
    def present(self) -> bool:
        """Whether the container holds the config, or at least one layer."""
        return self.config is not None or self.inline_config is not None or any(layer.member for layer in self.layers)


@frozen
class Found:
    """All images of a container, the members that describe the whole of it, and why what else it lists is no image."""

    candidates: tuple[Candidate, ...]
    documents: frozenset[int] = frozenset()
    refusals: tuple[ArchiveError, ...] = ()
