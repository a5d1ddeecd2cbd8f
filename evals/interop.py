"""Other people's formats: google-adk's evalset, out of what was played and in as dialogues to fill in.

`adk eval` runs google-adk's own agents only; what is exchanged is what was said, and which writes went over the wire
(the set's `tool_uses`, named like "POST /run_sse", their bodies as arguments).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from evals.reading import visible, writes
from evals.trace import Trace, TurnTrace

__all__ = ["evalset", "skeletons"]

APP, USER = "reelchat", "me"
_CALL = re.compile(r"(?:POST|PUT|PATCH|DELETE) /\S*")
LONGEST_COMMENT = 160


def evalset(traces: Sequence[Trace], name: str = "reelchat") -> dict[str, Any]:
    """What google-adk's `EvalSet` reads: a case a run, an invocation a turn."""
    return {
        "eval_set_id": name,
        "name": name,
        "description": "Scripted dialogues as they were played.",
        "eval_cases": [_case(trace) for trace in traces],
    }


def skeletons(found: Mapping[str, Any]) -> dict[str, str]:
    """A dialogue as YAML for each case that has a fixed conversation, by its name. Raises ValueError."""
    cases = _get(found, "eval_cases")
    if not isinstance(cases, list):
        raise ValueError("no evalset: there is no list `eval_cases` in it")
    made: dict[str, str] = {}
    for number, case in enumerate(cases, 1):
        turns = [turn for turn in _get(case, "conversation") or [] if _said(turn)]
        name = re.sub(r"\W+", "_", str(_get(case, "eval_id") or "")).strip("_") or f"case_{number}"
        while name in made:
            name += "_again"
        if turns:
            made[name] = "\n".join(_skeleton(name, str(_get(found, "eval_set_id") or "an evalset"), turns)) + "\n"
    return made


# Out


def _case(trace: Trace) -> dict[str, Any]:
    return {
        "eval_id": f"{trace.dialogue}-{trace.seed}",
        "conversation": [_invocation(trace, turn) for turn in trace.turns if turn.said],
        "session_input": {"app_name": APP, "user_id": USER, "state": {}},
    }


def _invocation(trace: Trace, turn: TurnTrace) -> dict[str, Any]:
    uses = [
        {"name": f"{one.method} {one.path}", "args": one.body if isinstance(one.body, dict) else {"parts": one.body}}
        for one in writes(turn)
    ]
    return {
        "invocation_id": f"{trace.dialogue}-{trace.seed}-{turn.number}",
        "user_content": {"role": "user", "parts": [{"text": turn.said}]},
        "final_response": {"role": "model", "parts": [{"text": visible(turn)}]},
        "intermediate_data": {"tool_uses": uses, "intermediate_responses": []},
        "creation_timestamp": turn.begun,
    }


# In


def _skeleton(name: str, source: str, turns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"dialogue: {name}"
    yield f"about: {_scalar(f'Taken from {source}: say here what it shows, and below what must come of each turn.')}"
    yield "tags: [imported]"
    yield "turns:"
    for turn in turns:
        yield f"  - user: {_scalar(_said(turn))}"
        if answer := " ".join(_text(_get(turn, "final_response")).split()):
            yield f"    # The answer there: {answer[:LONGEST_COMMENT]}"
        yield "    expect:"
        if calls := list(_calls(_get(turn, "intermediate_data"))):
            yield f"      wire: [{', '.join(_scalar(call) for call in calls)}]"
        yield r"      reply: {matches: '\S'}"


def _calls(data: Any) -> Iterator[str]:
    """Those tool uses that are writes of ours; another agent's tools have no meaning here."""
    for use in _get(data, "tool_uses") or []:
        name = str(_get(use, "name") or "")
        if _CALL.fullmatch(name):
            # Ids are other ones in every run.
            yield re.sub(r"/(?:ses|render|rn|md)_\w+", "/*", name)


def _said(turn: Any) -> str:
    return _text(_get(turn, "user_content")).strip()


def _text(content: Any) -> str:
    parts = _get(content, "parts")
    words = (_get(part, "text") for part in (parts if isinstance(parts, list) else []))
    return "".join(word for word in words if isinstance(word, str))


def _get(found: Any, name: str) -> Any:
    """A field by either spelling: the package writes camelCase or snake_case, by version."""
    if not isinstance(found, Mapping):
        return None
    head, *rest = name.split("_")
    return found.get(name, found.get(head + "".join(word.capitalize() for word in rest)))


def _scalar(text: str) -> str:
    """One line of YAML, quoted where it has to be."""
    return (
        yaml.safe_dump(text, allow_unicode=True, width=10**6, default_flow_style=True).removesuffix("\n...\n").strip()
    )
