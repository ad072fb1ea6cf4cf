"""What is this id: what does it mean, why does it matter, what is to be done? As text, one and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layerscope.analysis.kinds import KINDS
from layerscope.render.options import Options
from layerscope.render.words import left, wrap

NOTES: tuple[tuple[str, str, str, str], ...] = (
    ("A02", "a link of the archive leads nowhere", "Its layer cannot be read.", "Save the image again."),
    ("A06", "manifest.json and index.json disagree", "Tools differ in which one they believe.", "Save the image again."),
    ("A09", "a layer is not in the archive", "Its files are missing from every number.", "Pull all platforms, then save."),
    ("A33", "a document or blob is missing or unreadable", "The report is not complete.", "Save the image again."),
    (
        "A35",
        "a root file system without an image",
        "There is no history and no config.",
        "docker save instead of docker export.",
    ),
    ("A36", "the input is no image", "There is nothing to report.", "Give what docker save or skopeo wrote."),
    (
        "A37",
        "a layer that archives leave out on purpose",
        "Its bytes are not counted.",
        "Nothing; it comes from its own address.",
    ),
    ("A45", "bytes that no part of this image uses", "They take room on disk.", "Save the image alone."),
    (
        "A50",
        "index and config name different platforms",
        "Readers that go by one see another image than those that go by the other.",
        "Build the image again; find out who wrote the index.",
    ),
    ("A51", "a name that stands twice in the archive", "Tools differ in which one they read.", "Do not trust this archive."),
    ("B01", "the image has no history", "No instruction can be named.", "Let the builder keep the history."),
    ("B02", "fewer history rows than layers", "The last layers have no instruction.", "Let the builder keep the history."),
    ("B03", "more history rows than layers", "The last rows made no layer.", "Nothing."),
    ("B10", "config and manifest tell of different layers", "One of them is wrong.", "Save the image again."),
    ("B11", "a digest is not what is claimed", "The bytes were changed.", "Do not trust this archive."),
    ("C03", "a whiteout of what is not there", "It deletes nothing.", "Nothing; some builders write them."),
    (
        "C12",
        "a folder replaces a symlink",
        "What the link led to is hidden.",
        "COPY to where the link leads (usr/bin, not bin).",
    ),
    ("C28", "a hard link before its target", "Runtimes cannot unpack the layer.", "Build the layer again."),
    ("C29", "a hard link to a lower layer", "Some runtimes cannot unpack the layer.", "Use another builder, or copy the file."),
    ("C31", "a hard link to what is not there", "Runtimes cannot unpack the layer.", "Build the layer again."),
    ("C54", "a damaged tar header", "The layer ends there; the report is not complete.", "Save the image again."),
    ("C55", "a layer that is cut short", "Its last files are missing; the report is not complete.", "Save the image again."),
    ("D09", "compressed in a way that OCI does not allow", "Registries may refuse the layer.", "Compress with gzip or zstd."),
    ("D10", "the media type lies about the compression", "Some runtimes refuse the layer.", "Build or push it again."),
    ("E03", "a link out of the folder", "It is not followed.", "Look why it is there."),
    (
        "P01",
        "a package database that is damaged in part",
        "Packages may be missing, and their files have no owner.",
        "Do not edit or cut package databases.",
    ),
    (
        "P02",
        "a program that is packed",
        "What it was built from cannot be told, so it has no package; it is unpacked in memory at every start.",
        "Ship it as it was linked: layers are compressed anyway.",
    ),
    ("E10", "a limit was reached", "The input may be made to exhaust machines.", "--limit NAME=VALUE, if you trust it."),
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """An id, what kind of thing it names ("cause", "note", "rule"), and what there is to say about it.

    sure  how sure or how grave it is: "fact", "warning"; empty where that varies
    """

    id: str
    kind: str
    summary: str
    why: str
    fix: str
    sure: str = ""


def explain_causes() -> tuple[Explanation, ...]:
    """Return what the causes are, in the order in which they claim bytes."""
    return tuple(Explanation(kind.id, "cause", kind.summary, kind.why, kind.fix, kind.certainty.value) for kind in KINDS)


def explain_notes() -> tuple[Explanation, ...]:
    """Return what the more common notes are."""
    return tuple(Explanation(id_, "note", *said) for id_, *said in NOTES)


def explanation_text(found: Explanation, options: Options) -> str:
    """Return everything about one id."""
    kind = f"{found.kind}, {found.sure}" if found.sure else found.kind
    lines = [f"{options.paint(found.id, 'title')}  ({kind})", ""]
    for label, said in (("what", found.summary), ("why", found.why), ("fix", found.fix)):
        lines += wrap(said, options.columns, indent="      ", first=f"{label:4}  ")
    return "\n".join(lines) + "\n"


def explanations_text(registries: Mapping[str, Iterable[Explanation]], options: Options) -> str:
    """Return a line for each id that can be explained, by kind."""
    sections = []
    for title, registry in registries.items():
        rows = list(registry)
        width = max((len(row.id) for row in rows), default=0)
        sure = max((len(row.sure) for row in rows), default=0)
        lines = [options.paint(title.upper(), "title")]
        for row in rows:
            head = f" {left(row.id, width)}  {left(row.sure, sure) + '  ' if sure else ''}"
            lines += wrap(row.summary, options.columns, indent=" " * len(head), first=head)
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"
