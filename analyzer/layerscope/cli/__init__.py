"""What happens when someone types `layerscope`? Arguments are read, one verb is called, one place writes, it ends."""

from __future__ import annotations

try:
    from layerscope.cli.session import main
except KeyboardInterrupt:  # as `main` ends with it, which is not there yet
    import os

    os._exit(130)

__all__ = ["main"]
