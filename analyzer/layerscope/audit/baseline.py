"""What was the image like when somebody last agreed to it? A small JSON document, stable and made for reading diffs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field

from layerscope.audit.measures import LAYER
from layerscope.errors import PolicyError
from layerscope.frozen import frozen
from layerscope.model import Image, Layer
from layerscope.report import COUNTS, SIZES, Report

VERSION = "1.0"
# What depends on how the archive was written, and not on the image.
_NOT_KEPT = frozenset(("archive_bytes", "file_bytes", "orphan_bytes", "container_bytes", "metadata_bytes"))


@frozen
class Baseline:
    """The numbers and findings that growth is measured against."""

    totals: Mapping[str, int]
    layers: Mapping[str, Mapping[str, int]]
    packages: Mapping[str, int]
    causes: Mapping[str, int]
    findings: frozenset[str] = field(default_factory=frozenset)

    def layers_of(self, image: Image) -> list[Mapping[str, int]]:
        """Return the old numbers of each layer: of the same instruction, else of the one that stood in its place."""
        keys = [layer_key(layer, image) for layer in image.layers]
        old = list(self.layers)
        there: list[Mapping[str, int]] = []
        for position, key in enumerate(keys):
            if key not in self.layers and len(old) == len(keys) and old[position] not in keys:
                key = old[position]
            there.append(self.layers.get(key, {}))
        return there


def layer_key(layer: Layer, image: Image) -> str:
    """Return what names a layer over rebuilds: its instruction, and its place among those that have the same one."""
    same = sum(other.instruction == layer.instruction for other in image.layers[: layer.position])
    return f"{layer.instruction} #{same + 1}" if same else layer.instruction


def baseline_document(report: Report, findings: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Return the baseline of a report; `findings` are fingerprints and what they stand for."""
    totals = report.totals()
    packages: Counter[str] = Counter()
    for share in report.ownership.packages:
        packages[f"{share.package.type}:{share.package.name}"] += share.bytes
    causes: Counter[str] = Counter()
    for cause in report.causes:
        causes[cause.id] += cause.bytes
    layers = {
        layer_key(layer, report.image): {name: getattr(row, name) or 0 for name in LAYER}
        for layer, row in zip(report.image.layers, report.books.layers, strict=True)
    }
    return {
        "schema_version": VERSION,
        "kind": "layerscope baseline",
        "image": {"names": sorted(report.image.names), "config_digest": report.image.config_digest},
        "totals": {name: totals[name] for name in (*SIZES, *COUNTS) if name not in _NOT_KEPT},
        "layers": layers,
        "packages": dict(sorted(packages.items())),
        "causes": dict(sorted(causes.items())),
        "findings": dict(sorted(findings)),
    }


def read_baseline(text: str, source: str) -> Baseline:
    """Return a baseline from its text; a whole JSON report does as well.

    Raises `PolicyError`: a baseline that cannot be read must not look like one without growth.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{source}: not valid JSON: {error}") from None
    if not isinstance(document, dict) or not str(document.get("schema_version", "")).startswith("1."):
        raise PolicyError(f"{source}: no baseline of schema 1: write one with `layerscope baseline IMAGE --output {source}`")
    try:
        return _from_report(document) if isinstance(document.get("layers"), list) else _from_baseline(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PolicyError(f"{source}: not a baseline, nor a JSON report: {type(error).__name__}: {error}") from None


def _from_baseline(document: Mapping[str, object]) -> Baseline:
    layers = _numbers_by_name(document["layers"])
    findings = document["findings"]
    if not isinstance(findings, dict):
        raise TypeError("findings")
    return Baseline(
        totals=_numbers(document["totals"]),
        layers=layers,
        packages=_numbers(document["packages"]),
        causes=_numbers(document["causes"]),
        findings=frozenset(map(str, findings)),
    )


def _from_report(document: Mapping[str, object]) -> Baseline:
    layers: dict[str, dict[str, int]] = {}
    counts: Counter[str] = Counter()
    for row in _rows(document["layers"]):
        name = str(row["instruction"])
        counts[name] += 1
        numbers = _numbers({key: value for key, value in row.items() if key in LAYER})
        numbers["hidden_bytes"] = numbers.get("replaced_bytes", 0) + numbers.get("deleted_bytes", 0)
        layers[name if counts[name] == 1 else f"{name} #{counts[name]}"] = numbers
    packages: Counter[str] = Counter()
    for row in _rows(document["packages"]):
        packages[f"{row['type']}:{row['name']}"] += _number(row["bytes"])
    causes: Counter[str] = Counter()
    for row in _rows(document["causes"]):
        causes[str(row["id"])] += _number(row["bytes"])
    totals = document["totals"]
    if not isinstance(totals, dict):
        raise TypeError("totals")
    return Baseline(
        _numbers({key: value for key, value in totals.items() if key in (*SIZES, *COUNTS)}), layers, packages, causes
    )


def _rows(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise TypeError("rows")
    return value


def _numbers_by_name(value: object) -> dict[str, dict[str, int]]:
    if not isinstance(value, dict):
        raise TypeError("layers")
    return {str(name): _numbers(row) for name, row in value.items()}


def _numbers(value: object) -> dict[str, int]:
    """Return the numbers of a table; what is null is not known, and left out."""
    if not isinstance(value, dict):
        raise TypeError("numbers")
    return {str(name): _number(number) for name, number in value.items() if number is not None}


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no number")
    return value
