"""What does `python -m layerscope` do? The same as `layerscope`."""

from __future__ import annotations

from layerscope.cli import main

main()
