"""What becomes of a damaged image? Shared by the tests and by scripts/damage."""

import tempfile
import time
from collections import Counter
from pathlib import Path

import layerscope

BAD = ("crash", "slow", "silent")
SECONDS = 60


def read(path, *, verify):
    """Return the report of an image, the first one if it has several; or the refusal."""
    try:
        try:
            image = layerscope.load(str(path), verify=verify)
        except layerscope.SelectionError:
            first = next(line for line in layerscope.list_images(str(path)) if line.complete or line.layers)
            image = layerscope.load(str(path), image=first.config_digest or next(iter(first.names), first.id), verify=verify)
        return layerscope.analyze(image)
    except layerscope.LayerscopeError as error:
        return error


def face(report):
    """Return what a reader takes from a report: every file's path, size, mode and fate, and the numbers."""
    rows = sorted(
        (row.path, int(row.kind), row.bytes, row.mode, int(row.fate), row.layer) for row in layerscope.list_files(report.image)
    )
    return rows, report.books.content_bytes, report.image.storage.archive_bytes


def outcome(path, sound):
    """Return what came of a damaged image, in a word."""
    began = time.monotonic()
    try:
        report = read(path, verify=True)
        if isinstance(report, Exception):
            word = "refused"
        elif not report.complete:
            word = "partial"
        elif any(note.level != "info" for note in report.notes):
            word = "told"
        elif sound is not None and face(report) != sound:
            word = "silent"
        else:
            word = "unharmed"
    except Exception:  # noqa: BLE001 - that is what is looked for
        return "crash"
    return word if time.monotonic() - began < SECONDS else "slow"


def sweep(data, chance, cuts, flips, places=None):
    """Yield (what, where, outcome) for cuts and flipped bytes of an image."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        path.write_bytes(data)
        report = read(path, verify=True)
        # Of an image that has warnings of its own, or cannot be read whole, silence cannot be told.
        quiet = not isinstance(report, Exception) and report.complete and not any(note.level != "info" for note in report.notes)
        sound = face(report) if quiet else None
        for where in places if places is not None else sorted(chance.sample(range(len(data)), min(cuts, len(data)))):
            path.write_bytes(data[:where])
            word = outcome(path, sound)
            if word == "silent" and not data[where:].strip(b"\0"):
                word = "unharmed"  # only padding is gone
            yield "cut", where, word
        for _ in range(flips):
            where = chance.randrange(len(data))
            broken = bytearray(data)
            broken[where] ^= 1 << chance.randrange(8)
            path.write_bytes(broken)
            yield "flip", where, outcome(path, sound)


def tell(counts: Counter) -> str:
    """Return counts as a line."""
    return ", ".join(f"{count} {word}" for word, count in counts.most_common()) or "nothing"
