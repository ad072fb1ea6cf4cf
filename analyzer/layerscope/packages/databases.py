"""Which package databases are read?

Adding one is a module and a name in `DATABASES`.
"""

from __future__ import annotations

from layerscope.archive.glance import Files
from layerscope.archive.inspection import Inspector
from layerscope.packages.apk import APK
from layerscope.packages.busybox import BUSYBOX
from layerscope.packages.chisel import CHISEL
from layerscope.packages.composer import COMPOSER
from layerscope.packages.conda import CONDA
from layerscope.packages.database import Database
from layerscope.packages.dotnet import DOTNET
from layerscope.packages.dpkg import DPKG
from layerscope.packages.executables import is_executable
from layerscope.packages.gems import GEMS
from layerscope.packages.golang import GOLANG
from layerscope.packages.homebrew import HOMEBREW
from layerscope.packages.homes import at_home
from layerscope.packages.java import ENDINGS as JAR_ENDINGS
from layerscope.packages.java import JAVA
from layerscope.packages.nix import NIX
from layerscope.packages.npm import NPM
from layerscope.packages.opkg import OPKG
from layerscope.packages.packed import PACKED
from layerscope.packages.pacman import PACMAN
from layerscope.packages.perl import PERL
from layerscope.packages.portage import PORTAGE
from layerscope.packages.python import PYTHON
from layerscope.packages.release import PATTERNS as RELEASE_PATTERNS
from layerscope.packages.rlang import RLANG
from layerscope.packages.rpm import RPM
from layerscope.packages.runtimes import RUNTIMES
from layerscope.packages.rust import RUST
from layerscope.packages.yarn import YARN

DATABASES: tuple[Database, ...] = (
    APK, DPKG, CHISEL, RPM, PACMAN, OPKG, PORTAGE, NIX, CONDA, HOMEBREW, PYTHON, NPM, YARN, GEMS, COMPOSER, DOTNET, JAVA, RLANG,
    PERL, GOLANG, RUST, RUNTIMES, BUSYBOX, PACKED,
)  # fmt: skip

DECLARED: tuple[str, ...] = (
    *(pattern for database in DATABASES for pattern in database.patterns),
    *RELEASE_PATTERNS,
    "etc/passwd",
    "etc/shadow",
    "etc/group",
)
"""Everything that somebody reads, where it is looked for."""

PATTERNS = (*DECLARED, *at_home(DECLARED))
"""Everything worth keeping while a layer is scanned."""


PROGRAMS = Files((*JAR_ENDINGS, b".egg"), modes=0o111)
"""What may be a program or a jar, before its content is at hand."""


def tells(head: bytes) -> bool:
    """Tell by its first bytes whether a file is a program or an archive."""
    return head[:2] == b"PK" or is_executable(head)


INSPECTORS: tuple[Inspector, ...] = tuple(
    Inspector(database.name, database.edition, PROGRAMS, tells, database.inspect, named=database.named)
    for database in DATABASES
    if database.inspect is not None
)
"""Who looks into programs and jars while a layer is scanned, by the database that reads what they find."""

_UNSEALED = (b"var/cache/", b"var/lib/apt/", b"var/lib/dpkg/", b"tmp/", b"root/", b"home/", b"run/")


def may_be_sealed(path: bytes) -> bool:
    """Tell whether a database may know the digest of a file: none does that of caches and homes, nor npm's of modules."""
    if path.startswith(b"usr/") or b"-packages/" in path:
        return True
    return not path.startswith(_UNSEALED) and b"node_modules/" not in path
