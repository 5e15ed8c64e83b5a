"""What a film says of itself beside pictures and sound: timecode, title and chapters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from app.media.film_clock import AV_TIME_BASE

TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;.]\d\d")
# More are no chapters of a film, but the work of a broken program; the further ones are left out.
MOST_CHAPTERS = 1000
# Length at which titles are cut, for the same reason.
MOST_LETTERS = 1000
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a film with a title; times in seconds from the start of the file."""

    start_s: Fraction
    end_s: Fraction
    title: str


@dataclass(frozen=True, slots=True)
class FilmLabels:
    """Labels of a film that its copy keeps."""

    # SMPTE timecode of the first frame, with `;` before the frames in drop frame; None without one.
    timecode: str | None = None
    title: str = ""
    chapters: tuple[Chapter, ...] = ()

    def until(self, end_s: Fraction) -> FilmLabels:
        """Return the labels of a film that ends at this time.

        A part of a film may name the chapters of the whole; in MP4, where they are a track, it
        would be as long.
        """
        begun = [chapter for chapter in self.chapters if chapter.start_s < end_s]
        cut = [replace(chapter, end_s=min(chapter.end_s, end_s)) for chapter in begun]
        return replace(self, chapters=tuple(cut))

    def write(self, container: OutputContainer, stream: VideoStream) -> None:
        """Add the labels to a film whose header is not written yet. stream: that of its frames."""
        if self.timecode is not None:
            # Where FFmpeg looks for it first: MP4 and MOV have a track of their own for it.
            if container.format.name == "matroska":
                container.metadata["timecode"] = self.timecode
            else:
                stream.metadata["timecode"] = self.timecode
        if self.title:
            container.metadata["title"] = self.title
        if self.chapters:
            container.set_chapters(
                [
                    {
                        "id": number,
                        "start": round(chapter.start_s / MILLISECOND),
                        "end": round(chapter.end_s / MILLISECOND),
                        "time_base": MILLISECOND,
                        "metadata": {"title": chapter.title},
                    }
                    for number, chapter in enumerate(self.chapters, start=1)
                ]
            )


NO_LABELS = FilmLabels()


def labels_of(container: InputContainer, stream: VideoStream, first: VideoFrame) -> FilmLabels:
    """Return the labels of a film. first: its first frame."""
    title = container.metadata.get("title", "").strip()[:MOST_LETTERS]
    return FilmLabels(_timecode(container, stream, first), title, _chapters(container))


def _timecode(container: InputContainer, stream: VideoStream, first: VideoFrame) -> str | None:
    """Return the timecode that the file names, else that of its first frame, unless the encoder
    began at zero.
    """
    tags_of_data = [data.metadata for data in container.streams.data]
    for tags in (stream.metadata, container.metadata, *tags_of_data):
        timecode = _timecode_among(tags)
        if timecode:
            return timecode
    # PyAV 17, the last one for Python 3.10, reads no metadata of a frame.
    timecode = _timecode_among(getattr(first, "metadata", {}))
    if any(digit in timecode for digit in "123456789"):
        return timecode
    return None


def _timecode_among(tags: Mapping[str, str]) -> str:
    for key, value in tags.items():
        if key.lower() == "timecode":
            return value if TIMECODE.fullmatch(value) else ""
    return ""


def _chapters(container: InputContainer) -> tuple[Chapter, ...]:
    """Return the chapters in the order of their starts, without those that end before the film
    starts.
    """
    start_s = Fraction(container.start_time or 0, AV_TIME_BASE)
    chapters = []
    for chapter in container.chapters()[:MOST_CHAPTERS]:
        unit_s = chapter["time_base"] or MILLISECOND
        from_s = max(chapter["start"] * unit_s - start_s, Fraction(0))
        to_s = chapter["end"] * unit_s - start_s
        title = chapter["metadata"].get("title", "")[:MOST_LETTERS]
        if to_s > from_s:
            chapters.append(Chapter(from_s, to_s, title))
    return tuple(sorted(chapters, key=lambda chapter: chapter.start_s))
