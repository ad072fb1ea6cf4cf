"""Which of the images in there is meant?"""

from __future__ import annotations

from contextlib import suppress
from itertools import zip_longest

from layerscope.archive.config import ConfigDocument, read_config
from layerscope.archive.container.base import Container, Member
from layerscope.archive.documents import parse
from layerscope.archive.layouts.candidate import Candidate, Found
from layerscope.archive.layouts.discovery import find_images
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError, SelectionError
from layerscope.frozen import frozen
from layerscope.model import Level


@frozen
class ImageSummary:
    """One line of the list of images: what it is called, what it runs on, what of it is there.

    missing   layers whose blobs are not there
    readable  whether its config, or the tar that it is, can be read
    """

    names: tuple[str, ...]
    platform: str | None
    config_digest: str | None
    layers: int
    missing: int
    layout: str
    id: str | None = None  # what `--image` takes where there is neither name nor digest
    readable: bool = True

    @property
    def complete(self) -> bool:
        """Whether every blob is in the archive."""
        return self.readable and not self.missing

    @property
    def there(self) -> bool:
        """Whether anything of it is in the archive: platforms that were not pulled are not."""
        return not self.layers or self.missing < self.layers


def familiar(name: str) -> str:
    """Return an image's name as people write it: without docker.io/library/ (A03)."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def platform_of(container: Container, candidate: Candidate) -> str | None:
    """Return the platform that a candidate's config tells, else its descriptor's (A50)."""
    try:
        return document_of(container, candidate, Notebook()).config.platform or candidate.platform
    except ArchiveError:
        return candidate.platform


def summarize(container: Container, found: Found) -> tuple[ImageSummary, ...]:
    """Return a line for each image, sorted by name: the order of manifest.json is random (A14)."""
    lines = [
        ImageSummary(
            names=tuple(map(familiar, one.names)),
            platform=platform_of(container, one),
            config_digest=one.config_digest,
            layers=len(one.layers),
            missing=sum(layer.member is None and not layer.foreign for layer in one.layers),
            layout=one.layout,
            id=one.config_name.partition("/")[0][:12],
            readable=_tells(container, one),
        )
        for one in found.candidates
    ]
    return tuple(sorted(lines, key=lambda line: (line.names, line.platform or "", line.config_digest or "")))


def _tells(container: Container, candidate: Candidate) -> bool:
    """Whether a candidate's config is there and can be read."""
    try:
        document_of(container, candidate, Notebook())
    except ArchiveError:
        return False
    return True


def choose(container: Container, found: Found, image: str | None, platform: str | None) -> Candidate:
    """Return the image that is meant; SelectionError with the list if that is not one."""
    pool = list(found.candidates)
    if image is not None:
        pool = [one for one in pool if answers_to(one, image)]
    if platform is not None:
        told = [(one, platform_of(container, one)) for one in pool]
        pool = [one for one, have in told if _same_platform(have, platform)]
        if not pool and platform.endswith("arm64/v8"):  # which is what arm64 alone means
            pool = [one for one, have in told if _same_platform(have, platform.removesuffix("/v8"))]
    there = [one for one in pool if one.present and (not one.layers or any(layer.member for layer in one.layers))]
    pool = there or pool
    if len(pool) == 1:
        return pool[0]
    if not found.candidates:
        reason = next((f": {note.message}" for note in container.notes.freeze() if note.level is not Level.INFO), "")
        raise ArchiveError(f"{container.called} holds no image that can be read{reason}", id="A33")
    summaries = summarize(container, found)
    alike = len({(line.names, line.platform) for line in summaries}) < len(summaries)
    lines = tuple(describe(line, digest=alike) for line in summaries)
    if not pool:
        wish = " ".join(filter(None, (image, platform)))
        raise SelectionError(f"{container.called} holds no image {wish!r}; it holds", lines)
    broken = next((note for note in container.notes.freeze() if note.level is Level.ERROR), None)
    if broken is not None:  # nobody would have to choose if it were whole
        held = "; ".join(lines)
        raise ArchiveError(
            f"{broken.message}; what is left holds {len(pool)} images to choose from with --image: {held}", id=broken.id
        )
    raise SelectionError(f"{container.called} holds {len(pool)} images; choose one with --image or --platform", lines)


def describe(line: ImageSummary, *, digest: bool = False) -> str:
    """Return a summary as a line for people; with the digest where names do not tell images apart."""
    name = ", ".join(line.names) or line.config_digest or line.id or "(no name)"
    layers = f"{line.layers} layer{'s' * (line.layers != 1)}"
    told = f"  {line.config_digest[:19]}" if digest and line.names and line.config_digest else ""
    state = "" if line.complete else ", not all in the archive"
    return f"{name}  {line.platform or 'unknown platform'}  {layers}{told}{state}"


def answers_to(candidate: Candidate, wish: str) -> bool:
    """Whether an image has that name (a missing tag means latest), or a digest that begins so."""
    wanted = familiar(wish)
    for name in map(familiar, candidate.names):
        if name in (wanted, f"{wanted}:latest"):
            return True
    bare = wish.removeprefix("sha256:")
    digests = (candidate.config_digest, candidate.manifest_digest)
    return len(bare) >= 6 and (
        candidate.config_name.startswith(bare)
        or any(digest and digest.partition(":")[2].startswith(bare) for digest in digests)
    )


def _same_platform(have: str | None, wish: str) -> bool:
    if have is None:
        return False
    return have == wish or have.startswith(wish + "/") or have.partition("/")[2] == wish


def list_layers(container: Container) -> list[tuple[frozenset[str], ...]]:
    """Return of all images in a container digests and diff IDs of each layer, base first, as it claims them."""
    listed = find_images(container)
    if listed is None:
        return []
    found = []
    for candidate in listed.candidates:
        told: tuple[str | None, ...] = ()
        with suppress(ArchiveError):
            told = document_of(container, candidate, Notebook()).diff_ids or ()
        digests = ((layer.digest, layer.diff_id) for layer in candidate.layers)
        layers = zip_longest(digests, told, fillvalue=None)
        found.append(tuple(frozenset(one for one in (*(pair or ()), diff_id) if one) for pair, diff_id in layers))
    return found


def find_member(container: Container, image: str | None, platform: str | None, position: int) -> Member | None:
    """Return where the container holds a layer of an image; None if the container is the layer."""
    found = find_images(container)
    if found is None:
        return None
    return choose(container, found, image, platform).layers[position].member


def document_of(container: Container, candidate: Candidate, notes: Notebook) -> ConfigDocument:
    """Return what a candidate's config says."""
    if candidate.inline_config is not None:
        data = candidate.inline_config
    elif candidate.config is not None:
        data = container.read(candidate.config)
    else:
        raise ArchiveError(f"the config {candidate.config_name} is not in the archive", id="A33")
    value = parse(data, "the config", container.settings.limits, notes)
    if not isinstance(value, dict):
        raise ArchiveError("the config is not an object", id="E06")
    return read_config(value, notes)
