"""Is there a compiled way through what is plain? Wheels have it; without it, or with `LAYERSCOPE_PURE` set, all is Python."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType


def find(name: str) -> ModuleType | None:
    """Return a compiled module of layerscope, None if there is none or nobody wants it."""
    if os.environ.get("LAYERSCOPE_PURE"):
        return None
    try:
        return import_module(f"layerscope.{name}")
    except ImportError:
        return None
