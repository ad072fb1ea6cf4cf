"""Large images that real tools built (`LAYERSCOPE_FORGE` names the folder), counted by other programs."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from layerscope import api, examination
from layerscope.packages.why import explain_package, find_package

FORGE = Path(os.environ.get("LAYERSCOPE_FORGE", "/nonexistent"))
ROOT = Path(__file__).parents[2]
NAMES = ("node-debian", "python-debian", "rpm-sqlite", "rpm-bdb", "rpm-ndb")
IMAGE = FORGE / "node-debian.docker25.tar"
pytestmark = pytest.mark.skipif(not IMAGE.exists(), reason="LAYERSCOPE_FORGE names no folder with node-debian.docker25.tar")


@pytest.fixture(scope="module")
def image():
    return api.load(str(IMAGE))


@pytest.mark.skipif(not shutil.which("umoci") or os.geteuid() != 0, reason="umoci unpacks all of an image only as root")
@pytest.mark.parametrize("name", NAMES)
def test_packages_and_bytes_are_those_of_other_programs(name):
    layout = FORGE / f"{name}.oci"
    if not layout.exists():
        pytest.skip(f"there is no {name}.oci")
    words = [sys.executable, str(ROOT / "scripts" / "owners"), str(layout)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_leaves_with_a_package_weighs_what_it_retains(image):
    owned = api.own(image)
    heavy = sorted(owned.packages, key=lambda one: -(one.retained_bytes or 0))[:8]
    names = {one.package.name for one in heavy} | {"build-essential"}
    for name in names:
        number = find_package(owned, name)
        chain = explain_package(owned, number)
        assert sum(one.bytes for one in chain.leaving) == owned.packages[number].retained_bytes


def test_the_package_stage_costs_less_than_the_scan():
    start = time.process_time()
    image = api.load(str(IMAGE))
    scan = time.process_time() - start
    stack = examination.stack_image(image)
    start = time.process_time()
    examination.own_image(image, stack)
    assert time.process_time() - start < scan
