"""Material: what the rules make of a clause that names files or links: brought, used, spoken about, or written to."""

from __future__ import annotations

from router.mask import PATH, URL
from router.phrases import phrase
from router.rules import ACT, ASK, CHAT, READ_ONLY, Vote, edit, firm, votes

__all__ = ["BROUGHT", "GONE", "ROLE", "bare", "roles"]

BROUGHT = Vote("upload", 0.96, "rule", "path")
GONE = Vote("sse", 0.93, "rule", "gone")
ROLE = Vote("sse", 0.9, "rule", "role")
_MENTIONED = f"{PATH}{URL} ,:"


def bare(text: str) -> bool:
    """Whether a text is nothing but paths and links."""
    return not text.replace(PATH, "").replace(URL, "").split()


def roles(text: str, files: tuple[str, ...]) -> tuple[Vote, ...]:
    """The steps that rules see in a clause with files: two where it brings one and says what to do with it."""
    if phrase("material.gone").pattern.search(text):
        return (GONE,)
    chosen = _choose(text)
    # "a.jpg b.jpg make a slideshow of these": the verb stands behind what it is about.
    if chosen.route == "sse" and not firm(chosen) and (behind := text.lstrip(_MENTIONED)):
        chosen = _choose(behind)
    away = chosen.route in ("export", "credits", "state") and chosen.score >= ACT
    if chosen.route == "export" and chosen.because.startswith("rule:"):
        away = phrase("material.target").pattern.search(text) is not None
    if away or chosen.because.startswith("negated:") or phrase("material.content").pattern.search(text):
        return (chosen if away or chosen.route == "sse" else Vote("sse", 0.85, "rule", "content"),)
    changes = chosen.route == "sse" and firm(chosen)
    brings = phrase("material.bring").pattern.match(text) is not None
    placed = phrase("material.placed").pattern.search(text) is not None
    if changes and not brings and not any(_is_place(name) for name in files):
        # A bare name in an edit is something the project has.
        return (chosen,)
    if phrase("material.role").pattern.search(text):
        return BROUGHT, ROLE
    if (changes and not brings) or (placed and chosen.route != "upload"):
        return BROUGHT, chosen if changes else Vote("sse", 0.8, "rule", "placed")
    return (BROUGHT,)


def _choose(text: str) -> Vote:
    """What rules alone make of a clause that names files."""
    wish, cast = edit(text), votes(text)
    best = cast[0] if cast else None
    if best is None or best.route == "sse":
        return wish or best or CHAT
    if firm(wish) and wish is not None and best.score <= wish.score:
        return wish
    floor = ASK if best.route in ("export", "upload") else READ_ONLY
    if best.score < ACT and wish is not None and wish.score > best.score:
        return wish
    return best if best.score >= floor else wish or CHAT


def _is_place(name: str) -> bool:
    return "/" in name or "\\" in name
