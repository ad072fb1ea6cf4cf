"""What is in this image, what makes it fat, what do I do about it?"""

from __future__ import annotations

from dataclasses import dataclass

from layerscope.analysis.books import Books
from layerscope.analysis.causes import Cause, Certainty
from layerscope.analysis.dive import Dive
from layerscope.analysis.duplicates import DuplicateSet
from layerscope.analysis.exposures import Exposure
from layerscope.model import Image, Note, Release
from layerscope.packages.ownership import Ownership


@dataclass(frozen=True, slots=True)
class Report:
    """Every question asked once; facts, no opinions."""

    image: Image
    release: Release | None
    books: Books
    dive: Dive
    ownership: Ownership
    duplicates: tuple[DuplicateSet, ...]
    causes: tuple[Cause, ...]
    exposures: tuple[Exposure, ...]
    notes: tuple[Note, ...]

    @property
    def complete(self) -> bool:
        """Whether everything that the image promises could be read; false exactly when the exit code is 3."""
        return self.image.complete

    @property
    def duplicate_bytes(self) -> int:
        """For each set of equal live files, all copies but one."""
        return sum(group.wasted_bytes for group in self.duplicates)

    def reclaimable_bytes(self, certainty: Certainty | None = None) -> int:
        """Sum of all causes, or of those of one certainty."""
        return sum(cause.bytes for cause in self.causes if certainty in (None, cause.certainty))
