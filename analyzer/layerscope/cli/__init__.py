"""What happens when someone types `layerscope`? Arguments are read, one verb is called, one place writes, it ends."""

from __future__ import annotations

from layerscope.cli.session import main

__all__ = ["main"]
