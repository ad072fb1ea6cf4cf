"""How large would the image be, in each format?"""

from __future__ import annotations

from collections.abc import Callable

from layerscope.analysis.draft import Loss
from layerscope.analysis.whatif import LayerChange, Sizes, WhatIf
from layerscope.render.diff import say_change
from layerscope.render.document import SCHEMA_VERSION, clean, image_object, write_json
from layerscope.render.escape import cell, defuse, one_line, prose, terminal
from layerscope.render.options import Options
from layerscope.render.rows import Json, Object
from layerscope.render.words import fit, fit_path, left, right, say_count, say_share, say_size, wrap

CAVEAT = "Reckoned from the books: nothing was rebuilt, and whether the image would still work is for you to know."
_SIZES = {
    "tar_bytes": "layers' tars",
    "content_bytes": "files",
    "live_bytes": "files a container sees",
    "pull_bytes": "to pull (estimate)",
}
_MEASURE = 20


def whatif_text(whatif: WhatIf, options: Options) -> str:
    """Return the sizes now and then, what makes the difference, and the layers that change."""
    image = whatif.image
    name = image.names[0] if image.names else image.source
    sections = (
        [options.paint(fit_path(terminal(name), options.columns), "title")],
        _totals(whatif),
        _losses(whatif, options),
        _layers(whatif, options),
        wrap(CAVEAT, options.columns),
    )
    return "\n\n".join("\n".join(defuse(line.rstrip()) for line in lines) for lines in sections if lines) + "\n"


def _totals(whatif: WhatIf) -> list[str]:
    lines = []
    for said, before, after in _pairs(whatif):
        change = "=" if before == after else say_change(after - before)
        less = say_share(before - after, before)
        share = f"  ({'' if less[:1] == '<' else '-'}{less})" if after < before else ""
        lines.append(f" {said:24}{say_size(before):>10} -> {say_size(after):>10}  {change:>10}{share}")
    return lines


def _pairs(whatif: WhatIf) -> list[tuple[str, int, int]]:
    """Return what is known both of the image as it is and as it would be."""
    found = []
    for name, said in _SIZES.items():
        before, after = getattr(whatif.before, name), getattr(whatif.after, name)
        if before is not None and after is not None:
            found.append((said, before, after))
    return found


def _losses(whatif: WhatIf, options: Options) -> list[str]:
    room = options.columns - 3 * 11
    lines = [options.paint(f"{left('WITHOUT', room)}{'entries':>11}{'files':>11}{'tar':>11}", "title")]
    for loss in whatif.losses:
        sizes = (f"{loss.entries:,}", say_size(loss.bytes), say_size(loss.tar_bytes))
        shown = left(f" {fit_path(one_line(loss.name), room - 2)}", room)
        lines.append(shown + "".join(right(size, 11) for size in sizes))
    return lines if whatif.losses else []


def _layers(whatif: WhatIf, options: Options) -> list[str]:
    changed = [layer for layer in whatif.layers if layer.before != layer.after]
    if not changed:
        return []
    room = options.columns - 8 - 24 - 2
    lines = [options.paint(f"LAYERS  {'tar now':>11}{'then':>13}  instruction", "title")]
    shown = changed[: options.rows(_MEASURE)]
    for layer in shown:
        sizes = f"{right(say_size(layer.before.tar_bytes), 10)} -> {right(say_size(layer.after.tar_bytes), 10)}"
        lines.append(f"{right(_which(layer), 7)} {sizes}  {fit(one_line(layer.instruction), room)}")
    if rest := len(changed) - len(shown):
        lines.append(f"{'':8}... and {rest:,} more that change")
    if same := len(whatif.layers) - len(changed):
        lines.append(f"{'':8}... and {say_count(same, 'layer')} that {'stays' if same == 1 else 'stay'}")
    return lines


def _which(layer: LayerChange) -> str:
    first, last = layer.positions[0], layer.positions[-1]
    return str(first) if first == last else f"{first}-{last}"


def whatif_markdown(whatif: WhatIf, options: Options) -> str:
    """Return the sizes now and then, what makes the difference, and the layers folded away."""
    lines = ["| | now | then | change |", "| --- | ---: | ---: | ---: |"]
    for said, before, after in _pairs(whatif):
        lines.append(f"| {said} | {say_size(before)} | {say_size(after)} | {say_change(after - before)} |")
    lines += ["", "| without | entries | files | tar |", "| --- | ---: | ---: | ---: |"]
    for loss in whatif.losses:
        lines.append(f"| {cell(loss.name)} | {loss.entries:,} | {say_size(loss.bytes)} | {say_size(loss.tar_bytes)} |")
    lines += ["", prose(CAVEAT), "", "<details><summary>Layers</summary>", ""]
    lines += ["| layer | tar now | then | instruction |", "| ---: | ---: | ---: | --- |"]
    changed = [layer for layer in whatif.layers if layer.before != layer.after]
    for layer in changed[: options.rows(100)]:
        sizes = f"{say_size(layer.before.tar_bytes)} | {say_size(layer.after.tar_bytes)}"
        lines.append(f"| {_which(layer)} | {sizes} | {cell(fit(one_line(layer.instruction), 100))} |")
    return "\n".join([*lines, "", "</details>"]) + "\n"


def whatif_document(whatif: WhatIf) -> Object:
    """Return the answer as schema 1 says it."""
    return clean(
        {
            "schema_version": SCHEMA_VERSION,
            "image": image_object(whatif.image, None),
            "before": _sizes(whatif.before),
            "after": _sizes(whatif.after),
            "losses": [_loss(loss) for loss in whatif.losses],
            "layers": [_layer(layer) for layer in whatif.layers],
        }
    )


def whatif_json(whatif: WhatIf, _options: Options) -> str:
    """Return the document as text."""
    return write_json(whatif_document(whatif))


def _sizes(sizes: Sizes) -> Object:
    return {
        "tar_bytes": sizes.tar_bytes,
        "content_bytes": sizes.content_bytes,
        "live_bytes": sizes.live_bytes,
        "pull_bytes": sizes.pull_bytes,
        "pull_estimated": sizes.pull_bytes is not None,
    }


def _loss(loss: Loss) -> Json:
    return {"name": loss.name, "entries": loss.entries, "bytes": loss.bytes, "tar_bytes": loss.tar_bytes}


def _layer(layer: LayerChange) -> Json:
    return {
        "indexes": list(layer.positions),
        "instruction": layer.instruction,
        "before": _sizes(layer.before),
        "after": _sizes(layer.after),
    }


WHATIF_FORMATS: dict[str, Callable[[WhatIf, Options], str]] = {
    "text": whatif_text,
    "json": whatif_json,
    "markdown": whatif_markdown,
}
