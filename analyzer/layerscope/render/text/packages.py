"""Which packages brought how many bytes, in which layer, and why are they here, as a table?"""

from __future__ import annotations

from collections.abc import Iterable

from layerscope.packages.shares import OwnerShare, PackageShare
from layerscope.render.escape import one_line
from layerscope.render.options import Options
from layerscope.render.words import fit, fit_path, left, right, say_size, width_of
from layerscope.report import Report

_MEASURE = 10
_REASONS = {
    "asked": "asked for",
    "dependency": "a dependency",
    "recommended": "only recommended",
    "dev": "for development",
    "base": "part of the base",
    "root": "the application",
}


def package_lines(report: Report, options: Options) -> list[str]:
    """Return the largest packages, what no package owns by class, and the sum of both: the image's content."""
    owners = report.ownership.owners
    if not any(owner.bytes for owner in owners):
        return []
    why = 24 if options.columns >= 76 else 14
    name = options.columns - why - 2 * 9 - 7 - 2

    def row(what: str, size: str, hidden: str, layer: str, reason: str) -> str:
        return f"{left(what, name)}{right(size, 9)}{right(hidden, 9)}{right(layer, 7)}  {fit(reason, why)}"

    lines = [options.paint(row("PACKAGES", "size", "hidden", "layer", "why"), "title")]
    packages = rank_packages(report)
    shown = packages[: options.rows(_MEASURE)]
    lines += (row(f" {_name(share, name - 1)}", *_sizes(share), _layer(share.layer), say_reason(share, why)) for share in shown)
    owned = [owner for owner in owners if owner.owner is not None]
    rest = _sum(owned)[0] - _sum(shown)[0], _sum(owned)[1] - _sum(shown)[1]
    if rest[0]:
        more = len(packages) - len(shown)
        label = f" ... and {more:,} more" if more else " ... other bytes of packages"
        lines.append(row(label, say_size(rest[0]), say_size(rest[1]), "", ""))
    if not packages and not owned:
        lines.append(" no package found")
    unowned = sorted((owner for owner in owners if owner.owner is None and owner.bytes), key=lambda o: -o.bytes)
    if unowned:
        lines.append(row(" in no package", *_say(_sum(unowned)), "", ""))
        lines += (row(f"   {one_line(o.class_ or 'other')}", *_sizes(o), "", _say_places(o)) for o in unowned)
    lines += [row("", "---", "---", "", ""), row(" all", *_say(_sum(owners)), "", "")]
    return lines


def rank_packages(report: Report) -> list[PackageShare]:
    """Return the packages that own bytes, the largest first; the bytes of a child are its parent's."""
    return sorted(
        (share for share in report.ownership.packages if share.bytes and share.parent is None),
        key=lambda share: (-share.bytes, share.package.type, share.package.name, share.package.version),
    )


def say_reason(share: PackageShare, width: int | None = None) -> str:
    """Return why a package is there, or that it is no longer; in fewer words if it gets too wide."""
    phrases = _reasons(share)
    return next((phrase for phrase in phrases if width is None or width_of(phrase) <= width), phrases[-1])


def _reasons(share: PackageShare) -> tuple[str, ...]:
    """Return phrases that say why, the fullest first."""
    if share.removed_in is not None:
        return (f"gone since layer {share.removed_in}",)
    reason = share.package.reason
    for verb, names in (("for", share.required_by), ("recommended by", share.recommended_by)):
        if names and reason not in {"asked", "root", "base"} and (verb == "for" or reason != "dev"):
            name = f"{verb} {one_line(names[0])}"
            short = name if verb == "for" else _REASONS["recommended"]
            return (f"{name} +{len(names) - 1}", short) if len(names) > 1 else (name, short)
    return (_REASONS.get(reason, one_line(reason)) if reason else "",)


def _name(share: PackageShare, width: int) -> str:
    """Return name, version and type; the version gives way first."""
    package = share.package
    kind = f" ({one_line(package.type)})"
    name = one_line(package.name)
    room = max(8, width - width_of(kind))
    if width_of(name) + 5 > room:
        return fit_path(name, room) + kind
    return fit(f"{name} {one_line(package.version)}".rstrip(), room) + kind


def _sizes(share: PackageShare | OwnerShare) -> tuple[str, str]:
    return say_size(share.bytes), say_size(share.hidden_bytes)


def _say(sizes: tuple[int, int]) -> tuple[str, str]:
    return say_size(sizes[0]), say_size(sizes[1])


def _layer(position: int | None) -> str:
    return "?" if position is None else str(position)


def _say_places(owner: OwnerShare) -> str:
    """Return the layers that hold most of an owner's bytes."""
    places = sorted((at for at in owner.by_layer if owner.by_layer[at][0]), key=lambda at: -owner.by_layer[at][0])
    if not places:
        return ""
    named = ", ".join(map(str, sorted(places[:3])))
    more = f" +{len(places) - 3}" if len(places) > 3 else ""
    return f"layer{'s' if len(places) > 1 else ''} {named}{more}"


def _sum(shares: Iterable[PackageShare | OwnerShare]) -> tuple[int, int]:
    sizes = [(share.bytes, share.hidden_bytes) for share in shares]
    return sum(size for size, _ in sizes), sum(hidden for _, hidden in sizes)
