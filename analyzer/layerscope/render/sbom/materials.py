"""What does a bill of materials say of each package, whatever its format?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

from layerscope.frozen import frozen
from layerscope.model import Image
from layerscope.packages.requirements import edges
from layerscope.packages.shares import Ownership, PackageShare
from layerscope.render.escape import unicode


@frozen
class Material:
    """One package; `needs` are positions in the list of all."""

    share: PackageShare
    facts: tuple[tuple[str, str], ...]
    needs: tuple[int, ...]


def list_materials(image: Image, ownership: Ownership) -> list[Material]:
    """Return the packages that a container sees, in the order of the report."""
    shares = [share for share in ownership.packages if share.removed_in is None]
    needs = edges({number: share.package for number, share in enumerate(shares)})
    return [Material(share, _facts(image, share), needs[number]) for number, share in enumerate(shares)]


def name_image(image: Image) -> tuple[str, str | None]:
    """Return the name of an image and what identifies it: the digest of its config."""
    return unicode(image.names[0] if image.names else image.config_digest or "image"), image.config_digest


def identify(image: Image, materials: Sequence[Material]) -> UUID:
    """Return an identifier that is the same for the same packages of the same image."""
    told = [image.config_digest or "", *(material.share.package.purl for material in materials)]
    return uuid5(NAMESPACE_URL, "\n".join(map(unicode, told)))


def _facts(image: Image, share: PackageShare) -> tuple[tuple[str, str], ...]:
    package = share.package
    place = package.location or package.origin
    facts = [
        ("path", "/" + unicode(place.decode("utf-8", "replace"))),
        ("bytes", str(share.bytes)),
        ("hidden_bytes", str(share.hidden_bytes)),
        ("files", str(share.files)),
    ]
    if share.layer is not None:
        layer = image.layers[share.layer]
        facts += [("layer", str(share.layer)), ("layer_diff_id", layer.diff_id or ""), ("layer_digest", layer.digest or "")]
    if share.parent is not None:
        facts.append(("parent", share.parent.purl))
    facts += [("reason", package.reason or ""), ("evidence", package.evidence or ""), ("source", package.source or "")]
    return tuple((key, unicode(value)) for key, value in facts if value)
