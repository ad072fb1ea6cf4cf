"""How is a layer made so that nothing of it is hidden later? The fixes of groups 1 to 4 of the causes."""

from __future__ import annotations

import re

from layerscope.analysis.remedies import COPIES
from layerscope.analysis.scene import Pile, Scene
from layerscope.regex import regex

PATHS = r"((?:[^\S\n]+[^\s;&|<>{}()\\]+)*)(?=\s*(?:[;&|\n]|$))"
CHOWN = regex(rf"\bchown\s+(?:-\S+\s+)*([\w.${{}}-]+(?::[\w.${{}}-]*)?)(?:{PATHS})?")
CHMOD = regex(rf"\bchmod\s+(?:-\S+\s+)*([\w+=,-]+)(?:{PATHS})?")
ONLY = regex(r"RUN(?: --\S+)*\s+(?:(?:chown|chmod)\s[^;&|\n]*(?:&&|;|$)\s*)+")
SPLIT = regex(r"&&|\|\||[;\n|]")
REMOVES = regex(r"\s*(?:--\S+\s+)*(?:sudo\s+)?(?:rm|rmdir|unlink|mkdir|chown|chmod|ls|find|echo|true)\b")
MOVES = regex(r"\s*(?:--\S+\s+)*mv\b")
SHARED = frozenset(b"home media mnt opt root run srv tmp usr var var/cache var/lib var/tmp".split())
LAYERS, LETTERS, DEPTH = 50, 4096, 16
"""Layers, and letters of their instructions, in which the name of a file is looked for, or of so many folders around it."""
MAKES_USER = regex(r"\b(?:useradd|adduser|groupadd|addgroup)\b")
HARD_LINK = regex(r"\bln\s+(?!(?:-\S+\s+)*(?:-\w*s|--symbolic))")
IGNORED = (b"node_modules", b".git", b"__pycache__", b"target", b"dist", b"build", b".venv", b"venv")
ASPECTS = ("mode", "owner", "time", "attributes")
AGAIN = "layer {layer} is the base image's, and layer {position} stores them again: do without that, or squash"
SQUASH = "layer {layer} is the base image's: do without the change of layer {hidden_in}, or squash"


def fix_waste(scene: Scene, kind: str, position: int, hidden_in: int, pile: Pile) -> str:
    """Return one concrete thing to do about hidden bytes."""
    if position == hidden_in:
        if kind == "deleted-later":
            return f"layer {position} puts something else where their folder is: let its builder leave them out"
        return f"layer {position} stores these paths twice: let its builder write each path once"
    if scene.in_base(position):
        if scene.in_base(hidden_in):
            return "comes with the base image: choose a slimmer base, or squash"
        if kind == "deleted-later":
            return f"layer {position} is the base image's, deleting frees nothing: choose a slimmer base, or squash"
        return SQUASH.format(layer=position, hidden_in=hidden_in)
    if kind == "metadata-only-copy":
        return _metadata(scene, position, hidden_in, pile)
    adds = scene.instruction(position)
    if kind == "identical-rewrite":
        if HARD_LINK.search(scene.instruction(hidden_in)):
            return f"ln -s in layer {hidden_in}: a hard link to what layer {position} has stores it again"
        return f"store these files once: layer {hidden_in} writes again what layer {position} has"
    ignored = _ignored(scene, pile) if adds.startswith(COPIES) and kind != "deleted-later" else None
    if kind == "deleted-later":
        return _deleted(scene, position, hidden_in, pile)
    if ignored:
        return f"add {ignored} to .dockerignore: layer {hidden_in} writes anew what layer {position} copies"
    if adds.startswith(COPIES):
        return f"copy the final content in layer {position}, instead of changing it in layer {hidden_in}"
    return f"write the final content in one layer: move the change of layer {hidden_in} into layer {position}"


def _deleted(scene: Scene, position: int, hidden_in: int, pile: Pile) -> str:
    origin = scene.origin(pile.top(1)[0])
    if scene.in_base(origin):
        return AGAIN.format(layer=origin, position=position)
    adds, (user, command) = scene.instruction(origin), _user(scene, origin, hidden_in, pile)
    moved = MOVES.match(command) is not None
    again = f"layer {position} stores them again" if origin != position else ""
    if adds.startswith(COPIES):
        verb = adds.split(maxsplit=1)[0]
        if user is not None and moved:
            return f"{verb} them in layer {origin} to where layer {user} moves them"
        if user is not None and "://" in adds:
            return f"fetch them in the RUN of layer {user}, which needs them, and delete them there, instead of the {verb}"
        if user is not None:
            return f"RUN --mount=type=bind in layer {user}, which needs them, instead of the {verb} of layer {origin}"
        ignored = _ignored(scene, pile)
        narrower = f"add {ignored} to .dockerignore" if ignored else f".dockerignore, or a narrower {verb}"
        return f"do not copy them in layer {origin} ({narrower}): {again or 'deleting later frees nothing'}"
    if user is not None and moved:
        return f"put them in the RUN of layer {origin} where layer {user} moves them"
    if user is not None:
        return f"do the work of layer {user}, which needs them, in the RUN of layer {origin}, and delete them there"
    if again:
        return f"delete them in the step that makes them (layer {origin}): {again}"
    return f"delete them in the RUN that makes them (layer {position}); a later layer frees nothing"


def _user(scene: Scene, position: int, hidden_in: int, pile: Pile) -> tuple[int | None, str]:
    """Return the first layer after one that names the largest file, or a folder that is gone too, and the command that does.

    Up to the layer that deletes them.
    """
    whole = scene.path(pile.top(1)[0])
    path, file = (part.decode("utf-8", "replace")[:LETTERS] for part in (b"/" + whole, whole.rpartition(b"/")[2]))
    folders = [whole[: at.start()] for at, _ in zip(re.finditer(b"/", whole), range(DEPTH), strict=False)]
    gone = [folder for folder in folders if folder not in SHARED and folder not in scene.stack.visible]
    shown = {folder: "/" + folder.decode("utf-8", "replace") for folder in gone}
    own = [path, *([file] if len(file) > 4 else [])]
    for later in range(position + 1, min(hidden_in, position + LAYERS) + 1):
        made = scene.instruction(later)[:LETTERS]
        parts = SPLIT.split(made[3:]) if made.startswith("RUN") else []
        likely = [one for one in parts if not REMOVES.match(one) and any(name in one for name in (*shown.values(), *own))]
        if not likely:
            continue
        names = [*(name for folder, name in shown.items() if folder not in scene.folders), *own]
        named = re.compile(rf"(?<![\w./-])(?:\./)?(?:{'|'.join(map(re.escape, names))})(?![\w.-])(?!/\S)")
        for part in likely:
            if named.search(part):
                return later, part
    return None, ""


def _metadata(scene: Scene, position: int, hidden_in: int, pile: Pile) -> str:
    adds, hides = scene.instruction(position), scene.instruction(hidden_in)
    if hides.startswith(COPIES):
        return f"copy these files once: layer {hidden_in} stores again what layer {position} has"
    owner = CHOWN.search(hides) if "owner" in pile.aspects else None
    mode = CHMOD.search(hides) if "mode" in pile.aspects else None
    first = " (make the user before)" if owner and MAKES_USER.search(hides) else ""
    if adds.startswith(COPIES) and (owner or mode):
        flags = " ".join(
            flag for flag in (owner and f"--chown={owner[1]}", mode and f"--chmod={_mode(scene, mode[1], pile)}") if flag
        )
        verb = adds.split(maxsplit=1)[0]
        step = "step" if ONLY.fullmatch(hides) else " and ".join(word for word in (owner and "chown", mode and "chmod") if word)
        return f"{verb} {flags} in layer {position}{first}, and drop the {step} of layer {hidden_in}"
    if owner or mode:
        commands = [f"chown -R {owner[1]}{_paths(owner[2])}"] if owner else []
        commands += [f"chmod -R {mode[1]}{_paths(mode[2])}"] if mode else []
        user = "" if mode or not owner else f"; or put USER {owner[1].partition(':')[0] or owner[1]} before it"
        return f"end the RUN of layer {position} with: && {' && '.join(commands)}{first}{user}"
    what = " and ".join(aspect for aspect in ASPECTS if aspect in pile.aspects)
    return f"make the change of {what} in the RUN that makes the files (layer {position}): a later one copies each whole"


def _mode(scene: Scene, told: str, pile: Pile) -> str:
    """Return a mode for COPY: of a single file in octal, which every builder takes, else as chmod had it."""
    successor = scene.stack.successors[pile.rows[0]]
    if len(pile.rows) > 1 or successor < 0:
        return told
    _, index, row = scene.place(successor)
    return f"{index.modes[row]:o}"


def _paths(told: str | None) -> str:
    """Return the paths of a command as they stand in it."""
    return f" {' '.join(told.split())}" if told and told.strip() else " ..."


def _ignored(scene: Scene, pile: Pile) -> str | None:
    """Return the folder that .dockerignore should name, if most of what was copied lies in one that builds make anew."""
    found: dict[bytes, int] = {}
    for row in pile.top(20):
        for part in scene.path(row).split(b"/")[:-1]:
            if part in IGNORED:
                found[part] = found.get(part, 0) + 1
                break
    if not found:
        return None
    best = max(found, key=lambda part: found[part])
    return best.decode() if 2 * found[best] >= min(20, len(pile.rows)) else None
