"""Readers of wishes to use what was uploaded: one picture that moves, or a film of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from studio.edits import Asset, Edit, Length, Motion, Place
from studio.reading import Clause, durations
from studio.scene import Refused, Scene

__all__ = ["add_media", "show"]

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
_ONE = (
    r"\b(?:this|that|the)\s+(?:\w+\s+)?(?:image|photo|picture|pic|still|clip|"
    r"video|shot)\b|\bmy (?:\w+ )?(?:image|photo|picture)\b|这一?[张段个](?:图|"
    r"照片|视频|片段)|让这?[张]"
)
_SHOW = r"\bslide ?show\b|幻灯片|相册视频"
_FILM = r"\b(?:promo\w*|advert\w*|ad|commercial|trailer|teaser|video|film|montage|reel)\b|宣传片|广告|视频|短片|影片"
_FILE = r"\b[\w-]+\.(?:jpe?g|png|gif|webp|heic|mp4|mov|avi|webm|mkv|mp3|wav|m4a|aac)\b"
_HEARD = r"\b(?:audio|voice\S*|sound|narration|recording|music|mp3)\b|音频|配音|录音|声音"
_STILL = r"\b(?:no|without) (?:any )?(?:motion|movement)\b|静止"


def show(clause: Clause, scene: Scene) -> Answer:
    """ "turn these photos and audio into a 30-second promo"."""
    mine = clause.has(_MINE)
    if clause.has(
        r"\b(?:title|caption|music|bgm|volume|trim|cut|delete|remove|move|swap)\b|标题|字幕|音乐|剪到|剪掉|放到"
    ):
        mine = None
    named = tuple(asset for asset in scene.pictures if asset.name.lower() in clause.raw.lower())
    slides = clause.has(_SHOW)
    if named and not (clause.has(_MAKE) or slides):
        return None
    bare = bool(scene.pictures) and clause.has(_FILM) and clause.has(_MAKE) and not _about(clause)
    if not (named or slides or (mine and clause.has(_MAKE)) or bare):
        return None
    if clause.has(r"^\s*(?:make|keep) (?:it|the (?:video|clip|film))\b") and not named:
        return None
    spans = durations(clause)
    total = spans[0].ms if spans else None
    media = named or (scene.pictures[-1:] if clause.has(_ONE) and not slides else scene.pictures)
    if not media:
        return _nothing_uploaded(clause, scene, total)
    sound = _sound(clause, scene) if len(media) > 1 or clause.has(_HEARD) else None
    fresh = not clause.has(r"\b(?:add|append|insert)\b|加上|添加|插入")
    return [Place(media, total, fresh, sound), *([Motion("none")] if clause.has(_STILL) else [])]


def add_media(clause: Clause, scene: Scene) -> Answer:
    """ "add a.jpg", "add the second photo": appended, nothing replaced."""
    named = tuple(asset for asset in scene.pictures if asset.name.lower() in clause.raw.lower())
    if not named and clause.has(r"\b(?:add|append|insert|place)\b|加|添加|插入") and clause.has(_MINE):
        named = scene.pictures[-1:] if clause.has(_ONE) else scene.pictures
    if not named:
        return Refused("upload_first") if clause.has(_FILE) else None
    spans = durations(clause)
    return [Place(named, spans[0].ms if spans else None)]


def _nothing_uploaded(clause: Clause, scene: Scene, total: int | None) -> Answer:
    """A picture that was drawn before is "this image" too."""
    if not scene.filled:
        return Refused("upload_first")
    edits: list[Edit] = [Motion()] if clause.has(r"\b(?:motion|animat\w+)\b|动") else []
    if total:
        edits.append(Length(total))
    return edits or Refused("upload_first")


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
