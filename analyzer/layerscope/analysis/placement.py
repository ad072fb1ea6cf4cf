"""Which line of the Dockerfile made this layer?

History and Dockerfile are aligned from their ends: each row goes with at most one instruction of the same verb, in order, and
the pairing is the one that agrees most. Rows before the first pair are the base image's, or what its ONBUILD did. A pair whose
texts differ by more than variables, flags and spelling is unsure, and says so.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import field

from layerscope.analysis.dockerfile import Instruction, Source, Stage, lineage, read_stages
from layerscope.analysis.likeness import SURE, Told, Written, make_ready
from layerscope.frozen import frozen
from layerscope.model import Image

_MISSING_ROW, _MISSING_LINE = -0.3, -0.25
_CELLS = 500_000


_Pairs = dict[int, tuple[Instruction, float]]


@frozen
class Place:
    """Lines of a Dockerfile, from 1, and whether what stands there surely is what ran."""

    line: int
    end: int
    sure: bool = True


@frozen
class Placement:
    """Where in a Dockerfile each layer was made.

    path    of the Dockerfile
    layers  by position; a layer of the base image has no place of its own
    rows    the same by index in the history
    base    where the FROM is that names the base image; None if there is no FROM
    image   what that FROM names
    below   how many layers, from the bottom, are the base image's, and how many rows of the history; None if that is not sure
    user    line of the last USER, CMD or ENTRYPOINT, where the container's user may be set
    """

    path: str
    layers: dict[int, Place] = field(default_factory=dict)
    rows: dict[int, Place] = field(default_factory=dict)
    base: Place | None = None
    image: str | None = None
    below: tuple[int, int] | None = None
    user: int = 1


def place_layers(image: Image, source: Source) -> Placement:
    """Return the line of each layer, by the stage that fits the history best: of equals the last."""
    stages = read_stages(source.text)
    told = [Told(row.instruction) for row in image.history]
    best: tuple[float, _Pairs, tuple[Instruction, ...], Stage] | None = None
    cells = 0
    for number in range(len(stages) - 1, -1, -1):
        instructions, lowest = lineage(stages, number)
        cells += (len(instructions) + 1) * (len(told) + 1)
        if cells > _CELLS:
            break
        score, pairs = _align(told, make_ready(instructions))
        if best is None or (pairs and score > best[0]):
            best = score, pairs, instructions, lowest
    if best is None:
        return Placement(source.path, base=Place(stages[-1].start.line, stages[-1].start.end) if stages else None)
    _, pairs, instructions, lowest = best
    rows = {index: Place(one.line, one.end, score >= SURE) for index, (one, score) in sorted(pairs.items())}
    layers = {layer: place for index, place in rows.items() if (layer := image.history[index].layer) is not None}
    start = Place(lowest.start.line, lowest.start.end)
    ends = [one.line for one in instructions if one.verb in ("USER", "CMD", "ENTRYPOINT")]
    name = lowest.base if lowest.base.lower() != "scratch" and "$" not in lowest.base else None
    below = _count_below(image, rows, instructions)
    return Placement(source.path, layers, rows, start, name, below, max(ends, default=start.line))


def _count_below(image: Image, rows: dict[int, Place], instructions: Sequence[Instruction]) -> tuple[int, int] | None:
    """Return how many layers and rows lie under the first instruction, if its row is surely known."""
    first = min(rows, default=None)
    if first is None or not rows[first].sure or rows[first].line != instructions[0].line:
        return None
    return sum(row.layer is not None for row in image.history[:first]), first


def _align(told: Sequence[Told], written: Sequence[Written]) -> tuple[float, _Pairs]:
    """Return how well rows and instructions go together, and for each row's index its instruction and how alike they are."""
    width = len(written) + 1
    table = [array("d", (number * _MISSING_LINE for number in range(width)))]
    likes: dict[tuple[int, int], float] = {}
    for i, row in enumerate(told, 1):
        above, line = table[-1], array("d", (0.0,))
        for j, one in enumerate(written, 1):
            score = max(above[j] + _MISSING_ROW, line[j - 1] + _MISSING_LINE)
            if row.verb == one.verb and (alike := one.compare(row)) > 0:
                likes[i, j] = alike
                score = max(score, above[j - 1] + alike)
            line.append(score)
        table.append(line)
    pairs: _Pairs = {}
    i, j = len(told), len(written)
    while i and j:
        alike = likes.get((i, j), 0.0)
        if alike and table[i][j] == table[i - 1][j - 1] + alike:
            pairs[i - 1] = written[j - 1].one, alike
            i, j = i - 1, j - 1
        elif table[i][j] == table[i - 1][j] + _MISSING_ROW:
            i -= 1
        else:
            j -= 1
    return table[-1][-1], pairs
