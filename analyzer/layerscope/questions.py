"""What is asked of one image beside the report? Why something is there, what would be without it, and how it was made."""

from __future__ import annotations

from layerscope.analysis.base import Base, find_base
from layerscope.analysis.books import Books, keep_books
from layerscope.analysis.draft import Step as Draft
from layerscope.analysis.files import list_files
from layerscope.analysis.history import Step, tell_steps
from layerscope.analysis.past import Past, find_past, near_paths
from layerscope.analysis.spots import Spot, find_spot
from layerscope.analysis.whatif import WhatIf, find_rows, imagine
from layerscope.errors import SelectionError, no_such_layer
from layerscope.examination import analyze, name_owner, own_image, stack_image
from layerscope.frozen import frozen
from layerscope.model import Image, Kind, Release
from layerscope.packages.aliases import Aliases
from layerscope.packages.paths import join
from layerscope.packages.shares import Ownership
from layerscope.packages.why import Chain, explain_package, find_package, near_packages
from layerscope.packages.why import find_rows as find_package_rows
from layerscope.report import Report
from layerscope.rootfs.stack import Stack, merge_repeats


@frozen
class Why:
    """Why something is there.

    subject  as it was asked
    past     of a path: what happened to it; None for a package
    chain    of a package, or of the one that owns the path; None where nobody does
    """

    subject: str
    past: Past | None
    chain: Chain | None
    release: Release | None = None

    @property
    def layer(self) -> int | None:
        """Position of the layer that put it there."""
        if self.past is not None:
            return self.past.row.layer
        return self.chain.share.layer if self.chain is not None else None

    @property
    def owner(self) -> str | None:
        """Name of the package that owns it, else the class of the file."""
        if self.past is not None:
            return self.past.row.owner
        return self.chain.share.package.name if self.chain is not None else None


def ask_why(image: Image, subject: str) -> Why:
    """Return why a path (it begins with a slash) or a package is there; SelectionError names what is near."""
    stacked = stack_image(image)
    ownership = own_image(image, stacked)
    if not subject.startswith("/"):
        number = find_package(ownership, subject)
        if number is None:
            hint = "; a path begins with /" if "/" in subject and not subject.startswith("@") else ""
            raise SelectionError(f"no package is called {subject!r}{hint}", near_packages(ownership, subject))
        return Why(subject, None, explain_package(ownership, number), ownership.release)
    files = list_files(image, stacked, lambda row: name_owner(ownership, row), again=True)
    indexes = [image.index_of(layer.position) for layer in image.layers]
    path = join(b"", subject.encode("utf-8", "surrogateescape"))
    folder, _, name = path.rpartition(b"/")
    past = find_past(files, path) or find_past(files, join(Aliases(indexes).folder(folder), name))
    if past is None:
        raise SelectionError(f"no layer holds {subject!r}", near_paths(files, path))
    owner = _owner_number(image, stacked, ownership, past)
    return Why(subject, past, None if owner is None else explain_package(ownership, owner), ownership.release)


def _owner_number(image: Image, stacked: Stack, ownership: Ownership, past: Past) -> int | None:
    """Return the number of the package that owns the row that counts of a path."""
    first = image.layers[past.row.layer].same_as
    index, start = image.index_of(past.row.layer), stacked.starts[past.row.layer if first is None else first]
    rows = [row for row, path in enumerate(index.paths) if path == past.row.path] if index is not None else []
    return next((number for row in reversed(rows) if (number := ownership.column[start + row]) >= 0), None)


def ask_spot(image: Image, subject: str, layer: int | None = None) -> Spot:
    """Return which file of which layer a path means; SelectionError names what is near."""
    stacked = stack_image(image)
    path = join(b"", subject.encode("utf-8", "surrogateescape"))
    found = find_spot(image, stacked, path, layer)
    if found is None:
        files = list_files(image, stacked, lambda _row: None)
        where = "no layer holds" if layer is None else f"layer {layer} does not hold"
        others = sorted({file.layer for file in files if file.path == path and file.kind not in (Kind.WHITEOUT, Kind.OPAQUE)})
        if others:
            at = ", ".join(map(str, others))
            raise SelectionError(f"{where} {subject!r}; these layers do: {at}")
        raise SelectionError(f"{where} {subject!r}", near_paths(files, path))
    return found


@frozen
class Plan:
    """What is to be imagined.

    globs     paths that are left out, with all below them, in all layers
    packages  names of packages that are left out with all that only they need
    causes    ids of causes whose bytes are left out
    squash    positions of the first and the last of the layers that become one
    """

    globs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    squash: tuple[int, int] | None = None


def ask_whatif(image: Image, plan: Plan) -> WhatIf:
    """Return how large an image would be; SelectionError tells of what is not there."""
    stacked, made = stack_image(image), analyze(image)
    if plan.squash is not None and plan.squash[1] >= len(image.layers):
        raise no_such_layer(plan.squash[1], len(image.layers))
    steps = [
        *(Draft(glob, _rows_of_glob(image, stacked, glob)) for glob in plan.globs),
        *(Draft(f"package:{name}", _rows_of_package(made.ownership, name), folders=True) for name in plan.packages),
        *(_step_of_cause(stacked, made, id_) for id_ in plan.causes),
    ]
    return imagine(image, stacked, made.books, steps, plan.squash)


def _rows_of_glob(image: Image, stacked: Stack, glob: str) -> list[int]:
    rows = find_rows(image, stacked, glob)
    if not rows:
        bare = glob.removeprefix("*/")
        near = near_paths(list_files(image, stacked, lambda _row: None), join(b"", bare.encode("utf-8", "surrogateescape")))
        raise SelectionError(f"no layer holds {bare!r}", near)
    return rows


def _rows_of_package(ownership: Ownership, name: str) -> list[int]:
    number = find_package(ownership, name)
    if number is None:
        raise SelectionError(f"no package is called {name!r}", near_packages(ownership, name))
    return find_package_rows(ownership, number)


def _step_of_cause(stacked: Stack, made: Report, id_: str) -> Draft:
    """Return what causes of that id claim, and all hard links to it: what `tar_bytes` counts."""
    causes = [cause for cause in made.causes if cause.id == id_]
    if not causes:
        there = dict.fromkeys(cause.id for cause in made.causes)
        raise SelectionError(f"this image has no cause {id_!r}" + ("; it has" if there else " and no other"), tuple(there))
    claimed = {row for cause in causes for row in cause.rows}
    parts = {row: part for cause in causes for row, part in cause.parts.items()}
    rows = [*claimed, *(link for link, inode in stacked.inodes.items() if inode in claimed)]
    return Draft(f"cause:{id_}", rows, parts=parts)


@frozen
class History:
    """Which instruction made which layer: its steps in order, and what their layers weigh."""

    image: Image
    steps: tuple[Step, ...]
    books: Books
    base: Base


def ask_history(image: Image, *, base_layers: int | None = None, base: Image | None = None) -> History:
    """Return the history of an image beside its layers' numbers; `base_layers` or `base` tell what is the base image's."""
    stacked = stack_image(image)
    fates, _ = merge_repeats(stacked, [layer.same_as for layer in image.layers])
    found = find_base(image, base_layers, base)
    return History(image, tell_steps(image, found), keep_books(image, stacked, fates), found)
