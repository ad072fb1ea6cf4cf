"""Which package databases are read?

Adding one is a module and a name in `DATABASES`.
"""

from __future__ import annotations

from layerscope.packages.apk import APK
from layerscope.packages.busybox import BUSYBOX
from layerscope.packages.chisel import CHISEL
from layerscope.packages.composer import COMPOSER
from layerscope.packages.conda import CONDA
from layerscope.packages.database import Database
from layerscope.packages.dotnet import DOTNET
from layerscope.packages.dpkg import DPKG
from layerscope.packages.gems import GEMS
from layerscope.packages.golang import GOLANG
from layerscope.packages.homebrew import HOMEBREW
from layerscope.packages.java import JAVA
from layerscope.packages.nix import NIX
from layerscope.packages.npm import NPM
from layerscope.packages.opkg import OPKG
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
    PERL, GOLANG, RUST, RUNTIMES, BUSYBOX,
)  # fmt: skip

PATTERNS: tuple[str, ...] = (
    *(pattern for database in DATABASES for pattern in database.patterns),
    *RELEASE_PATTERNS,
    "etc/passwd",
    "etc/group",
)
"""Everything worth keeping while a layer is scanned."""
