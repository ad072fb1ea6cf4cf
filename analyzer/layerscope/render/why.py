"""Why is a path or a package there, in each format?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from layerscope.analysis.files import FileRow
from layerscope.model import Fate, Image, Kind
from layerscope.packages.shares import PackageShare
from layerscope.packages.why import Chain
from layerscope.questions import Why
from layerscope.render.document import SCHEMA_VERSION, clean, image_object, write_json
from layerscope.render.escape import absolute, decode, defuse, one_line, path_b64, path_text, terminal
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object
from layerscope.render.text.packages import say_reason
from layerscope.render.words import fit, fit_path, say_count, say_size, wrap

_MEASURE = 10


def why_text(image: Image, why: Why, options: Options) -> str:
    """Return a paragraph on the path, if it is one, and a paragraph on its package."""
    width = options.columns
    lines = list(_path_lines(image, why, options)) if why.past is not None else []
    if why.chain is not None:
        lines += ["", *_chain_lines(image, why.chain, options)] if lines else _chain_lines(image, why.chain, options)
    return "\n".join(defuse(fit(line.rstrip(), 4 * width)) for line in lines) + "\n"


def _path_lines(image: Image, why: Why, options: Options) -> Iterator[str]:
    past = why.past
    assert past is not None
    row = past.row
    yield options.paint(terminal(absolute(row.path)), "strong")
    told = f", {say_size(row.bytes)}" if row.kind is Kind.FILE else ""
    if row.kind is Kind.SYMLINK:
        told = f" to {fit_path(terminal(decode(row.link or b'')), options.columns - 40)}"
    yield f"{row.kind.name.lower()}{told}{f', {one_line(why.owner)}' if why.owner else ''}"
    for one in past.rows:
        what = "stored" if one.kind is not Kind.HARDLINK else "linked"
        yield from _at(image, one.layer, f"{what} ({say_size(one.bytes)}, mode {one.mode:04o}, {one.uid}:{one.gid})", options)
        if one.fate is not Fate.LIVE and one.ended_by is not None:
            yield from _at(image, one.ended_by, one.fate.name.lower(), options)
    if past.siblings:
        names = [terminal(absolute(one.path)) for one in past.siblings[: options.rows(_MEASURE)]]
        more = len(past.siblings) - len(names)
        yield f"the same file as {', '.join(names)}{f' and {more} more' if more else ''}"


def _chain_lines(image: Image, chain: Chain, options: Options) -> list[str]:
    share = chain.share
    package = share.package
    title = f"{one_line(package.name)} {one_line(package.version)}".rstrip()
    lines = [f"{options.paint(title, 'strong')} ({one_line(package.type)})"]
    if share.layer is not None:
        lines += _at(image, share.layer, "installed", options)
    if share.removed_in is not None:
        lines += _at(image, share.removed_in, "removed or superseded", options)
    if share.parent is not None:
        lines.append(f"part of {one_line(share.parent.name)}, which owns its files")
    first = chain.links[0] if chain.links else share
    way = one_line(first.package.name)
    for before, link in pairwise(chain.links):
        way += f" {'->' if before.package.name in link.required_by else 'recommends'} {one_line(link.package.name)}"
    if share.removed_in is None:
        lines += wrap(f"because of {way}", options.columns, "  ")
        lines += wrap(f"{one_line(first.package.name)}: {_say_evidence(first)}", options.columns, "    ", "  ")
        if first is not share and share.package.evidence:
            lines += wrap(f"{one_line(package.name)}: {_say_evidence(share)}", options.columns, "    ", "  ")
    hidden = f", {say_size(share.hidden_bytes)} of them hidden" if share.hidden_bytes else ""
    lines.append(f"{say_size(share.bytes)} in {say_count(share.files, 'file')}{hidden}")
    if share.retained_bytes is not None:
        others = chain.leaving[1:]
        named = sorted(others, key=lambda other: -other.bytes)[: options.rows(_MEASURE)]
        names = ", ".join(f"{one_line(other.package.name)} {say_size(other.bytes)}" for other in named)
        more = f" and {len(others) - len(named)} more" if len(others) > len(named) else ""
        what = f"with {names}{more}, which nothing else needs" if others else "nothing goes with it"
        lines += wrap(f"without it {say_size(share.retained_bytes)} leave: {what}", options.columns, "  ")
    copies = [one for one in chain.versions if one is not share]
    if copies:
        places = [f"{one_line(one.package.version)} (layer {one.layer})" for one in copies[: options.rows(_MEASURE)]]
        more = f" and {len(copies) - len(places)} more" if len(copies) > len(places) else ""
        lines += wrap(f"also there, or there before: {', '.join(places)}{more}", options.columns, "  ")
    return lines


def _say_evidence(share: PackageShare) -> str:
    reason = say_reason(share) if share.package.reason else "nothing requires it, and nothing tells who asked for it"
    if share.package.reason == "dependency":
        reason = "a dependency"
    evidence = share.package.evidence
    return f"{reason} ({one_line(evidence)})" if evidence else reason


def _at(image: Image, position: int, what: str, options: Options) -> list[str]:
    instruction = one_line(image.layers[position].instruction)
    return [fit(f"  layer {position}  {what}  {instruction}", options.columns)]


def why_json(image: Image, why: Why, _options: Options) -> str:
    """Return the document as text."""
    return write_json(why_document(image, why))


def why_document(image: Image, why: Why) -> Object:
    """Return the answer as schema 1 says it; `chain` runs from what was asked for to the package."""
    past, chain = why.past, why.chain
    state = "live"
    if past is not None:
        state = past.row.fate.name.lower()
    elif chain is not None and chain.share.removed_in is not None:
        state = "removed"
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "image": image_object(image, why.release),
        "subject": why.subject,
        "kind": "path" if past is not None else "package",
        "layer": why.layer,
        "instruction": _instruction(image, why.layer),
        "owner": why.owner,
        "state": state,
        "chain": [_link(image, link) for link in chain.links] if chain is not None else [],
        "history": list(_path_events(image, why) if past is not None else _package_events(image, why)),
        "siblings": [
            {"path": path_text(one.path), "path_b64": path_b64(one.path), "layer": one.layer}
            for one in (past.siblings if past is not None else ())
        ],
        "leaving": [_link(image, one) for one in chain.leaving] if chain is not None else [],
        "retained_bytes": chain.share.retained_bytes if chain is not None else None,
    }
    return clean(document)


def _link(image: Image, share: PackageShare) -> Json:
    package = share.package
    return {
        "type": package.type,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "layer": share.layer,
        "instruction": _instruction(image, share.layer),
        "reason": package.reason,
        "evidence": package.evidence,
        "bytes": share.bytes,
    }


def _event(image: Image, layer: int | None, event: str, **more: Json) -> Object:
    keys = ("kind", "bytes", "mode", "uid", "gid", "owner", "link", "version")
    told: Object = {"layer": layer, "instruction": _instruction(image, layer), "event": event}
    return {**told, **{key: more.get(key) for key in keys}}


def _path_events(image: Image, why: Why) -> Iterator[Json]:
    for row in why.past.rows if why.past is not None else ():
        yield _event(image, row.layer, "added", **_facts(row))
        if row.fate is not Fate.LIVE:
            yield _event(image, row.ended_by, row.fate.name.lower())


def _facts(row: FileRow) -> Object:
    return {
        "kind": row.kind.name.lower(),
        "bytes": row.bytes,
        "mode": f"{row.mode:04o}",
        "uid": row.uid,
        "gid": row.gid,
        "owner": row.owner,
        "link": None if row.link is None else decode(row.link),
    }


def _package_events(image: Image, why: Why) -> Iterator[Json]:
    for share in why.chain.versions if why.chain is not None else ():
        version = share.package.version
        yield _event(image, share.layer, "installed", bytes=share.bytes, version=version)
        if share.removed_in is not None:
            yield _event(image, share.removed_in, "removed", bytes=share.hidden_bytes, version=version)


def _instruction(image: Image, layer: int | None) -> str | None:
    return None if layer is None else image.layers[layer].instruction


WHY_FORMATS: dict[str, Callable[[Image, Why, Options], str]] = {"text": why_text, "json": why_json}
