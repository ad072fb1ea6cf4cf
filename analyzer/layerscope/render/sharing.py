"""What do images share, side by side, in each format?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from layerscope.analysis.sharing import SharedBlob, Sharing
from layerscope.render.document import SCHEMA_VERSION, clean, write_json
from layerscope.render.escape import cell, defuse, one_line, prose
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object
from layerscope.render.words import fit, fit_path, left, right, say_bandwidth, say_duration, say_size

_LINE = 3_000_000
"""A 3G phone, in bits per second."""
_MARK = "#"
_COLUMNS = 20


def sharing_text(sharing: Sharing, options: Options) -> str:
    """Return the images with their numbers, then every layer with the images that have it."""
    lines = [*_images(sharing, options), "", *_layers(sharing, options), "", *_together(sharing)]
    return "\n".join(defuse(line.rstrip()) for line in lines) + "\n"


def _times(size: int | None, options: Options) -> tuple[str, str]:
    if size is None:
        return "?", "?"
    slow, quick = (say_duration(8 * size / rate) for rate in (_LINE, options.bandwidth))
    return _brief(slow), _brief(quick)


def _brief(time: str) -> str:
    return time.removeprefix("about ").replace("less than ", "<")


def _images(sharing: Sharing, options: Options) -> list[str]:
    room = options.columns - 4 - 4 * 9 - 2 * 8
    fast = say_bandwidth(options.bandwidth).replace("bit/s", "").replace(" ", "")
    head = f"    {left('IMAGES', room)}{'size':>9}{'own':>9}{'pull':>9}{'packages':>9}{'3G':>8}{fast:>8}"
    lines = [options.paint(head, "title")]
    for number, name in enumerate(sharing.names):
        packages = f"{sharing.counts[number][0]:,}" if sharing.counts else ""
        slow, quick = _times(sharing.pull[number], options)
        sizes = "".join(right(say_size(size), 9) for size in (sharing.disk[number], sharing.own[number], sharing.pull[number]))
        shown = left(fit_path(one_line(name), room - 1), room)
        lines.append(f"{number + 1:>3} {shown}{sizes}{right(packages, 9)}{right(slow, 8)}{right(quick, 8)}")
    return lines


def _layers(sharing: Sharing, options: Options) -> list[str]:
    columns = min(len(sharing.names), _COLUMNS)
    room = options.columns - 3 * columns - 12
    head = "".join(f"{number + 1:>3}" for number in range(columns))
    lines = [options.paint(f"{head}{'size':>10}  LAYERS", "title")]
    shown = sharing.blobs[: options.rows(40)]
    for blob in shown:
        marks = "".join(f"{'' if place is None else _MARK:>3}" for place in blob.places[:columns])
        lines.append(f"{marks}{right(say_size(blob.disk), 10)}  {fit(one_line(blob.instruction), room)}")
    if rest := sharing.blobs[len(shown) :]:
        lines.append(f"{'':>{3 * columns}}{say_size(sum(blob.disk for blob in rest)):>10}  ... and {len(rest):,} more")
    return lines


def _together(sharing: Sharing) -> list[str]:
    disk, pull = say_size(sharing.together_disk), say_size(sharing.together_pull)
    alone = say_size(sum(sharing.disk))
    lines = [
        f"together {disk} on disk, {pull} to pull; {alone} if nothing were shared",
        f"shared by two or more: {say_size(sharing.shared_bytes)}",
    ]
    if repeats := sharing.repeats.bytes:
        lines.append(f"the same files in layers of their own: {say_size(repeats)}, which common layers would save")
        if len(sharing.names) > 2:
            lines.append(f"of that, files that all {len(sharing.names)} have: {say_size(sharing.repeats.by_all)}")
    return lines


def sharing_markdown(sharing: Sharing, options: Options) -> str:
    """Return the table of the images, and the layers folded away."""
    lines = ["| image | size | own | pull | packages |", "| --- | ---: | ---: | ---: | ---: |"]
    for number, name in enumerate(sharing.names):
        packages = f"{sharing.counts[number][0]:,}" if sharing.counts else ""
        sizes = " | ".join(say_size(size) for size in (sharing.disk[number], sharing.own[number], sharing.pull[number]))
        lines.append(f"| {cell(name)} | {sizes} | {packages} |")
    lines += ["", *map(prose, _together(sharing)), "", "<details><summary>Layers</summary>", ""]
    lines += ["| images | size | instruction |", "| --- | ---: | --- |"]
    for blob in sharing.blobs[: options.rows(100)]:
        who = ", ".join(str(number + 1) for number in blob.images)
        lines.append(f"| {who} | {say_size(blob.disk)} | {cell(fit(one_line(blob.instruction), 100))} |")
    return "\n".join([*lines, "", "</details>"]) + "\n"


def sharing_document(sharing: Sharing) -> Object:
    """Return the images as schema 1 says it."""
    numbers = range(len(sharing.names))
    images: list[Json] = [
        {
            "name": sharing.names[number],
            "content_bytes": sharing.disk[number],
            "pull_bytes": sharing.pull[number],
            "packages": sharing.counts[number][0] if sharing.counts else None,
            "files": sharing.counts[number][1] if sharing.counts else None,
            "reclaimable_fact_bytes": sharing.counts[number][2] if sharing.counts else None,
        }
        for number in numbers
    ]
    return clean(
        {
            "schema_version": SCHEMA_VERSION,
            "images": images,
            "blobs": [_blob(blob) for blob in sharing.blobs],
            "shared_bytes": sharing.shared_bytes,
            "own_bytes": list(sharing.own),
            "pairs": [
                {"images": [a, b], "shared_bytes": sharing.pair(a, b), "repeated_bytes": sharing.repeats.pairs.get((a, b), 0)}
                for a, b in combinations(numbers, 2)
            ],
            "repeated_bytes": sharing.repeats.bytes,
            "repeated_by_all_bytes": sharing.repeats.by_all,
            "together": {"stored_bytes": sharing.together_disk, "pull_bytes": sharing.together_pull},
        }
    )


def _blob(blob: SharedBlob) -> Json:
    return {
        "digest": blob.key,
        "bytes": blob.disk,
        "pull_bytes": blob.pull,
        "instruction": blob.instruction,
        "images": list(blob.images),
        "layers": list(blob.places),
    }


def sharing_json(sharing: Sharing, _options: Options) -> str:
    """Return the document as text."""
    return write_json(sharing_document(sharing))


SHARING_FORMATS: dict[str, Callable[[Sharing, Options], str]] = {
    "text": sharing_text,
    "json": sharing_json,
    "markdown": sharing_markdown,
}
