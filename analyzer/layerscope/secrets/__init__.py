"""Which secrets stand in the contents of files? Pure: bytes in, marks out."""

from __future__ import annotations

from layerscope.secrets.search import SECRETS, inspector

__all__ = ["SECRETS", "inspector"]
