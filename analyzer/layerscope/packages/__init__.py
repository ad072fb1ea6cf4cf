"""Which package databases are read?

Adding one is a module and a name in `DATABASES`.
"""

from __future__ import annotations

from layerscope.packages.apk import APK
from layerscope.packages.database import Database
from layerscope.packages.dpkg import DPKG
from layerscope.packages.npm import NPM
from layerscope.packages.python import PYTHON
from layerscope.packages.release import PATTERNS as RELEASE_PATTERNS

DATABASES: tuple[Database, ...] = (APK, DPKG, PYTHON, NPM)

PATTERNS: tuple[str, ...] = (
    *(pattern for database in DATABASES for pattern in database.patterns),
    *RELEASE_PATTERNS,
    "etc/passwd",
    "etc/shadow",
    "etc/group",
)
"""Everything worth keeping while a layer is scanned."""
