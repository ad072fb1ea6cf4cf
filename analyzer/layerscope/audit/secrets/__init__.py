"""Which secrets stand in the contents of files? Pure: bytes in, marks out."""

from __future__ import annotations

from layerscope.audit.secrets.inspector import SECRETS, Inspector

__all__ = ["SECRETS", "Inspector"]
