"""A sentence of the backend in pieces: wherever talk of a screen may begin or end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.gui.grammar import MASK
from agent.gui.sentences import PAIRS, span_end

__all__ = ["Piece", "pieces", "shape"]

_QUOTE = re.compile(f"[{re.escape(''.join(sign for sign in PAIRS if sign not in '(（'))}]")
"""What opens a quotation; an aside is read like the rest."""
_EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_{1,2}|_{1,2}(?!\w)")
_EMOJI = r"[☀-➿⬀-⯿\U0001f300-\U0001faff]"
_AFTER = re.compile(
    r"(?<!\d),(?!\d)|(?<=\d),(?=\s|[^\s\d])|[，、；：。！？…～;!?]+|\.(?=\s|$|[^\x00-\x7f])|:(?=\s|[^\x00-\x7f]|$)|"
    rf"\s[-–—|·•]{{1,2}}\s|—+|\n+|[)）]+|~(?=\s|[^\x00-\x7f])|{_EMOJI}[\ufe0f\u200d]*(?!{_EMOJI})"
)
"""A piece ends behind these."""
_BEFORE = re.compile(
    r"[(（]|\s(?=(?:and|or|but|so|then|where|which|while|because|if|when|whenever|once|after|before|until|unless|"
    r"to|by|via|from|under|using|use|just|please|simply|you can|you may|you could|you should|in the|on the|at the)\s)"
    r"|(?<=[^\W\d_])(?=(?:请|請|您?可以|您可|你可|可在|可到|可从|即可|就可以?|就能|便可|以便|然后|然後|再(?:点|點|按|选|選|到|去|用|把)|并(?:点|點|在|前)|並(?:點|在|前)|"
    r"点击|點擊|点按|點按|点选|點選|单击|双击|打开|打開|前往|拖[动動曳拽到入进]|后(?=[^\W\d_]|[，,。])|後(?=[^\W\d_]|[，,。])))",
    re.I,
)
"""And begins with these."""
_LEAST = 2
"""Characters of the shortest piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence, its punctuation and white space at the end."""

    start: int
    end: int
    words: str
    """As the backend said them."""
    shape: str
    """As long: quotations masked, emphasis blank, one kind of apostrophe."""


def shape(text: str) -> str:
    """As long as the text: quotations masked, emphasis blank, one kind of apostrophe."""
    found, at = "", 0
    while quoted := _QUOTE.search(text, at):
        start = quoted.start()
        past = span_end(text, start, final=True) or start + 1
        found += text[at:start] + (MASK * (past - start) if past > start + 1 else text[start])
        at = past
    plain = _EMPHASIS.sub(lambda m: " " * len(m[0]), found + text[at:])
    return plain.replace("'", "’")


def pieces(text: str) -> list[Piece]:
    """The pieces of a sentence, in order; joined they are the sentence."""
    form = shape(text)
    edges = [0, *_cuts(form), len(text)]
    return [Piece(a, b, text[a:b], form[a:b]) for a, b in zip(edges, edges[1:], strict=False) if b > a]


def _cuts(form: str) -> list[int]:
    """Where pieces begin. One of signs only goes with the one before it."""
    found = sorted({m.end() for m in _AFTER.finditer(form)} | {m.start() for m in _BEFORE.finditer(form)})
    return list(_apart(found, form))


def _apart(cuts: list[int], form: str) -> Iterator[int]:
    last = 0
    for cut in cuts:
        if len(re.findall(rf"[\w{MASK}]", form[last:cut])) >= _LEAST and re.search(rf"[\w{MASK}]", form[cut:]):
            yield cut
            last = cut
