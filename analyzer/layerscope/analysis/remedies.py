"""What is to be done about a cause, in one sentence that fits this image?"""

from __future__ import annotations

import re
from array import array
from collections import Counter

from layerscope.analysis.scene import Pile, Scene
from layerscope.analysis.traces import Trace
from layerscope.columns import add_up
from layerscope.model import Package, pick
from layerscope.regex import regex

COPIES = ("COPY", "ADD")
BASE = "comes with the base image (layer {layer}): choose a slimmer base, or {act} them and squash"
SAFE = regex(r"[\w.@%+:/=-]+")
PYTHON_TESTS = "-name tests"
"""Folders called `test` or `testing` are modules that others import: django.test, numpy.testing."""
TESTS = (
    r"\( -name test -o -name tests -o -name __tests__ -o -name spec -o -name specs \) "
    "! -path '*/@*/test' ! -path '*/gems/*/lib/*'"
)
NAMED = 3
LOCALES = ("/usr/share/locale/", "/usr/local/share/locale/")
LANGUAGE = regex(r"[a-z]{2,3}")
BUILDS = regex(r"\b(?:(?:npm|yarn|pnpm) (?:run )?build|(?:next|vite|ng|nuxt) build|tsc|webpack|rollup|esbuild)\b")
NPM_INSTALL = regex(r"\bnpm (?:install|i)\b(?! +-g| +--global)")
DEPENDENCIES = regex(r"/(?:.*?/)??(?:node_modules|site-packages|dist-packages|gems)(?=/)")


def fix_trace(scene: Scene, trace: Trace, pile: Pile) -> str:
    """Return what keeps out what a path gives away."""
    row = pile.top(1)[0]
    origin = scene.origin(row)
    if scene.in_base(origin):
        return trace.base or BASE.format(layer=origin, act="remove")
    path = "/" + scene.path(row).decode("utf-8", "backslashreplace")
    found, top = DEPENDENCIES.match(path), quoted(_top(trace, path))
    dependencies = found[0] if found else "/"
    spoken = _spoken(scene) if path.startswith(LOCALES) else []
    but = "".join(f" ! -name '{language}*'" for language in spoken)
    words = {
        "layer": origin,
        "top": top,
        "spoken": "".join(f" path-include={top}/{language}*" for language in spoken),
        "others": f"find {top} -mindepth 1 -maxdepth 1{but} -exec rm -r {{}} +" if spoken else f"rm -rf {top}",
        "entry": quoted(_top(trace, path).rpartition("/")[2]),
        "target": quoted(_target(trace, path)),
        "dependencies": quoted(dependencies),
        "tests": PYTHON_TESTS if dependencies.endswith("-packages") else TESTS,
    }
    made = scene.instruction(origin)
    way = next((fix for words_of, fix in trace.ways if re.search(words_of, made)), trace.run)
    return (trace.copy if made.startswith(COPIES) else way).format(**words)


def _top(trace: Trace, path: str) -> str:
    """Return the folder of a trace that a path is in, else the path."""
    for folder in trace.folders:
        if not folder.startswith("**/"):
            if path.startswith(f"/{folder}/"):
                return f"/{folder}"
        elif (at := path.find(f"/{folder[3:]}/")) >= 0:
            return path[: at + len(folder) - 2]
    return path if not trace.endings or "find" not in trace.run else path.rpartition("/")[0]


def _spoken(scene: Scene) -> list[str]:
    """Return the languages that the image is set to, as folders of translations are called."""
    told = (language.decode("utf-8", "replace") for language in scene.languages)
    return sorted(language for language in told if LANGUAGE.fullmatch(language))[:NAMED]


def _target(trace: Trace, path: str) -> str:
    """Return where a cache mount has to be: the usual place, the same in another home, else the folder of the trace."""
    mount = trace.mount or ""
    if path.startswith(f"{mount}/"):
        return mount
    tail = mount.removeprefix("/root")
    at = path.find(f"{tail}/") if tail != mount else -1
    return path[: at + len(tail)] if at >= 0 else _top(trace, path)


def quoted(word: str) -> str:
    """Return a word of a command line: as it is where nothing in it is special, else in quotes."""
    return word if SAFE.fullmatch(word) else "'" + word.replace("'", "'\\''") + "'"


def title_packages(scene: Scene, kind: str, pile: Pile) -> str:
    """Return which packages it is, the largest first."""
    names = [name for name, _ in _sizes(scene, pile).most_common()]
    shown = ", ".join(names[:NAMED])
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    what = {
        "build-only-packages": "needed only to build",
        "development-dependencies": "for development only",
        "recommended-only-packages": "only recommended",
    }[kind]
    return f"{shown}{more}: {what}"


def fix_packages(scene: Scene, kind: str, pile: Pile) -> str:
    """Return how a layer is made without packages."""
    origin = scene.origin(pile.top(1)[0])
    if scene.in_base(origin):
        return BASE.format(layer=origin, act="remove")
    packages = _packages(scene, pile)
    where = f"layer {origin}"
    if kind == "recommended-only-packages":
        return f"apt-get install --no-install-recommends in {where}, naming those that you need"
    if kind == "development-dependencies":
        return _omit_development(scene, origin, packages[0])
    asked = [package for package in packages if package.reason == "asked"] or [
        package for package in packages if package.reason != "dependency"
    ]
    if not scene.instruction(origin).startswith("RUN"):
        return f"build in a stage of its own and leave them out of what {where} brings in"
    if asked and all(package.reason == "recommended" for package in asked):
        return f"apt-get install --no-install-recommends in {where}"
    names = " ".join(quoted(package.name) for package in asked[:NAMED]) or quoted(packages[0].name)
    names += " ..." if len(asked) > NAMED else ""
    purge = {
        "deb": f"apt-get purge -y --auto-remove {names}",
        "apk": f"apk del {names}",
        "rpm": f"dnf remove -y {names}",
    }.get(packages[0].type, f"remove {names}")
    return f"build in a first stage and COPY --from it; or end the RUN of {where} with: && {purge}"


def _omit_development(scene: Scene, origin: int, package: Package) -> str:
    made = scene.instruction(origin)
    command = "npm install --omit=dev" if NPM_INSTALL.search(made) else "npm ci --omit=dev"
    if b"/.pnpm/" in package.location:
        command = "pnpm install --prod"
    for manager, option in (
        ("yarn", "yarn install --production"),
        ("pnpm", "pnpm install --prod"),
        ("composer", "composer install --no-dev"),
    ):
        if re.search(rf"\b{manager}\b", made):
            command = option
    if made.startswith(COPIES):
        return f"add node_modules to .dockerignore, and RUN {command} instead of copying it in layer {origin}"
    if any(BUILDS.search(layer.instruction) for layer in scene.image.layers[origin:]):
        return f"build in a first stage; in the last one {command} instead of layer {origin}"
    return f"{command} in layer {origin}"


def _packages(scene: Scene, pile: Pile) -> list[Package]:
    """Return the packages of a pile, the largest first."""
    sizes = _shares(scene, pile)
    return [scene.packages[number] for number in sorted(sizes, key=lambda number: -sizes[number])]


def _sizes(scene: Scene, pile: Pile) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for number, size in _shares(scene, pile).items():
        sizes[scene.packages[number].name] += size
    return sizes


def _shares(scene: Scene, pile: Pile) -> dict[int, int]:
    """Return how much of a pile each package has that is there, by its number, as they come."""
    owners = array("i", pick(scene.column, pile.rows))
    sums = add_up(owners, pile.sizes, b"\1" * len(owners))
    return {number: sums[number][1] for number in dict.fromkeys(owners) if number in scene.packages}
