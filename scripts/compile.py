"""Can the compiled ways through plain entries be built here? Asked whenever layerscope is installed from its sources.

A hook of hatchling's: with a C compiler the wheel holds what `SOURCES` names, of Python's stable ABI, so that one wheel a
platform does for every version from 3.11 on; without one, or with `LAYERSCOPE_PURE` set, the wheel is pure Python, and slower.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = "analyzer"
SOURCES = ("layerscope/archive/runs.c", "layerscope/stacking.c")
STABLE = "0x030B0000"  # Python 3.11


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles before a wheel is filled."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, if that can be, and tell hatchling what became of it."""
        if self.target_name != "wheel":
            return
        root, editable = Path(self.root) / ROOT, version == "editable"
        if editable:
            for source in map(root.joinpath, SOURCES):
                for old in (*source.parent.glob(f"{source.stem}.*.so"), *source.parent.glob(f"{source.stem}*.pyd")):
                    old.unlink()
        if os.environ.get("LAYERSCOPE_PURE"):
            return
        self.scratch = tempfile.TemporaryDirectory()
        try:
            made = {source: compile_module(root, source, self.scratch.name) for source in SOURCES}
        except Exception as error:  # noqa: BLE001 - whatever a compiler may lack
            self.app.display_warning(f"layerscope is installed without its compiled parts: {error}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform_tag()}"
        for source, compiled in made.items():
            folder = Path(source).parent
            if editable:
                shutil.copy(compiled, root / folder)
            else:
                build_data["force_include"][str(compiled)] = f"{folder.as_posix()}/{compiled.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Leave nothing behind."""
        if hasattr(self, "scratch"):
            self.scratch.cleanup()


def compile_module(root: Path, source: str, scratch: str) -> Path:
    """Compile one source and return what came out; raises whatever setuptools does."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise RuntimeError("this Python has no stable ABI")
    name = source.removesuffix(".c").replace("/", ".")
    digest = hashlib.sha256((root / source).read_bytes()).hexdigest()
    defined = [("Py_LIMITED_API", STABLE), ("LAYERSCOPE_SOURCE", f'"{digest}"')]
    options = [] if os.name == "nt" else ["-O3", "-g0"]
    extension = Extension(name, [str(root / source)], define_macros=defined, extra_compile_args=options, py_limited_api=True)
    command = build_ext(Distribution({"name": "layerscope", "ext_modules": [extension]}))
    command.build_lib = command.build_temp = scratch
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(name))


def platform_tag() -> str:
    """Return what a wheel calls this platform."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
