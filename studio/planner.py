"""Words to edits, English and Chinese, without a language model: each clause goes to the first reader that knows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from studio import shows, sounds, titles, wishes
from studio.edits import Asset, Brief, Edit, Generate, Place
from studio.reading import Clause, clauses
from studio.scene import Refused, Scene
from studio.subjects import generate

__all__ = ["MOST", "Asset", "Plan", "Refused", "Scene", "cost", "plan"]

MOST = 5  # credits a message can cost

Reader = Callable[[Clause, Scene], Sequence[Edit] | Refused | None]

# The order decides who reads what: "delete the title" is no title, "make the music louder" draws nothing.
_READERS: tuple[Reader, ...] = (
    wishes.undo,
    wishes.delete,
    titles.retitle,
    sounds.upload_sound,
    sounds.volume,
    wishes.shorten,
    titles.title,
    wishes.ratio,
    wishes.reorder,
    shows.show,
    sounds.music,
    wishes.speed,
    wishes.trim,
    wishes.length,
    wishes.transition,
    wishes.motion,
    shows.add_media,
    generate,
)


@dataclass(frozen=True)
class Plan:
    """What a message asks for. `finish`: it asks for the file itself, which a button does."""

    edits: tuple[Edit, ...] = ()
    refused: tuple[Refused, ...] = ()
    finish: bool = False


def plan(text: str, scene: Scene) -> Plan:
    """Pure: the same words on the same scene give the same plan."""
    edits: list[Edit] = []
    refused: list[Refused] = []
    finish = False
    for clause in clauses(text):
        if wishes.negated(clause):
            continue
        if wishes.finish(clause):
            finish = True
            continue
        answer = _read(clause, scene.after(edits))
        if isinstance(answer, Refused):
            refused.append(answer)
            if answer.key == "upload_first":  # the rest was about those files
                break
        else:
            edits += answer
    return Plan(tuple(_joined(edits)), tuple(refused), finish)


def cost(edits: Sequence[Edit]) -> int:
    """Credits: a film from a brief 5, pictures 2, any other edit 1; at most 5 a message, nothing for nothing."""
    return min(MOST, sum(_price(edit) for edit in edits))


def _price(edit: Edit) -> int:
    if isinstance(edit, Brief):
        return MOST
    if isinstance(edit, Place):
        return MOST if len(edit.media) > 1 and edit.fresh else 1
    return 2 if isinstance(edit, Generate) else 1


def _read(clause: Clause, scene: Scene) -> Sequence[Edit] | Refused:
    for reader in _READERS:
        answer = reader(clause, scene)
        if answer is not None:
            return answer
    return Refused("unknown", {"words": clause.raw.strip(" ,，.。!！?？")})


def _joined(edits: list[Any]) -> list[Edit]:
    """The same wish said twice in one message is one wish."""
    return [edit for index, edit in enumerate(edits) if edit not in edits[:index]]
