"""Which programs and libraries carry what only debuggers and linkers read? The last of group 8 of the causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from itertools import takewhile

from layerscope.analysis.carriage import padded
from layerscope.analysis.causes import Cause
from layerscope.analysis.kinds import KIND
from layerscope.analysis.remedies import BASE, COPIES, quoted
from layerscope.analysis.scene import Pile, Scene
from layerscope.analysis.symbols import NAME, read_finding
from layerscope.rootfs.stack import LIVE

ID = "unstripped-binaries"
_NAMED = 3


def find_unstripped(scene: Scene, claimed: Container[int]) -> tuple[list[Cause], dict[int, int]]:
    """Return a cause for each layer with such files, and row -> bytes that it claims of the row, which stays otherwise.

    What a distribution's package brought is left alone: it keeps what its debuggers need, and an upgrade would bring it back.
    """
    piles: dict[int, Pile] = {}
    options: dict[int, Counter[str]] = {}
    parts: dict[int, int] = {}
    for position, row, found in _findings(scene):
        owner = scene.packages.get(scene.column[row])
        if row in claimed or (owner is not None and owner.system):
            continue
        size, (freed, option) = scene.size(row), read_finding(found)
        span = padded(size) - padded(size - freed)
        piles.setdefault(position, Pile()).add(row, freed, span)
        options.setdefault(position, Counter())[option] += freed
        parts[row] = freed
    causes = [_cause(scene, position, pile, options[position].most_common(1)[0][0], parts) for position, pile in piles.items()]
    return causes, parts


def _findings(scene: Scene) -> Iterator[tuple[int, int, bytes]]:
    """Yield layer position, row id and what was found of each live file that can be stripped."""
    for layer in scene.image.layers:
        if layer.index is None:
            continue
        start = scene.stack.starts[layer.position]
        for inside, told in layer.index.inspected.items():
            if scene.fates[start + inside] == LIVE:
                yield from ((layer.position, start + inside, found) for name, found in told if name == NAME)


def _cause(scene: Scene, position: int, pile: Pile, option: str, parts: dict[int, int]) -> Cause:
    count = len(pile.rows)
    title = "a program or library not stripped" if count == 1 else f"{count:,} programs and libraries not stripped"
    claims = {row: parts[row] for row in pile.claimed()}
    return pile.cause(scene, ID, KIND[ID].certainty, position, title, _fix(scene, pile, option), parts=claims)


def _fix(scene: Scene, pile: Pile, option: str) -> str:
    rows = pile.top(_NAMED)
    origin = scene.origin(rows[0])
    if scene.in_base(origin):
        return BASE.format(layer=origin, act="strip")
    paths = [scene.path(row).decode("utf-8", "backslashreplace") for row in rows]
    if len(pile.rows) > _NAMED and all(".so" in path for path in paths):
        where = _folder_of([scene.path(row) for row in pile.claimed()]).decode("utf-8", "backslashreplace")
        command = f"find {quoted('/' + where)} -type f -name '*.so*' -exec strip --strip-{option} {{}} +"
    else:
        named = [quoted("/" + path) for path in (paths if len(pile.rows) <= _NAMED else paths[:1])]
        command = f"strip --strip-{option} {' '.join(named)}{' ...' if len(pile.rows) > len(named) else ''}"
    _, index, inside = scene.place(rows[0])
    if "golang" in dict(index.inspected[inside]):
        command = f"go build -ldflags='-s -w', or {command}"
    if scene.instruction(origin).startswith(COPIES):
        them = "it" if len(pile.rows) == 1 else "them"
        return f"strip {them} before layer {origin} copies {them}, in the stage that builds {them}: {command}"
    return f"end the RUN of layer {origin} with: && {command}"


def _folder_of(paths: Sequence[bytes]) -> bytes:
    """Return the deepest folder that all of these are in."""
    ends = (path.split(b"/")[:-1] for path in (min(paths), max(paths)))
    return b"/".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(*ends, strict=False)))
