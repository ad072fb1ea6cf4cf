"""Is any number larger than the policy allows?"""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.audit.baseline import Baseline
from layerscope.audit.globs import compile_glob, name_matches
from layerscope.audit.policy import Limit, Scope
from layerscope.audit.verdict import Check
from layerscope.report import Report


def check_limits(report: Report, limits: Scope) -> Iterator[Check]:
    """Yield a check for each limit; of a layer's limit the layer that is worst stands for all."""
    content = report.books.content_bytes
    numbers: dict[str, float | None] = {**report.totals(), "efficiency": report.books.efficiency}
    for name, limit in limits.image.items():
        yield _judge(f"limits.{name}", "limit", numbers[name], limit, content)
    for name, limit in limits.layer.items():
        sizes: list[tuple[int, int]] = [(getattr(row, name) or 0, row.position) for row in report.books.layers]
        worst, position = max(sizes, key=lambda pair: (pair[0], -pair[1]), default=(0, -1))
        where = "" if position < 0 else f"layer {position}: "
        yield _judge(f"limits.layer.{name}", "limit", worst, limit, content, where)
    for glob, limit in limits.package.items():
        size = sum(
            share.bytes
            for share in report.ownership.packages
            if name_matches(f"{share.package.type}:{share.package.name}", glob)
        )
        yield _judge(f"limits.package.{glob}", "limit", size, limit, content)
    for glob, limit in limits.owner.items():
        size = sum(share.bytes for share in report.ownership.owners if name_matches(share.owner or share.class_ or "", glob))
        yield _judge(f"limits.owner.{glob}", "limit", size, limit, content)
    for glob, limit in limits.path.items():
        yield _judge(f"limits.path.{glob}", "limit", _below(report, glob), limit, content)
    for glob, limit in limits.cause.items():
        size = sum(cause.bytes for cause in report.causes if name_matches(cause.id, glob))
        yield _judge(f"limits.cause.{glob}", "limit", size, limit, content)


def check_growth(report: Report, growth: Scope, baseline: Baseline | None) -> Iterator[Check]:
    """Yield a check for each limit on growth; without a baseline they are skipped, which is told."""
    for name, limit in growth.image.items():
        old = None if baseline is None else baseline.totals.get(name)
        yield _grown(f"growth.{name}", report.totals()[name], old, limit, baseline)
    for name, limit in growth.layer.items():
        before = [{}] * len(report.image.layers) if baseline is None else baseline.layers_of(report.image)
        changes = [
            (getattr(row, name) or 0, then.get(name, 0), row.position)
            for row, then in zip(report.books.layers, before, strict=True)
        ]
        most = max(changes, key=lambda one: one[0] - one[1], default=(0, 0, -1))
        where = "" if most[2] < 0 else f"layer {most[2]}: "
        yield _grown(f"growth.layer.{name}", most[0], most[1], limit, baseline, where)
    packages: dict[str, int] = {}
    for share in report.ownership.packages:
        name = f"{share.package.type}:{share.package.name}"
        packages[name] = packages.get(name, 0) + share.bytes
    causes: dict[str, int] = {}
    for cause in report.causes:
        causes[cause.id] = causes.get(cause.id, 0) + cause.bytes
    olds = ({}, {}) if baseline is None else (baseline.packages, baseline.causes)
    for scope, limits, here, there in (
        ("package", growth.package, packages, olds[0]),
        ("cause", growth.cause, causes, olds[1]),
    ):
        for glob, limit in limits.items():
            size = sum(size for name, size in here.items() if name_matches(name, glob))
            then = sum(size for name, size in there.items() if name_matches(name, glob))
            yield _grown(f"growth.{scope}.{glob}", size, then, limit, baseline)


def say_number(value: float) -> str:
    """Return a number for people and for the log: whole numbers with thousands, shares as they are."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4g}"


def say_limit(limit: Limit, unit: str = "") -> str:
    """Return what a limit allows: `at most 20,000,000 or 5 % of the content`."""
    parts = []
    if limit.max is not None:
        parts.append(f"at most {say_number(limit.max)}{unit}")
    if limit.share is not None:
        parts.append(f"{'or' if parts else 'at most'} {100 * limit.share:g} %")
    if limit.min is not None:
        parts.append(f"at least {say_number(limit.min)}{unit}")
    return " ".join(parts)


def _judge(id_: str, kind: str, actual: float | None, limit: Limit, whole: float, where: str = "") -> Check:
    bound = _bound(limit, whole, actual)
    if actual is None:
        return Check(id_, kind, "skipped", None, bound, "not known of this image")
    status = "fail" if limit.broken_by(actual, whole) else "pass"
    return Check(id_, kind, status, actual, bound, f"{where}{say_number(actual)}, {say_limit(limit)} allowed")


def _grown(id_: str, new: float | None, old: float | None, limit: Limit, baseline: Baseline | None, where: str = "") -> Check:
    if baseline is None:
        return Check(id_, "growth", "skipped", None, limit.max, "no baseline to measure against: --baseline FILE")
    if new is None or old is None:
        return Check(id_, "growth", "skipped", None, limit.max, "not known of this image or of the baseline")
    change = new - old
    status = "fail" if limit.broken_by(change, old) else "pass"
    message = f"{where}{'+' if change >= 0 else ''}{say_number(change)} (was {say_number(old)}), {say_limit(limit)} allowed"
    return Check(id_, "growth", status, change, _bound(limit, old, change), message)


def _bound(limit: Limit, whole: float, actual: float | None) -> float | None:
    """Return the one number that a check is held against: the larger of two upper bounds, for both must be passed."""
    if limit.min is not None and ((limit.max is None and limit.share is None) or (actual is not None and actual < limit.min)):
        return limit.min
    return max(bound for bound in (limit.max, None if limit.share is None else limit.share * whole) if bound is not None)


def _below(report: Report, glob: str) -> int:
    """Return the content bytes of all layers' files whose paths are meant, hidden ones too."""
    match = compile_glob(glob).fullmatch
    return sum(
        size
        for layer in report.image.layers
        if layer.index is not None
        for path, size in zip(layer.index.paths, layer.index.sizes, strict=True)
        if size and match(b"/" + path)
    )
