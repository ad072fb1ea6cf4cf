"""Which packages are there, in each format?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from layerscope.model import Image, Release
from layerscope.packages.inventory import Group, Inventory
from layerscope.packages.shares import OwnerShare, PackageShare
from layerscope.render import rows
from layerscope.render.document import SCHEMA_VERSION, clean, image_object, write_json
from layerscope.render.escape import cell, defuse, one_line
from layerscope.render.options import Options
from layerscope.render.rows import Object
from layerscope.render.tables import write_csv
from layerscope.render.text.packages import say_reason
from layerscope.render.words import fit, fit_path, left, right, say_count, say_size, width_of

_MEASURE = 50
_WHY, _NAME = 20, 24
"""What the reason and the name get where there is not enough for both."""

Line = Sequence[str]
"""Name, type, size, hidden, pull, retained, layer, reason."""

_HEAD_OF_MARKDOWN: Line = ("package", "type", "size", "hidden", "pull", "frees", "layer", "why")
_RULE: Line = ("---", "---", "---:", "---:", "---:", "---:", "---:", "---")
_HEAD: Line = ("PACKAGES", "type", "size", "hidden", "pull", "frees", "layer", "why")


def inventory_text(_image: Image, inventory: Inventory, _release: Release | None, options: Options) -> str:
    """Return a row a package or group, what no package owns by class, and the sum."""
    priced = _is_priced(inventory)
    lines = list(_lines(inventory, options.rows(_MEASURE)))
    type_ = 1 + max(map(width_of, (_HEAD[1], *(line[1] for line in lines))))
    room = options.columns - type_ - 3 * 8 - (9 if priced else 0) - 6 - 2
    name = min(1 + max(width_of(line[0]) for line in lines), max(room - _WHY, _NAME))
    why = min(max(width_of(line[-1]) for line in (_HEAD, *lines)), max(room - name, 0))
    name = room - why

    def write(line: Line) -> str:
        title, kind, size, hidden, pull, frees, layer, reason = line
        cells = (right(size, 8), right(hidden, 8), right(pull, 9) if priced else "", right(frees, 8), right(layer, 6))
        return f"{left(_cut(title, name - 1), name)}{left(kind, type_)}{''.join(cells)}  {fit(reason, why)}"

    lines = list(_lines(inventory, options.rows(_MEASURE), why))
    return "\n".join(defuse(line.rstrip()) for line in (options.paint(write(_HEAD), "title"), *map(write, lines))) + "\n"


def inventory_markdown(_image: Image, inventory: Inventory, _release: Release | None, options: Options) -> str:
    """Return the same as a table."""
    priced = _is_priced(inventory)
    lines: list[Line] = [_HEAD_OF_MARKDOWN, _RULE]
    lines += ([cell(field.strip()) for field in line] for line in _lines(inventory, options.rows(_MEASURE)))
    return "".join(f"| {' | '.join(line if priced else (*line[:4], *line[5:]))} |\n" for line in lines)


def inventory_json(image: Image, inventory: Inventory, release: Release | None, options: Options) -> str:
    """Return the packages' document as text; all rows unless the options say how many."""
    return write_json(inventory_document(image, inventory, release, options.top))


def inventory_document(image: Image, inventory: Inventory, release: Release | None, top: int | None = None) -> Object:
    """Return the packages as schema 1 says it; `groups` are there if they were asked for, `owners` are always the image's."""
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "image": image_object(image, release),
        "packages": [rows.package_row(share) for share in inventory.packages[:top]],
        "groups": [rows.group_row(group) for group in inventory.groups[:top]],
        "owners": [rows.owner_row(share) for share in inventory.owners],
    }
    return clean(document)


def inventory_csv(_image: Image, inventory: Inventory, _release: Release | None, options: Options) -> str:
    """Return the packages or groups; all of them unless the options say how many."""
    if inventory.selection.group:
        head = ("name", "packages", "bytes", "live_bytes", "hidden_bytes", "files")
        groups = inventory.groups[: options.top]
        return write_csv(
            [head, *((one.name, one.packages, one.bytes, one.live_bytes, one.hidden_bytes, one.files) for one in groups)]
        )
    if inventory.selection.unowned:
        shares = inventory.unowned[: options.top]
        return write_csv(
            [
                ("class", "bytes", "live_bytes", "hidden_bytes", "files"),
                *((one.class_, one.bytes, one.live_bytes, one.hidden_bytes, one.files) for one in shares),
            ]
        )
    columns = (
        "type", "name", "version", "arch", "bytes", "live_bytes", "hidden_bytes", "retained_bytes", "files", "layer",
        "removed_in", "reason", "evidence", "required_by", "recommended_by", "source", "license", "purl", "pull_estimate_bytes",
    )  # fmt: skip
    return write_csv([columns, *map(_record, inventory.packages[: options.top])])


def _record(share: PackageShare) -> Sequence[str | int | None]:
    package = share.package
    return (
        package.type, package.name, package.version, package.arch, share.bytes, share.live_bytes, share.hidden_bytes,
        share.retained_bytes, share.files, share.layer, share.removed_in, package.reason, package.evidence,
        " ".join(share.required_by), " ".join(share.recommended_by), package.source, package.license, package.purl,
        share.pull_bytes,
    )  # fmt: skip


def _is_priced(inventory: Inventory) -> bool:
    return any(owner.pull_bytes is not None for owner in inventory.owners)


def _lines(inventory: Inventory, measure: int, why: int | None = None) -> Iterator[Line]:
    """Yield the rows of a table for people, the sums last; reasons in so many columns if they can be said in them."""
    packages, groups = inventory.packages, inventory.groups
    if inventory.selection.group:
        for group in groups[:measure]:
            yield (f" {one_line(group.name)}", say_count(group.packages, "pkg"), *_sizes([group]), "", "", "")
        if rest := groups[measure:]:
            yield (f" ... and {len(rest):,} more", "", *_sizes(rest), "", "", "")
    else:
        for share in packages[:measure]:
            yield _package(share, why)
        if left_out := packages[measure:]:
            yield (f" ... and {len(left_out):,} more", "", *_sizes(left_out), "", "", "")
    if not packages and not inventory.selection.unowned:
        yield (" no package", "", "", "", "", "", "", "")
    if inventory.unowned:
        yield (" in no package", "", *_sizes(inventory.unowned), "", "", "")
        for owner in inventory.unowned:
            yield (f"   {one_line(owner.class_ or 'other')}", "", *_sizes([owner]), "", "", "")
    yield ("", "", "---", "---", "---", "", "", "")
    name = f" all {say_count(len(packages), 'package')}" if packages and not inventory.unowned else " all"
    everything: list[PackageShare | OwnerShare | Group] = [*packages, *inventory.unowned]
    yield (name, "", *_sizes(everything), "", "", "")


def _package(share: PackageShare, width: int | None) -> Line:
    package = share.package
    frees = "" if share.retained_bytes is None else say_size(share.retained_bytes)
    layer = "?" if share.layer is None else str(share.layer)
    name = f" {one_line(package.name)} {one_line(package.version)}".rstrip()
    why = f"in {one_line(share.parent.name)}" if share.parent is not None else say_reason(share, width)
    return (name, one_line(package.type), *_sizes([share]), frees, layer, why)


def _cut(title: str, width: int) -> str:
    """Return a name and version that fit; the version gives way first."""
    name, _, _ = title.lstrip().partition(" ")
    return fit(title, width) if width_of(name) + 6 <= width else " " + fit_path(title.lstrip(), width - 1)


def _sizes(shares: Sequence[PackageShare | OwnerShare | Group]) -> tuple[str, str, str]:
    """Return size, hidden size and pull size of all; the last is a guess, and nothing where nobody asked for it."""
    size, hidden = sum(one.bytes for one in shares), sum(one.hidden_bytes for one in shares)
    pulls = [one.pull_bytes for one in shares if one.pull_bytes is not None]
    return say_size(size), say_size(hidden), f"~{say_size(sum(pulls))}" if pulls else ""


INVENTORY_FORMATS: dict[str, Callable[[Image, Inventory, Release | None, Options], str]] = {
    "text": inventory_text,
    "json": inventory_json,
    "markdown": inventory_markdown,
    "csv": inventory_csv,
}
