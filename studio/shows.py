"""Readers of wishes to use what was uploaded, and for how pictures move and follow each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, cast

from studio import tracks
from studio.edits import Asset, Edit, Length, Motion, Move, Place, Speed, Transition
from studio.reading import NUMBER, Clause, durations, number, ordinal
from studio.scene import Refused, Scene
from studio.wishes import one, shape
from studio.words import DRAW

__all__ = ["add_media", "at", "files_named", "files_unused", "motion", "show", "speed", "transition"]

Answer = Sequence[Edit] | Refused | None

_THINGS = (
    r"(?:images?|photos?|pictures?|pics?|stills?|clips?|videos?|footage|files?|"
    r"uploads?|shots?|assets?|media|materials?)"
)
_MINE = (
    r"\b(?:this|these|those|my|our|the(?= uploaded)|the)\s+(?:(?:two|three|four|"
    rf"five|six|\d+|still|own|uploaded|product|travel|holiday|family)\s+)*{_THINGS}\b"
    rf"|\b(?:uploaded|attached)\s+{_THINGS}|\bfrom (?:my|the|these) |\bmy (?:text "
    r"or )?images\b|\b(?:two|three|four|five|six|\d+) product photos?\b"
    r"|(?:这|那|我的|我们的|上传的|以上)(?:一?些|一?[张段个组]|几[张段个]|[一二两三四五六七八九十\d]+[张段个])?(?:产品|"
    r"旅行)?(?:的)?(?:图|照片|相片|视频|素材|文件|片段)"
)
_MAKE = (
    r"\b(?:turn|make|create|creating|generate|generating|animate|convert|transform|"
    r"combine|build|use|using|edit|merge|stitch|put|slideshow|into|bring)\b"
    r"|做|制作|生成|变成|转成|合成|拼|剪成|把|用|让"
)
_IT = (
    r"\b(?:turn|make|animate|convert|transform|bring|use|combine|edit|put)\b\s+(?:all of |both of )?"
    r"(?:it|them|these|those|this|that|both|everything)\b(?!\s+(?:\w+\s+)?(?:music|title|song))|(?:把|将|用|"
    r"让)(?:它们?|这些?|那些?|这个|这俩|照片|图片|图|素材)"
)
_INTO = (
    r"\b(?:into|to life)\b|\bmake \w+ (?:an?|move)\b|\banimate\b|\bcombine\b|[做变转剪合拼][成到为]|动起来|合成|"
    r"做一?[个段条支]"
)
_ALL = r"\ball (?:of )?(?:my|the|these|those)?|所有|全部"
_EACH = r"\b(?:each|per|every|apiece)\b|每[张段个幅]|各"
_ONE = (
    r"\b(?:this|that|the)\s+(?:\w+\s+)?(?:image|photo|picture|pic|still|clip|"
    r"video|shot)\b|\bmy (?:\w+ )?(?:image|photo|picture)\b|这一?[张段个](?:图|"
    r"照片|视频|片段)|让这?[张]"
)
_SHOW = r"\bslide ?show\b|幻灯片|相册视频"
_FILM = r"\b(?:promo\w*|advert\w*|ad|commercial|trailer|teaser|video|film|montage|reel)\b|宣传片|广告|视频|短片|影片"
_ADDED = (
    r"\b(?:add|append|insert)\b|\b(?:put|place) (?:my|this|the|these)\b(?!.*\btogether\b)|加[到上在进]?|添加|插[入到]"
)
_PUT_IT = (
    r"\b(?:add|append|insert) (?:it|them|these|those|this|that)\b(?!\s*\w*\s*(?:music|title|song))|把(?:它们?|"
    r"这[些个张])加"
)
_NOT_SHOWN = (
    r"\b(?:title|caption|music|bgm|volume|trim|cut|delete|remove|move(?= \w)(?! for)|swap)\b|标题|字幕|音乐|剪到|"
    r"剪掉|放到|加到"
)
_TIMES = (
    r"(?P<a>\d+(?:\.\d+)?)\s*(?:x\b|倍|times\b)|\bx\s*(?P<b>\d+(?:\.\d+)?)|\b(?P<c>double|"
    r"twice|half|triple)\b|(?P<d>[一两二三四五六七八九十]+|半)倍"
)
_FILE = r"\b[\w-]+\.(?:jpe?g|png|gif|webp|heic|mp4|mov|avi|webm|mkv|mp3|wav|m4a|aac)\b"
_HEARD = r"\b(?:audio|voice\S*|sound|narration|recording|music|mp3)\b|音频|配音|录音|声音"
_SOUND_OR_WORDS = r"\b(?:music|bgm|song|soundtrack|titles?|captions?|text|voice)\b|音乐|配乐|标题|字幕|配音"
_STILL = r"\b(?:no|without) (?:any )?(?:motion|movement)\b|静止"


def show(clause: Clause, scene: Scene) -> Answer:
    """ "turn these photos and audio into a 30-second promo", "turn it into a clip"."""
    named = files_named(clause, scene)
    slides = clause.has(_SHOW) is not None
    if clause.has(_NOT_SHOWN) or (named and not (clause.has(_MAKE) or slides)):
        return None
    it = clause.has(_IT) is not None and clause.has(_INTO) is not None
    mine = clause.has(_MINE) is not None and clause.has(_MAKE) is not None
    bare = (
        bool(scene.pictures) and clause.has(_FILM) is not None and clause.has(_MAKE) is not None and not _about(clause)
    )
    if not (named or slides or it or mine or bare):
        return None
    if clause.has(r"^\s*(?:make|keep) (?:it|the (?:video|clip|film))\b(?!.*\binto\b| an? | move\b)") and not named:
        return None
    spans = durations(clause)
    media = named or _meant(clause, scene, slides)
    total = spans[0].ms * (max(1, len(media)) if clause.has(_EACH) else 1) if spans else None
    canvas = shape(clause) or []
    if not media:
        return _nothing_uploaded(clause, scene, total, canvas)
    if clause.has(_ADDED) and not slides:
        return None
    sound = _sound(clause, scene) if len(media) > 1 or clause.has(_HEARD) else None
    return [Place(media, total, True, sound), *canvas, *([Motion("none")] if clause.has(_STILL) else [])]


def files_named(clause: Clause, scene: Scene) -> tuple[Asset, ...]:
    """Uploads called by their file names."""
    return tuple(asset for asset in scene.pictures if asset.name.lower() in clause.raw.lower())


def _meant(clause: Clause, scene: Scene, slides: bool) -> tuple[Asset, ...]:
    """What "it", "them", "my photo" are: uploads not on the timeline yet; nothing where only what is there is left."""
    fresh = files_unused(scene)
    one = clause.has(_ONE) is not None and not slides
    if one or not (slides or clause.has(_MINE)):
        return fresh[-1:] if one else fresh
    return scene.pictures if len(fresh) < 2 or clause.has(_ALL) else fresh


def files_unused(scene: Scene) -> tuple[Asset, ...]:
    """Uploads that are not on the timeline."""
    there = {piece["m"].get("src") for piece in tracks.lane(scene.draft, tracks.VIDEO)}
    return tuple(asset for asset in scene.pictures if asset.id not in there)


def add_media(clause: Clause, scene: Scene) -> Answer:
    """ "add a.jpg", "add my photo at the start": beside what is there, nothing replaced."""
    named = files_named(clause, scene)
    if not named and clause.has(_ADDED) and clause.has(rf"{_MINE}|{_PUT_IT}"):
        fresh = files_unused(scene) or scene.pictures
        named = fresh[-1:] if clause.has(_ONE) else fresh
        if not named and clause.has(_MINE) and not clause.quotes:
            return Refused("upload_first")
    if not named:
        return Refused("upload_first") if clause.has(_FILE) else None
    spans = durations(clause)
    total = spans[0].ms * (len(named) if clause.has(_EACH) else 1) if spans else None
    return [Place(named, total), *at(clause, len(named))]


def at(clause: Clause, count: int) -> list[Edit]:
    """New pictures come last; said to be elsewhere, they are moved there."""
    numbers = ordinal(clause)
    if clause.has(r"\b(?:start|beginning|front)\b|最前|开头|片头"):
        place = 1
    elif numbers and numbers[0] > 0 and clause.has(r"\b(?:before|after)\b|[之]?[前后]面?"):
        place = numbers[0] + (1 if clause.has(r"\bafter\b|后") else 0)
    else:
        return []
    return [Move(-1, place) for _ in range(count)]


def _nothing_uploaded(clause: Clause, scene: Scene, total: int | None, canvas: Sequence[Edit]) -> Answer:
    """A picture that was drawn before is "this image" too."""
    if not scene.filled:
        return Refused("upload_first")
    edits: list[Edit] = [Motion()] if clause.has(r"\b(?:motion|animat\w+|move)\b|动") else []
    if total:
        edits.append(Length(total))
    if clause.has(_HEARD) and (sound := _sound(clause, scene)):
        edits.append(Place((), sound=sound))
    return [*edits, *canvas] or Refused("upload_first")


def _sound(clause: Clause, scene: Scene) -> Asset | None:
    """A sound file that was uploaded belongs under the film made of the uploads."""
    if clause.has(r"\b(?:no|without) (?:audio|sound|voice)\b|不要(?:声音|音频|配音)"):
        return None
    named = next((sound for sound in scene.sounds if sound.name.lower() in clause.raw.lower()), None)
    return named or (scene.sounds[-1] if scene.sounds else None)


def _about(clause: Clause) -> bool:
    return (
        clause.has(r"\b(?:of|about|for|on|showing|explaining)\b|关于|讲|介绍|的(?!视频|短片|影片|宣传片|广告)")
        is not None
    )


def transition(clause: Clause, scene: Scene) -> Answer:
    named = clause.has(
        r"\b(?:transitions?|cross-?fades?|dissolves?)\b|\bfade (?:between|through|to black)\b|转场|过渡|叠化|淡入淡出"
    )
    if named and ordinal(clause) and len(tracks.lane(scene.draft, tracks.VIDEO)) != 2:
        return Refused("whole_only")
    if named and clause.has(_SOUND_OR_WORDS):
        return None
    if not named or clause.has(r"\b(?:photos?|images?|pictures?|clips)\b.*\binto\b|做成|变成"):
        return None
    name: Literal["crossfade", "fade-black", "slide"] = "crossfade"
    if clause.has(r"\b(?:black|fade through|dip)\b|黑场|闪黑|黑"):
        name = "fade-black"
    elif clause.has(r"\b(?:slide|push|swipe)\b|滑动|滑入|推移"):
        name = "slide"
    spans = durations(clause)
    return [Transition(name, min(2_000, spans[0].ms) if spans else 600)]


def motion(clause: Clause, scene: Scene) -> Answer:
    moves = (
        ("none", r"\b(?:no|without|stop the|remove) (?:motion|movement|zoom)|\bstatic\b|静止|不要动|固定镜头"),
        ("zoom-out", r"\bzoom(?:s|ing|ed)?[- ]?out\b|拉远|缩小"),
        ("zoom-in", r"\bzoom(?:s|ing|ed)?\b|推近|放大|推进"),
        ("pan-left", r"\bpan(?:s|ning)? (?:\w+ )?(?:to the )?left\b|[向往]左"),
        ("pan-right", r"\bpan(?:s|ning)? (?:\w+ )?(?:to the )?right\b|[向往]右"),
        ("auto", r"\bmotion\b|\bken burns\b|\bmake .*\bmove\b|运镜|动效|动感效果|(?:平滑|流畅)的?(?:运动|动)"),
    )
    if clause.quotes or clause.has(r"\b(?:eyes?|face)\b|眼睛|脸"):
        return None
    if clause.has(rf"{DRAW}|\b(?:create|this|these|into)\b|把这|做成") or clause.has(_SOUND_OR_WORDS):
        return None
    if ordinal(clause) and len(tracks.lane(scene.draft, tracks.VIDEO)) != 1 and any(clause.has(p) for _, p in moves):
        return Refused("whole_only")
    for name, pattern in moves:
        if clause.has(pattern):
            return [Motion(cast(Literal["auto"], name))]
    return None


def speed(clause: Clause, scene: Scene) -> Answer:
    slower = clause.has(
        r"\bslow(?:er|ly)?\b|slow[- ]?mo|放慢|慢放|慢动作|慢一?[点些]|减速|慢速|"
        r"慢(?=[\d一两二三四五六七八九十]+倍)|太快|too fast"
    )
    faster = clause.has(
        r"\b(?:speed(?:ed)?|faster|quicker|fast[- ]forward|too slow)\b|\bas fast\b|加速|快放|快一?[点些]|快进|倍速|"
        r"快(?=[\d一两二三四五六七八九十]+倍)|太慢"
    )
    if (
        not (slower or faster)
        or clause.quotes
        or clause.has(r"\b(?:zoom|pan)|推近|拉远|放大|缩小|[向往][左右]|慢慢|缓慢")
    ):
        return None
    if clause.has(_SOUND_OR_WORDS) or clause.has(DRAW):
        return None
    if durations(clause):
        return Refused("unknown", {"words": clause.raw.strip(" ,，.。!！?？")})
    return _paced(clause, slower is not None and not clause.has(r"太慢|too slow"))


def _paced(clause: Clause, slower: bool) -> Answer:
    match, half = clause.has(_TIMES), clause.has(r"一半")
    share = clause.has(rf"\bby\s+(?P<n>{NUMBER})\s*%")
    factor = _factor(match) if match else 2.0 if half else 1 + (number(share["n"]) or 50) / 100 if share else 1.5
    if slower and factor > 1:
        factor = 2 - factor if share else 1 / factor
    return [Speed(factor, one(clause))] if 0.25 <= factor <= 4 else Refused("speed_range")


def _factor(match: re.Match[str]) -> float:
    words = {"double": 2.0, "twice": 2.0, "triple": 3.0, "half": 0.5}
    return words[match["c"].lower()] if match["c"] else number(match["a"] or match["b"] or match["d"]) or 1.5
