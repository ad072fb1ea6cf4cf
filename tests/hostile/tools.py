"""What do the hostile tests share? Reading in both ways, the check that any report has to pass, and a child to measure."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from layerscope import api
from layerscope.model import Fate, Kind, Level
from layerscope.render import FILE_FORMATS, FORMATS, Options

ROOT = Path(__file__).parents[2]
WAYS = ("place", "pipe")
MIB = 1 << 20


def load(data, way="place", **options):
    """Return the image of an archive, read in place or from standard input."""
    if way == "pipe":
        return api.load("-", stdin=io.BytesIO(data), **options)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tar"
        path.write_bytes(data)
        return api.load(str(path), **options)


def read(data, way="place", **options):
    """Return the report on an archive or a folder, after writing it in every format and checking its books."""
    image = api.load(str(data), **options) if isinstance(data, Path) else load(data, way, **options)
    report = api.analyze(image)
    for write in FORMATS.values():
        write(report, Options())
    files = api.list_files(image)
    for write in FILE_FORMATS.values():
        write(image, files, Options())
    totals = json.loads(FORMATS["json"](report, Options()))["totals"]
    assert totals["archive_bytes"] == (
        totals["live_bytes"] + totals["replaced_bytes"] + totals["deleted_bytes"] + totals["overhead_bytes"]
        - totals["compression_bytes"] + totals["metadata_bytes"] + totals["orphan_bytes"] + totals["container_bytes"]
    )  # fmt: skip
    return report


def notes(report, case=None, level=None):
    """Return the messages of notes by case and level."""
    return [note.message for note in report.notes if case in (None, note.id) and level in (None, str(note.level))]


def errors(report):
    """Return the ids of errors."""
    return sorted({note.id for note in report.notes if note.level is Level.ERROR})


def live(report):
    """Return the paths of live files."""
    return {row.path for row in api.list_files(report.image) if row.kind is Kind.FILE and row.fate is Fate.LIVE}


def environment(**more):
    """Return an environment for a child."""
    usual = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "analyzer"), "PYTHONDONTWRITEBYTECODE": "1"}
    return usual | {"XDG_CACHE_HOME": os.devnull + "/none"} | more


def run(*words, env=None, timeout=60, **options):
    """Run the command line in a child and return what it did."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, "-m", "layerscope", *map(str, words)]
    return subprocess.run(command, env=environment() if env is None else env, timeout=timeout, check=False, **options)


MEASURED = """
import pathlib, re, resource, sys
from layerscope.cli import session
code = session.run(sys.argv[1:])
try:  # what getrusage tells counts the parent as well, up to the exec
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) * 1024
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print("peak", peak, file=sys.stderr)
sys.exit(code)
"""


def measure(*words, timeout=100, **options):
    """Run the command line in a child; return its exit code, standard output, standard error and peak memory."""
    options = {"stdin": subprocess.DEVNULL, **options}
    command = [sys.executable, "-c", MEASURED, *map(str, words)]
    done = subprocess.run(command, env=environment(), capture_output=True, timeout=timeout, check=False, **options)
    said, _, peak = done.stderr.decode().rpartition("peak ")
    return done.returncode, done.stdout.decode(), said, int(peak or 0)
