"""Words to edits, English and Chinese, without a language model: each clause goes to the first reader that knows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from studio import asides, replacing, shows, sounds, titles, wishes
from studio.edits import Asset, Brief, Edit, Generate, Length, Place, Trim
from studio.reading import Clause, clauses
from studio.scene import Refused, Scene
from studio.subjects import generate
from studio.words import DRAW, SMALL_TALK

__all__ = ["MOST", "Asset", "Plan", "Refused", "Scene", "cost", "plan"]

MOST = 5  # credits a message can cost

_FINISH = (
    r"^\s*(?:ok(?:ay)?[, ]+)?(?:please\s+)?(?:just\s+)?(?:export|render|download|"
    r"save|finali[sz]e)\b(?!\s+an?\s+(?:realistic|photo|picture|image))"
    r"|^\s*(?:请|帮我|可以|现在|再)*(?:导出|下载|渲染|输出|保存)|send me the (?:video|file)"
)
_NEGATED = (
    r"\b(?:don'?t|do not|no|not)\b[^,]{0,12}\b(?:export|render|send|download|"
    r"sav)\w*|(?:先)?(?:不要?|别)(?:先|急着)?(?:渲染|导出|下载|保存|给我)"
)
_ON_SCREEN = r"\b(?:titles?|captions?|subtitles?|text|music|bgm|logo|watermark)\b|标题|字幕|文字|音乐|配乐|水印|[Ll]ogo"
_BEYOND = (
    r"\b(?:opacity|transparen\w*|font|bold|italics?|colou?rs?|bigger|larger|smaller|rotat\w*|flip|mirror|"
    r"crop(?! \w+ to \d)|revers\w*|backwards?|"
    r"blur\w*|filter|stickers?|emojis?|watermark|logo|duplicate|copy|split|loop|freeze|stabili[sz]e|brighter|"
    r"darker|warmer|"
    r"cooler|contrast|saturat\w*|black[- ]and[- ]white|gr[ae]yscale|sepia|green ?screen|effects?|shuffle|except|"
    r"all but|"
    r"every(?:thing)? (?:but|other)|translate|lip[- ]?sync|remove (?:the )?background(?! (?:music|track|"
    r"sound)))\b|字体|颜色|变色|"
    r"加粗|斜体|旋转|翻转|镜像|裁剪画面|倒放|倒序|打乱|模糊|滤镜|贴纸|表情|水印|logo|复制|拆分|分割|分成|切成|"
    r"循环|定格|防抖|调亮|亮一?点|"
    r"暗一?点|变暗|色调|对比度|饱和|黑白|抠图|绿幕|美颜|特效|除了|以外|翻译|(?:标题|字幕|文字).{0,4}(?:大一?点|"
    r"小一?点|放大|缩小|移)"
)

Reader = Callable[[Clause, Scene], Sequence[Edit] | Refused | None]


def _negated(clause: Clause) -> bool:
    """ "don't render it yet": nothing to do."""
    return clause.has(_NEGATED) is not None


def _finish(clause: Clause) -> bool:
    """It asks for the finished file; making one is a button's work."""
    return clause.has(_FINISH) is not None


def _beyond(clause: Clause, scene: Scene) -> Refused | None:
    """Looks, effects and cuts nobody here can make: said so, before half of the wish is taken for another."""
    drawing = clause.has(rf"^\W*(?:make|create|produce|{DRAW})|{DRAW}") and not clause.has(_ON_SCREEN)
    if not (scene.filled or clause.has(_ON_SCREEN)) or drawing or not clause.has(_BEYOND):
        return None
    return Refused("unknown", {"words": clause.raw.strip(" ,，.。!！?？")})


# The order decides who reads what: "delete the title" is no title, "make the music louder" draws nothing.
_READERS: tuple[Reader, ...] = (
    asides.vague,
    asides.another,
    asides.both,
    wishes.undo,
    _beyond,
    wishes.delete,
    titles.retitle,
    sounds.upload_sound,
    sounds.volume,
    wishes.shorten,
    titles.title,
    wishes.ratio,
    wishes.reorder,
    replacing.replace,
    shows.show,
    sounds.music,
    shows.speed,
    wishes.trim,
    wishes.length,
    shows.transition,
    shows.motion,
    shows.add_media,
    replacing.add,
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
    finish = False
    whole, refused = _asked(text, scene)
    wanted = [asides.without_kept(clause) for clause in whole]
    for clause in wanted:
        if clause is None or _negated(clause):
            continue
        if _finish(clause):
            finish = True
            continue
        answer = _read(clause, scene.after(edits))
        if isinstance(answer, Refused):
            refused.append(answer)
            if answer.key == "upload_first":  # the rest was about those files
                break
        else:
            edits += answer
    if any(isinstance(edit, Trim | Length) for edit in edits):  # "too long": how long is said
        refused = [answer for answer in refused if answer.key != "how_long"]
    if wanted != whole and not (edits or refused or finish):
        refused = [Refused("kept")]
    return Plan(tuple(_shown(edit) for edit in _joined(edits)), tuple(refused), finish)


def _asked(text: str, scene: Scene) -> tuple[list[Clause], list[Refused]]:
    """The clauses that are wishes, and the answers to those that are questions."""
    found: list[Clause] = []
    answers: list[Refused] = []
    rest = ""
    for clause in asides.joined(clauses(text)):
        if clause.raw in rest:  # the end of the same question
            continue
        if answer := asides.question(clause, scene):
            answers.append(answer)
            rest = re.split(r"[?？!！。;；\n]|\.\s", text.partition(clause.raw)[2])[0]
        else:
            found.append(clause)
    return found, answers


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
    words = clause.raw.strip(" ,，.。!！?？~～")
    talk = next((key for key, pattern in SMALL_TALK if re.fullmatch(pattern, words, re.I)), None)
    return Refused(talk or "unknown", {"words": words})


def _joined(edits: list[Any]) -> list[Edit]:
    """The same wish said twice in one message is one wish."""
    return [edit for index, edit in enumerate(edits) if edit not in edits[:index]]


def _shown(edit: Edit) -> Edit:
    """On the timeline an upload is called what its file is, without the extension."""
    if not isinstance(edit, Place):
        return edit
    sound = _stem(edit.sound) if edit.sound else None
    return replace(edit, media=tuple(_stem(asset) for asset in edit.media), sound=sound)


def _stem(asset: Asset) -> Asset:
    return replace(asset, name=PurePath(asset.name).stem or asset.name)
