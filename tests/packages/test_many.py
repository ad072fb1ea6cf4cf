"""Many packages with many files: finding owners costs less than reading the layers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import build
import pytest
from layerscope import api, examination

PACKAGES = int(os.environ.get("LAYERSCOPE_MANY", "200"))
"""The full test has 2,000: 200,000 files in an image of 210 MB."""

FILES = 100


def write(path: Path, packages: int, files: int = FILES) -> None:
    """Write an image of Debian packages in three layers: a base, as many again, and an upgrade of a tenth."""
    layers = [
        layer(packages, files, range(packages // 2), range(packages // 2), "1"),
        layer(packages, files, range(packages // 2, packages), range(packages), "1"),
        layer(packages, files, range(0, packages, 10), range(packages), "2"),
    ]
    path.write_bytes(build.docker_save(build.Image(layers, tags=["many:1"])))


def layer(packages: int, files: int, news: range, there: range, version: str) -> bytes:
    """Write what a run of apt leaves: files, their lists, and the whole status file."""

    def entries() -> Iterator[bytes]:
        for number in news:
            names = [f"usr/share/p{number}/d{file % 10}/f{file}" for file in range(files)]
            yield from (build.entry(name, b"x" * (1 + number % 50)) for name in names)
            folders = [f"/usr/share/p{number}", *(f"/usr/share/p{number}/d{folder}" for folder in range(10))]
            listing = "\n".join(["/.", "/usr", "/usr/share", *folders, *(f"/{name}" for name in names), ""])
            yield build.entry(f"var/lib/dpkg/info/p{number}.list", listing.encode())
            yield build.entry(
                f"var/lib/dpkg/info/p{number}.md5sums", "".join(f"{'0' * 32}  {name}\n" for name in names).encode()
            )
        paragraphs = (
            f"Package: p{number}\nStatus: install ok installed\nArchitecture: amd64\n"
            f"Version: {version if number in news else '1'}\nDepends: p{number // 2}, p{max(number - 7, 0)} (>= 1) | p{number}\n"
            f"Description: one of many\n {'words ' * 40}\n"
            for number in there
        )
        yield build.entry("var/lib/dpkg/status", "\n".join(paragraphs).encode())
        automatic = (f"Package: p{number}\nAuto-Installed: 1\n" for number in there if number % 5)
        yield build.entry("var/lib/apt/extended_states", "\n".join(automatic).encode())

    return build.tar(*entries())


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("many") / "image.tar"
    write(path, PACKAGES)
    return str(path)


def test_owners_cost_less_than_the_scan(image):
    start = time.process_time()
    loaded = api.load(image)
    scan = time.process_time() - start
    stacked = examination.stack_image(loaded)
    start = time.process_time()
    owned = examination.own_image(loaded, stacked)
    stage = time.process_time() - start
    there = [share for share in owned.packages if share.removed_in is None]
    assert len(there) == PACKAGES
    assert sum(share.files for share in owned.packages) == (PACKAGES + PACKAGES // 10) * FILES
    assert sum(share.live_bytes for share in there) == sum(FILES * (1 + number % 50) for number in range(PACKAGES))
    assert stage < scan


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]), int(sys.argv[2]))
