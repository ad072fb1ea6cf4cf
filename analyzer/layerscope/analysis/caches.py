"""Which folders are caches of package managers, and how are they kept out of a layer? Group 5 of the causes."""

from __future__ import annotations

from layerscope.analysis.traces import Trace


def _cache(
    tool: str,
    what: str,
    folders: str,
    clean: str,
    *,
    mount: str | None = None,
    option: bool = False,
    endings: tuple[str, ...] = (),
    files: str | None = None,
    within: str | None = None,
    named: tuple[str, ...] = (),
) -> Trace:
    """Declare a cache: `clean` removes it at the end of the RUN, or is (`option`) the way to make none."""
    if option:
        run = f"{clean} in layer {{layer}}"
    elif mount is not None:
        run = f"RUN --mount=type=cache,target={{target}} in layer {{layer}}, or end it with: && {clean}"
    else:
        run = f"end the RUN of layer {{layer}} with: && {clean}"
    return Trace(
        title=f"{tool} {what} left behind",
        folders=tuple(folders.split()),
        endings=endings,
        files=files,
        within=within,
        named=named,
        run=run,
        mount=mount,
        copy=f"keep them out of what layer {{layer}} brings in: {clean} before it is made",
    )


CONDA_HOMES = tuple(f"{name}{version}" for name in ("miniconda", "miniforge", "anaconda") for version in ("", "2", "3"))
CACHES: tuple[Trace, ...] = (
    _cache("apt", "package lists", "var/lib/apt/lists", "rm -rf /var/lib/apt/lists/*", mount="/var/lib/apt/lists"),
    _cache("apt", "downloaded packages and cache", "var/cache/apt", "apt-get clean", mount="/var/cache/apt"),
    _cache(
        "dpkg",
        "backups of its databases",
        "",
        "rm -f /var/lib/dpkg/*-old /var/cache/debconf/*-old",
        endings=("-old",),
        files=r".+-old",
        within=r"var/(?:lib/dpkg|cache/debconf)/",
        named=("dpkg", "debconf"),
    ),
    _cache("apk", "cache", "var/cache/apk etc/apk/cache", "apk add --no-cache", option=True),
    _cache("dnf", "cache", "var/cache/dnf var/cache/yum var/cache/libdnf5", "dnf clean all", mount="/var/cache/dnf"),
    _cache("zypper", "cache", "var/cache/zypp", "zypper clean --all", mount="/var/cache/zypp"),
    _cache(
        "pacman",
        "downloaded packages",
        "var/cache/pacman/pkg var/lib/pacman/sync",
        "pacman -Scc --noconfirm",
        mount="/var/cache/pacman/pkg",
    ),
    _cache("pip", "cache", "**/.cache/pip", "pip install --no-cache-dir", option=True),
    _cache("uv", "cache", "**/.cache/uv", "uv cache clean", mount="/root/.cache/uv"),
    _cache("poetry", "cache", "**/.cache/pypoetry", "poetry install --no-cache", option=True),
    _cache(
        "npm",
        "cache",
        "**/.npm/_cacache **/.npm/_logs **/.npm/_npx",
        "npm cache clean --force",
        mount="/root/.npm",
    ),
    _cache(
        "yarn",
        "cache",
        "**/.cache/yarn **/.yarn/berry/cache",
        "yarn cache clean",
        mount="/usr/local/share/.cache/yarn",
    ),
    _cache(
        "pnpm",
        "store",
        "**/.local/share/pnpm/store **/.pnpm-store",
        "pnpm store prune",
        mount="/root/.local/share/pnpm/store",
    ),
    _cache(
        "gem",
        "downloaded gems",
        "**/.bundle/cache **/.gem/specs",
        'rm -rf "$(gem env gemdir)"/cache/*.gem',
        endings=(".gem",),
        files=r".+\.gem",
        within=r".*/gems/[^/]+/cache/|.*/bundle/(?:ruby/)?[^/]+/cache/",
        named=("cache",),
    ),
    _cache(
        "go",
        "module and build cache",
        "**/go/pkg/mod/cache **/.cache/go-build",
        "go clean -cache -modcache",
        mount="/root/.cache/go-build",
    ),
    _cache(
        "cargo",
        "registry",
        " ".join(
            f"**/{home}/{place}/{what}"
            for home in ("cargo", ".cargo")
            for place in ("registry", "git")
            for what in ("cache", "src", "index", "db", "checkouts")
        ),
        'rm -rf "$CARGO_HOME"/registry',
        mount="/usr/local/cargo/registry",
    ),
    _cache("maven", "local repository", "**/.m2/repository", "rm -rf ~/.m2/repository", mount="/root/.m2"),
    _cache("gradle", "cache", "**/.gradle/caches", "rm -rf ~/.gradle/caches", mount="/root/.gradle"),
    _cache(
        "conda",
        "package cache",
        " ".join(f"**/{home}/pkgs" for home in ("conda", "micromamba", "mambaforge", *CONDA_HOMES)),
        "conda clean -afy",
        mount="/opt/conda/pkgs",
    ),
    _cache(
        "composer",
        "cache",
        "**/.composer/cache **/.cache/composer",
        "composer clear-cache",
        mount="/root/.composer/cache",
    ),
    _cache(
        "nuget",
        "http cache",
        "**/.local/share/NuGet/http-cache **/.local/share/NuGet/v3-cache",
        "dotnet nuget locals http-cache --clear",
    ),
    _cache("man-db", "index", "var/cache/man", "rm -rf /var/cache/man"),
)
