"""Do the numbers add up to the archive, and why does dive say others?"""

from __future__ import annotations

from layerscope.render.options import Options
from layerscope.render.words import say_ratio, say_size, wrap
from layerscope.report import Report


def balance_lines(report: Report, options: Options) -> list[str]:
    """Return the equation that ends in the size of the archive; terms of 0 bytes are left out."""
    books, storage = report.books, report.image.storage
    content = (("live", books.live_bytes), ("replaced", books.replaced_bytes), ("deleted", books.deleted_bytes))
    rest = (
        ("tar overhead", books.overhead_bytes),
        ("compression", -books.compression_bytes),
        ("metadata", storage.metadata_bytes),
        ("other", storage.orphan_bytes),
        ("container", storage.container_bytes),
    )
    missing = storage.archive_bytes - sum(size for _, size in content + rest)
    first = _equation(content, "content", books.content_bytes)
    second = _equation((*rest, ("unexplained", missing)), "archive", storage.archive_bytes, goes_on=True)
    return [line for terms in (first, second) for line in _break(terms, options.columns)]


def dive_lines(report: Report, options: Options) -> list[str]:
    """Return one sentence for people who come from dive, where its numbers are others than ours."""
    dive, books = report.dive, report.books
    hidden = books.replaced_bytes + books.deleted_bytes
    same = abs(dive.efficiency - books.efficiency) < 0.005
    if same and abs(dive.wasted_bytes - hidden) <= max(1000, books.content_bytes // 200):
        return []
    theirs = f"dive would say: efficiency {say_ratio(dive.efficiency)}, wasted {say_size(dive.wasted_bytes)}"
    why = "it counts the surviving copy as wasted, and misses deleted folders"
    ours = f"(here: {say_ratio(books.efficiency)}, {say_size(hidden)} hidden)"
    return [options.paint(line, "faint") for line in wrap(f"{theirs}; {why} {ours}.", options.columns)]


def _equation(terms: tuple[tuple[str, int], ...], name: str, total: int, *, goes_on: bool = False) -> list[str]:
    said: list[str] = []
    for label, size in terms:
        if size:
            sign = "- " if size < 0 else "+ " if said or goes_on else ""
            said.append(f"{sign}{label} {say_size(abs(size))}")
    return [*said, f"{'= ' if said or goes_on else ''}{name} {say_size(total)}"]


def _break(terms: list[str], columns: int) -> list[str]:
    """Return terms on as few lines as they need; a term is never broken."""
    lines = [terms[0]]
    for term in terms[1:]:
        if len(lines[-1]) + 1 + len(term) <= columns:
            lines[-1] += f" {term}"
        else:
            lines.append(f"  {term}")
    return lines
