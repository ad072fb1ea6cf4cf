"""Which numbers may a policy limit?"""

from __future__ import annotations

from layerscope.frozen import frozen
from layerscope.report import COUNTS, SIZES


@frozen
class Measure:
    """A number's name and how it is written: a `size` in bytes, a `count`, a `ratio`."""

    name: str
    unit: str


def _measures(unit: str, *names: str) -> dict[str, Measure]:
    return {name: Measure(name, unit) for name in names}


IMAGE: dict[str, Measure] = {
    **_measures("size", *SIZES),
    **_measures("count", *COUNTS),
    **_measures("ratio", "efficiency"),
}
GROWTH: dict[str, Measure] = {name: measure for name, measure in IMAGE.items() if measure.unit != "ratio"}
LAYER: dict[str, Measure] = _measures(
    "size",
    "blob_bytes",
    "tar_bytes",
    "content_bytes",
    "overhead_bytes",
    "live_bytes",
    "replaced_bytes",
    "deleted_bytes",
    "hidden_bytes",
    "docker_bytes",
)
