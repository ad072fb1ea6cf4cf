"""Which packages are asked for, in which order, and what do they sum to by source or type?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from layerscope.frozen import frozen
from layerscope.packages.shares import OwnerShare, Ownership, PackageShare

REASONS = ("asked", "dependency", "recommended", "dev", "base", "root", "unknown")
SORTS = ("size", "hidden", "retained", "name", "layer")
GROUPS = ("source", "type")


@frozen
class Selection:
    """Which packages are asked for; None lets all pass.

    layer    position of a layer that brought them or holds bytes of theirs
    reason   one of `REASONS`
    unowned  no packages, only what none of them owns
    sort     one of `SORTS`
    group    one of `GROUPS`, None for a row a package
    """

    type: str | None = None
    layer: int | None = None
    reason: str | None = None
    unowned: bool = False
    sort: str = "size"
    group: str | None = None

    @property
    def whole(self) -> bool:
        """Whether every package passes."""
        return self.type is None and self.layer is None and self.reason is None and not self.unowned

    def passes(self, share: PackageShare) -> bool:
        """Whether a package is asked for."""
        return (
            not self.unowned
            and self.type in (None, share.package.type)
            and (self.layer is None or self.layer == share.layer or bool(share.by_layer.get(self.layer)))
            and self.reason in (None, share.package.reason or "unknown")
        )


@frozen
class Group:
    """Packages of one source or type, summed."""

    name: str
    packages: int
    bytes: int
    live_bytes: int
    hidden_bytes: int
    files: int
    pull_bytes: int | None = None


@frozen
class Inventory:
    """The packages that were asked for, ranked; groups if they were asked for; what no package owns; all owners.

    `unowned` is empty where only some of the packages are asked for.
    """

    packages: tuple[PackageShare, ...]
    groups: tuple[Group, ...]
    unowned: tuple[OwnerShare, ...]
    owners: tuple[OwnerShare, ...]
    selection: Selection


def take_inventory(ownership: Ownership, selection: Selection) -> Inventory:
    """Return what is asked for of the packages of an image."""
    chosen = sorted(filter(selection.passes, ownership.packages), key=_ORDERS[selection.sort])
    unowned = (
        [one for one in ownership.owners if one.owner is None and one.bytes] if selection.whole or selection.unowned else []
    )
    groups = _group(chosen, selection.group) if selection.group else ()
    return Inventory(tuple(chosen), tuple(groups), tuple(unowned), ownership.owners, selection)


def _name(share: PackageShare) -> tuple[str, str, str, bytes]:
    package = share.package
    return (package.name, package.type, package.version, package.location)


_ORDERS: dict[str, Callable[[PackageShare], tuple[object, ...]]] = {
    "size": lambda share: (-share.bytes, *_name(share)),
    "hidden": lambda share: (-share.hidden_bytes, -share.bytes, *_name(share)),
    "retained": lambda share: (-(share.retained_bytes or 0), -share.bytes, *_name(share)),
    "name": _name,
    "layer": lambda share: (-1 if share.layer is None else share.layer, -share.bytes, *_name(share)),
}


def _group(shares: Iterable[PackageShare], by: str) -> Sequence[Group]:
    rows: dict[str, list[PackageShare]] = {}
    for share in shares:
        name = share.package.type if by == "type" else share.package.source or share.package.name
        rows.setdefault(name, []).append(share)
    groups = [
        Group(
            name,
            len(found),
            sum(share.bytes for share in found),
            sum(share.live_bytes for share in found),
            sum(share.hidden_bytes for share in found),
            sum(share.files for share in found),
            sum(pulls) if (pulls := [share.pull_bytes for share in found if share.pull_bytes is not None]) else None,
        )
        for name, found in rows.items()
    ]
    return sorted(groups, key=lambda group: (-group.bytes, group.name))
