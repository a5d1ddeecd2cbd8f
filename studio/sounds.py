"""Readers of wishes about sound: music with a mood, volume, uploaded audio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from studio.edits import Edit, Music, Place, Volume
from studio.reading import Clause, percent
from studio.scene import Refused, Scene

__all__ = ["mood_of", "music", "name_of", "upload_sound", "volume"]

Answer = Sequence[Edit] | Refused | None

MOODS: tuple[tuple[str, str, str, str], ...] = (
    ("lofi", "Lo-fi", "Lo-fi", r"\blo-? ?fi\b|\bchill\w*|\brelax\w*|\bhip-?hop\b|低保真|轻松|慵懒"),
    ("epic", "Epic", "史诗", r"\b(?:epic|heroic|powerful|action|rock)\b|史诗|震撼|激昂|大气"),
    (
        "cinematic",
        "Cinematic",
        "电影感",
        r"\b(?:cinematic|film|movie|dramatic|emotional|orchestra\w*|sad|dark)\b|电影|戏剧|深情|悲伤",
    ),
    (
        "upbeat",
        "Upbeat",
        "轻快",
        (
            r"\b(?:upbeat|happy|cheerful|energetic|fun|pop|party|electronic|dance|lively)\b|"
            r"轻快|欢快|活泼|动感|快乐|欢乐|电子"
        ),
    ),
    (
        "corporate",
        "Corporate",
        "商务",
        r"\b(?:corporate|business|tech|inspir\w+|motivat\w+|uplifting)\b|商务|企业|科技|励志",
    ),
    (
        "ambient",
        "Ambient",
        "氛围",
        r"\b(?:ambient|calm|soft|peaceful|gentle|meditat\w+|piano|quiet)\b|安静|平静|柔和|氛围|舒缓|空灵|钢琴",
    ),
)
_MUSIC = (
    r"\b(?:music|bgm|soundtrack|song|tune|score|background (?:track|audio)|beats?)\b|"
    r"\bdifferent track\b|音乐|配乐|bgm|背景乐|首歌|曲子"
)
_VOICE = r"\b(?:voice|voice-?over|narration|narrator|speech)\b|配音|旁白|人声|解说"
_CLIPS = r"\b(?:clips?|original (?:sound|audio)|video'?s? (?:sound|audio|volume))\b|原声|视频声|片段"
_UP = r"\b(?:louder|turn(?: \S+){0,3} up|raise|increase|boost)\b|大声|调大|调高|声音?大|加大|提高"
_DOWN = r"\b(?:quieter|softer|lower|reduce|decrease|turn(?: \S+){0,3} down)\b|小声|调小|调低|声音?小|减小|降低"
_OFF = r"\b(?:mute|silence|silent)\b|静音|关掉声|消音"
_STEP = 0.15


def mood_of(clause: Clause) -> str | None:
    """The key of the mood it names."""
    return next((key for key, _, _, pattern in MOODS if clause.has(pattern)), None)


def name_of(mood: str, *, zh: bool) -> str:
    """What the mood is called."""
    return next(chinese if zh else english for key, english, chinese, _ in MOODS if key == mood)


def music(clause: Clause, scene: Scene) -> Answer:
    if clause.quotes or not clause.has(_MUSIC):
        return None
    if clause.has(r"\b(?:generate|draw|video of|image of|playing|about)\b|生成.*(?:图|视频|片)|教程"):
        return None
    mood = mood_of(clause)
    if mood is None and not clause.has(r"\b(?:change|different|another|replace|new|pick)\b|换"):
        mood = "lofi"
    return [Music(mood, name_of(mood, zh=scene.zh) if mood else None, percent(clause))]


def volume(clause: Clause, scene: Scene) -> Answer:
    if clause.quotes:
        return None
    level = percent(clause)
    off, up, down = (clause.has(pattern) for pattern in (_OFF, _UP, _DOWN))
    named = clause.has(r"\bvolume\b|\bloudness\b|音量|声音")
    asked = (
        clause.has(r"\b(?:add|generate|create|draw)\b|加(?!大)|配(?!乐|音)|生成|画")
        and not named
        and not (off or up or down)
    )
    adding = clause.has(r"\badd\b|加(?!大).*(?:音乐|bgm|配乐)|来.*(?:音乐|配乐)|^\s*配")
    fresh = mood_of(clause) and not (named or off or up or down or clause.has(r"\b(?:set|make|turn|put) the\b|调|把"))
    if asked or adding or fresh or not (off or up or down or named or (level is not None and clause.has(_MUSIC))):
        return None
    if not (
        off
        or named
        or clause.has(rf"{_MUSIC}|{_VOICE}|\bit\b|\b(?:sound|audio)\b")
        or clause.has(r"\blouder|quieter|声")
    ):
        return None
    what = _what(clause)
    if off:
        return [Volume(what, 0.0)]
    if level is not None and not clause.has(r"\bby\b"):
        return [Volume(what, level)]
    if not (up or down):
        return Refused("volume_level")
    return [Volume(what, None, (level or _STEP) * (1 if up else -1))]


def _what(clause: Clause) -> Literal["music", "voice", "clips"] | None:
    if clause.has(_MUSIC):
        return "music"
    if clause.has(_VOICE):
        return "voice"
    return "clips" if clause.has(_CLIPS) else None


def upload_sound(clause: Clause, scene: Scene) -> Answer:
    """An uploaded file as voice or music: named, or "my voice-over", "这段音频"."""
    named = next((s for s in scene.sounds if s.name.lower() in clause.raw.lower()), None)
    other = next((p for p in scene.pictures if p.name.lower() in clause.raw.lower()), None)
    if other or clause.has(r"\b(?:photos?|images?|pictures?|clips?)\b.*\binto\b|图|照片|做成"):
        return None
    spoken = clause.has(_VOICE) and clause.has(r"\b(?:add|use|put|lay|my|the|this)\b|用|加|把")
    own = clause.has(
        r"\b(?:my|this|the|uploaded) (?:own )?(?:audio|music|song|voice\S*|narration|"
        r"sound|track|mp3)\b|上传的|这[段首个](?:音|歌|录音)|我的(?:音|歌|录音)"
    )
    turned = (
        percent(clause) is not None
        or clause.has(f"{_UP}|{_DOWN}|{_OFF}")
        or clause.has(r"\b(?:change|delete|remove)\b|音量|换")
    )
    if not named and (turned or not (spoken or own)):
        return None
    if not named and not scene.sounds:
        return Refused("voice_first") if spoken and not clause.has(_MUSIC) else None
    kind: Literal["voice", "music"] = "music" if clause.has(_MUSIC) and not clause.has(_VOICE) else "voice"
    return [Place((), sound=named or scene.sounds[-1], sound_kind=kind)]
