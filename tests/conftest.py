"""What do all tests share?"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
os.environ["LAYERSCOPE_CACHE_DIR"] = (
    os.devnull + "/none"
)  # no run knows what another found out; tests of the cache set their own
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as a shell does in the background, and every program that is tried inherits
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """Return the folder of the project's own images."""
    return ROOT / "fixtures"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of images and traps that others made; it is not part of the project."""
    folder = Path(os.environ.get("LAYERSCOPE_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}: set LAYERSCOPE_CORPUS")
    return folder


def pytest_collection_modifyitems(items):
    """Write the cases that a test covers into JUnit files, where scripts/cases reads them."""
    for item in items:
        item.user_properties += [("case", case) for mark in item.iter_markers("case") for case in mark.args]
