"""From text to ETC's inputs: words, and above them a global step for every sentence, paragraph and heading.

Plain text has paragraphs between empty lines; Markdown and HTML have headings too, each of which is above all
that follows it, up to the next of its rank.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal

import numpy as np
from jaxtyping import Bool

Format = Literal["text", "markdown", "html"]
Kind = Literal["sentence", "paragraph", "heading"]

_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][\"'”’)])\s+")
_MARKDOWN_HEADING = re.compile(r"^(#{1,6})\s+(.*?)#*\s*$")
_HTML_HEADING = re.compile(r"h([1-6])")
_HTML_BREAKS = ("p", "div", "li", "td", "th", "tr", "section", "article", "blockquote", "pre", "br", "body")
_HTML_SILENT = ("script", "style", "head", "template")


@dataclass(frozen=True)
class Span:
    """One global step: the words from `start` to before `end`; `rank` is that of a heading, 1 to 6."""

    kind: Kind
    start: int
    end: int
    rank: int = 0


@dataclass(frozen=True)
class Document:
    """The words of a text and the spans above them, headings first, then paragraphs, then sentences."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]

    def member(self, max_global: int, max_words: int) -> Bool[np.ndarray, "global time"]:
        """Whether each word belongs to each global step, cut or padded to sizes; see `Structure.member`."""
        member = np.zeros((max_global, max_words), bool)
        for row, span in zip(member, self.spans, strict=False):
            row[span.start : span.end] = True
        return member


def read_document(text: str, form: Format = "text") -> Document:
    """The words and spans of a text.

    >>> read_document("# Pears\\n\\nRipe ones fall. Wait.", "markdown").spans[0]
    Span(kind='heading', start=0, end=5, rank=1)
    """
    words: list[str] = []
    headings: list[tuple[int, int]] = []
    lower: list[Span] = []
    for rank, paragraph in _paragraphs(text, form):
        start = len(words)
        sentences = [paragraph] if rank else _SENTENCE.split(paragraph)
        for sentence in sentences:
            first = len(words)
            words += sentence.split()
            if len(words) > first:
                lower.append(Span("sentence", first, len(words)))
        if len(words) == start:
            continue
        if rank:
            headings.append((rank, start))
        lower.append(Span("paragraph", start, len(words)))
    above = [
        Span("heading", start, _end(headings, place, len(words)), rank)
        for place, (rank, start) in enumerate(headings)
    ]
    order = ("paragraph", "sentence")
    return Document(tuple(words), (*above, *sorted(lower, key=lambda span: order.index(span.kind))))


def _end(headings: list[tuple[int, int]], place: int, num_words: int) -> int:
    rank = headings[place][0]
    return next((start for other, start in headings[place + 1 :] if other <= rank), num_words)


def _paragraphs(text: str, form: Format) -> list[tuple[int, str]]:
    """Rank, 0 for what is no heading, and text."""
    if form == "html":
        reader = _HtmlReader()
        reader.feed(text)
        reader.close()
        return reader.finished()
    found: list[tuple[int, str]] = []
    for part in re.split(r"\n\s*\n", text):
        lines: list[str] = []
        for line in part.splitlines():
            heading = _MARKDOWN_HEADING.match(line) if form == "markdown" else None
            if heading is None:
                lines.append(line)
                continue
            found += [(0, " ".join(lines)), (len(heading[1]), heading[2])]
            lines = []
        found.append((0, " ".join(lines)))
    return found


class _HtmlReader(HTMLParser):
    """Collects paragraphs and headings; scripts and styles are no text."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[tuple[int, str]] = []
        self._parts: list[str] = []
        self._rank = 0
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        heading = _HTML_HEADING.fullmatch(tag)
        if heading or tag in _HTML_BREAKS:
            self._close()
        self._rank = int(heading[1]) if heading else self._rank
        self._silent += tag in _HTML_SILENT

    def handle_endtag(self, tag: str) -> None:
        if _HTML_HEADING.fullmatch(tag) or tag in _HTML_BREAKS:
            self._close()
            self._rank = 0
        self._silent = max(self._silent - (tag in _HTML_SILENT), 0)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(data)

    def finished(self) -> list[tuple[int, str]]:
        """All that was found."""
        self._close()
        return self._found

    def _close(self) -> None:
        if text := " ".join("".join(self._parts).split()):
            self._found.append((self._rank, text))
        self._parts = []
