"""What chat programs ask a model behind a person's back, answered without the graph: titles, tags, what to ask next.

These prompts quote the chat, so that a router would read its commands once more and export or pay a second time.
They are told by their own scaffolding, as Open WebUI 0.12 and LibreChat ship it, and never by their topic: a person who
types "### Task: make a video" means it. Whoever rewrites these prompts in their program switches them off there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from prompts import Lang, say

__all__ = ["housekeeping", "own_words"]

TITLE_WORDS = 5
TITLE = 40
"""Characters; where words are not set apart by spaces these count."""
_TASK = re.compile(r"\s*### Task:", re.I)
_QUOTES = re.compile(r"<chat_history>|^### (?:Chat History|Messages Being Compacted)", re.I | re.M)
_RULES = re.compile(r"^### \W*(?:Guidelines|Instructions)\b.*^### \W*Output\b", re.I | re.M | re.S)
_DOCUMENTS = re.compile(r"\s*### Task:\s*Respond to the user query using the provided context", re.I)
_FIELD = re.compile(r"\{\s*\\?\"(title|tags|follow_ups|queries|text|prompt)\\?\"\s*:")
_NAMED = re.compile(r"(\w+)_generation|function_calling|context_compaction")
"""What Open WebUI calls its tasks, where a version of it says so in the body."""
_CHOOSING = "choose and return the correct tool(s) from the list of available tools"
_EMOJI = "Your task is to reflect the speaker's likely facial expression through a fitting emoji"
_BLENDING = re.compile(
    r"\s*You have been provided with a set of responses from various models to the latest user query"
)
_TITLES = (
    re.compile(r"\s*Provide a concise, 5-word-or-less title for the conversation", re.I),
    re.compile(r"\s*Analyze this conversation and provide:?\s.*detected language", re.I | re.S),
    re.compile(r"\s*Write a concise title for this conversation in the detected language", re.I),
    re.compile(r"\s*Please generate a concise title \(max 40 characters\) for a conversation that starts with", re.I),
)
"""LibreChat's."""
_SPOKEN = re.compile(r"^\W{0,3}(?:user|human)\W{0,2}:[ \t]*\W{0,3}(\S.*)$", re.I | re.M)
_ANSWERS = {"tags": [], "follow_ups": [], "queries": [], "text": ""}
"""Fields whose answer needs no reading: nothing that a click sends, or that a program would search for."""
_FIELDS = {"title": "title", "tags": "tags", "follow_up": "follow_ups", "query": "queries", "autocomplete": "text"}
_FIELDS |= {"image_prompt": "prompt"}


def own_words(text: str) -> str:
    """What a person said, where Open WebUI has put documents and rules for them in front of it."""
    if not _DOCUMENTS.match(text) or "</context>" not in text:
        return text
    return text.rpartition("</context>")[2].strip()


def housekeeping(text: str, system: str, body: Mapping[str, Any], lang: Lang) -> str | None:
    """The answer to a prompt that no person wrote; None where a person did.

    `text` is the last user message, `system` what stands above the chat, `body` the rest of the request.
    """
    named = _NAMED.fullmatch(str((body.get("metadata") or {}).get("task") or "").rpartition(".")[2].lower())
    if _CHOOSING in system or (named and named[0] == "function_calling"):
        return json.dumps({"tool_calls": []})
    if text.lstrip().startswith(_EMOJI) or (named and named[1] == "emoji"):
        return "🎬"
    if _BLENDING.match(text):
        return text.partition("Responses from models:")[2].strip() or "…"
    if any(title.match(text) for title in _TITLES):
        return _title_of_libre_chat(text, body)
    if named or (_TASK.match(text) and not _DOCUMENTS.match(text) and (_QUOTES.search(text) or _RULES.search(text))):
        return _task(text, named[1] if named else None, lang)
    return None


def _task(text: str, named: str | None, lang: Lang) -> str:
    """The answer to one of Open WebUI's tasks, in the format that its prompt asks for."""
    asked = _FIELD.search(text)
    field = asked[1] if asked else _FIELDS.get(named or "", "")
    if field == "tags":
        return json.dumps({"tags": [say(lang, "openai.tag")]}, ensure_ascii=False)
    if field in _ANSWERS:
        return json.dumps({field: _ANSWERS[field]})
    quoted = _first_words(text)
    if field == "title":
        return json.dumps({"title": _short(quoted)}, ensure_ascii=False)
    if field == "prompt":
        return json.dumps({"prompt": quoted}, ensure_ascii=False)
    return _short(quoted)


def _title_of_libre_chat(text: str, body: Mapping[str, Any]) -> str:
    title = _short(_first_words(text))
    if body.get("response_format") or "Analyze this" in text:
        return json.dumps({"language": "English", "title": title}, ensure_ascii=False)
    return title


def _first_words(text: str) -> str:
    """The first line that the quoted chat has from its user."""
    quoted = text.rpartition("<chat_history>")[2]
    found = _SPOKEN.search(quoted)
    return found[1].strip() if found else ""


def _short(line: str) -> str:
    words = re.sub(r"[\"'`“”*#<>\[\]]", "", line).split()
    return " ".join(words[:TITLE_WORDS])[:TITLE].strip(" .,;:!?") or "reelchat"
