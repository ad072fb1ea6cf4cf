"""Which layers do the tests stack? Random ones, of few names, so that everything meets everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import build
from hypothesis import strategies as st

NAMES = ("a", "b", "c")
KINDS = (
    "file", "file", "file", "folder", "folder", "symlink", "symlink", "hardlink", "hardlink", "hardlink",
    "whiteout", "whiteout", "opaque", "device", "overlay", "fifo", "aufs", "root", "bare",
)  # fmt: skip


@dataclass(frozen=True)
class Op:
    """One entry to write."""

    kind: str
    path: str
    target: str = ""
    size: int = 0
    header: dict = field(default_factory=dict)


def write(op: Op) -> bytes:
    """Return the entry."""
    about = op.header
    match op.kind:
        case "file":
            return build.entry(op.path, (op.path[-1:].encode() * op.size), **about)
        case "folder":
            return build.entry(op.path + "/", type=b"5", **{"mode": 0o755} | about)
        case "symlink":
            return build.entry(op.path, type=b"2", link=op.target, **about)
        case "hardlink":
            return build.entry(op.path, type=b"1", link=op.target, **about)
        case "whiteout":
            return build.whiteout(op.path)
        case "opaque":
            return build.opaque(op.path)
        case "device":
            return build.entry(op.path, type=b"3", devmajor=op.size % 2, **about)
        case "fifo":
            return build.entry(op.path, type=b"6", **about)
        case "overlay":
            return build.pax({"SCHILY.xattr.trusted.overlay.opaque": "y"}) + build.entry(op.path + "/", type=b"5", mode=0o755)
        case "aufs":
            return build.entry(f".wh..wh.plnk/{op.path.replace('/', '.')}", b"x" * op.size)
        case "root":
            return build.entry("./", type=b"5", mode=0o700)
        case _:
            return build.entry(op.path + "/.wh.")


def layer(ops: list[Op]) -> bytes:
    return build.tar(*map(write, ops))


def paths(depth: int = 4) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(NAMES), min_size=1, max_size=depth).map("/".join)


def targets() -> st.SearchStrategy[str]:
    links = st.lists(st.sampled_from((*NAMES, *NAMES, "..", ".")), min_size=1, max_size=4).map("/".join)
    return st.one_of(paths(), links, paths().map(lambda path: "/" + path), st.just("/"), st.just(".wh..wh.plnk/a"))


def ops() -> st.SearchStrategy[Op]:
    return st.builds(Op, st.sampled_from(KINDS), paths(), targets(), st.integers(0, 9))


def stacks(layers: int = 6, entries: int = 10) -> st.SearchStrategy[list[bytes]]:
    """Return stacks of layers, some of them listed again."""
    made = st.lists(st.lists(ops(), max_size=entries).map(layer), min_size=1, max_size=layers)
    return st.tuples(made, st.lists(st.integers(0, layers - 1), max_size=2)).map(
        lambda pair: pair[0] + [pair[0][number % len(pair[0])] for number in pair[1]]
    )


def random_op(random: Random, kinds: tuple[str, ...] = KINDS) -> Op:
    path = "/".join(random.choices(NAMES, k=random.choice((1, 1, 2, 2, 3, 4))))
    target = random.choice(("", "/", "../", "./", "../../")) + "/".join(random.choices(NAMES, k=random.choice((1, 2, 3))))
    if random.random() < 0.6:
        target = "/".join(random.choices(NAMES, k=random.choice((1, 1, 2, 2, 3))))
    return Op(random.choice(kinds), path, target, random.randrange(10))


def random_stack(random: Random) -> list[bytes]:
    layers = [layer([random_op(random) for _ in range(random.randrange(1, 12))]) for _ in range(random.randrange(1, 6))]
    return layers + random.choices(layers, k=random.choice((0, 0, 1)))
