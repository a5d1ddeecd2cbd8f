"""Readers of wishes about sound: music with a mood, volume, uploaded audio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from studio import tracks
from studio.edits import Edit, Music, Place, Volume
from studio.reading import Clause, durations, ordinal, percent, window
from studio.scene import Refused, Scene
from studio.words import ADD, DRAW, TAKE

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
            r"\b(?:upbeat|happ(?:y|ier)|cheerful|energetic|fun|pop|party|electronic|dance|lively)\b|"
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
        r"\b(?:ambient|calm|soft|peaceful|gentle|meditat\w+|piano|quiet)\b|安静|平静|柔和|氛围|舒缓|空灵|钢琴|"
        r"轻柔|温柔|放松",
    ),
)
_MUSIC = (
    r"\b(?:music|bgm|soundtrack|song|tune|score|background (?:track|audio)|beats?)\b|[士滚典]乐|"
    r"\bdifferent track\b|音乐|配乐|bgm|背景乐|首歌|曲子"
)
_VOICE = r"\b(?:voice|voice-?over|narration|narrator|speech)\b|配音|旁白|人声|解说"
_CLIPS = r"\b(?:clips?|original (?:sound|audio)|video'?s? (?:sound|audio|volume))\b|原声|视频声|片段"
_UP = (
    r"\b(?:louder|(?:turn|crank|pump)(?: \S+){0,3} up|raise|increase|boost|too (?:quiet|soft|low)|"
    r"volume (?:\w+ bit )?up)\b|(?<!太)大声|调大|调高|"
    r"(?<!太)(?:声音?|音乐|音量)大[一点些]|加大|提高|太小声|(?:声音?|音乐|音量)太[小轻]|响一?[点些]"
)
_DOWN = (
    r"\b(?:quieter|softer|lower|reduce|decrease|(?:turn|bring)(?: \S+){0,3} down|too loud|"
    r"volume (?:\w+ bit )?down)\b|(?<!太)小声|调小|调低|"
    r"(?:声音?|音乐|音量)小[一点些]|减小|降低|太[吵响]|太大声|(?:声音?|音乐|音量)太大|轻一?[点些](?!的)"
)
_OFF = (
    r"\b(?:mute|silence|silent|no sound|all the way down|(?:turn|switch)(?: \S+){0,3} off|(?:turn|switch) off|"
    r"stop the (?:music|sound|song))\b|静音|关掉|消音|关声|关了"
)
_NTIMES = (
    r"\b(?:half|twice|double|triple|\w+ times)\b(?= as loud| the volume| the music| as)|\b(?:double|halve)\b|"
    r"[一两二三\d]倍"
)
_LEVEL = (
    r"(?:\bvolume\b|\b(?:to|at)\b|音量[调设]?[到成为]?|[调设]到)\s*(?P<n>\d{1,3})(?!\s*(?:\d|%|s\b|sec|:|秒|分|倍|x\b))"
)
_FULL = r"\b(?:max(?:imum)?|full) volume\b|\bvolume (?:to|at) (?:the )?(?:max(?:imum)?|full)\b|音量(?:调到)?最大"
_TIMED = (
    r"\b(?:fad(?:e|es|ing)|loop|duck\w*|trim|shorten|speed|faster|slow(?:er)?|start(?:s|ing)?|from the|until|only|"
    r"between|during|halfway)\b|淡[入出]|循环|剪到|只在|只有|加速|放慢|开始"
)
# Kinds of music there are no instruments for; anything else before "music" that is no filler is one too.
_FOREIGN = (
    r"\b(?!(?:some|a|an|the|any|my|our|its|this|that|more|other|another|different|new|good|nice|cool|great|suitable|"
    r"background|bg|in|add|put|use|play|and|with|of|for|on|to|change|set|want|need|me|from|matching|fitting|fit|no|"
    r"piece|up|down|mute|make|slap|have|give|it|little|bit|light|simple|pick|replace|swap|choose|better|random)\b)"
    r"[a-z-]+ (?:music|song|tune|beats?|soundtrack)\b|\b(?:jazz|classical|metal|country|reggae|techno|rap|christmas)\b|"
    r"爵士|古典|摇滚|民谣|说唱|中国风|国风|圣诞|金属|乡村|雷鬼|歌剧|\bsong\b.*\bby\b"
)
_BY = r"\bby\s+(?:about\s+)?\w+\s*(?:%|per)|(?:降低|提高|减小|加大|增加|减少)了?\s*(?:\d|百分)"
_OTHER = (
    r"^\W*(?:change|switch|swap) (?:(?:it|that|this) )?(?:to|for|into) (?:(?:something|an?|more|bit|little) )*"
    r"[\w-]+(?: (?:one|mood|style|vibe))?\W*$|^\W*(?:make it (?:an? (?:bit|little) )?more|something) "
    r"(?:(?:more|an?|bit|little) )*[\w-]+\W*$|"
    r"^\W*(?:把它|给我)?[换改变](?:成|为|个|一个|点|一?首)(?:更|再|有)?[^,的图片照张段]{2,5}的?(?:一?[点些]|风格|那种|感觉)?的?吧?\W*$"
)
_ANOTHER = r"\b(?:change|different|another|replace|swap|new|pick)\b|换"
_STEP = 0.15


def mood_of(clause: Clause) -> str | None:
    """The key of the mood it names."""
    return next((key for key, _, _, pattern in MOODS if clause.has(pattern)), None)


def name_of(mood: str, *, zh: bool) -> str:
    """What the mood is called."""
    return next(chinese if zh else english for key, english, chinese, _ in MOODS if key == mood)


def music(clause: Clause, scene: Scene) -> Answer:
    mood = mood_of(clause)
    if not clause.has(_MUSIC) and not (mood and (_bed(clause) or _other_mood(clause, scene))):
        return None
    if clause.has(rf"{DRAW}|\b(?:playing|about|music video)\b|教程"):
        return None
    if clause.quotes or (mood is None and clause.has(_FOREIGN)):
        return Refused("music_mood")
    if clause.has(_TIMED) or durations(clause) or window(clause) or ordinal(clause):
        return Refused("music_whole")
    if mood is None and not clause.has(_ANOTHER):
        if not clause.has(rf"{ADD}|^\W*(?:some |background )*{_MUSIC}|背景"):
            return None
        mood = "lofi"
    return [Music(mood, name_of(mood, zh=scene.zh) if mood else None, _level(clause))]


def _bed(clause: Clause) -> bool:
    """ "slap some lofi on there", "soft piano in the background": music without the word."""
    genre = clause.has(r"\blo-? ?fi\b|\bpiano\b|\bhip-?hop\b|\bin the background\b|钢琴曲|\bvibes?\b")
    return genre is not None and clause.has(rf"\b(?:some|in the background)\b|{ADD}") is not None


def _other_mood(clause: Clause, scene: Scene) -> bool:
    """ "change it to epic", 换成欢快的: with music there and nothing else named, the music."""
    if not tracks.beds(scene.draft):
        return False
    return clause.has(_OTHER) is not None and not clause.has(
        r"\b(?:film|movie|party|dance)\b|\bmore (?:cinematic|dramatic|dark|tech|business)\b"  # those may be looks
    )


def _asks_for_music(clause: Clause, scene: Scene) -> bool:
    """A mood that is not there yet, or a verb that brings music: the volume said with it is the new music's."""
    if not (clause.has(_MUSIC) or _bed(clause)):
        return False
    if clause.has(
        r"\b(?:add|want|need|slap|pop|throw|include|put (?:on|in|some))\b|加(?!大)上?|来[点段首个]|^\s*再?配(?!乐|音)|"
        r"[整搞弄][点段首个]"
    ):
        return True
    if mood_of(clause) is None:
        return False
    there = {
        str(bed["m"].get("src", "")).split(":")[1:2][0]
        for bed in tracks.beds(scene.draft)
        if ":" in str(bed["m"].get("src"))
    }
    changed = clause.has(rf"{_UP}|{_DOWN}|{_OFF}|\b(?:set|make|turn|put) the\b|调|把")
    return mood_of(clause) not in there and (not changed or clause.has(r"换") is not None)


def volume(clause: Clause, scene: Scene) -> Answer:
    if (
        clause.quotes
        or _asks_for_music(clause, scene)
        or _filmed(clause, scene)
        or clause.has(rf"{TAKE}(?!.*(?:声|sound))")
    ):
        return None
    level = _level(clause)
    off, up, down = (clause.has(pattern) for pattern in (_OFF, _UP, _DOWN))
    named = clause.has(r"\bvolume\b|\bloudness\b|音量|声音")
    if clause.has(DRAW) and not (named or off or up or down):
        return None
    if not (off or up or down or named or (level is not None and clause.has(_MUSIC))):
        return None
    if not (off or named or clause.has(rf"{_MUSIC}|{_VOICE}|\bit\b|\b(?:sound|audio)\b|\blouder|quieter|声")):
        return None
    if refused := _partly(clause):
        return refused
    return _set(clause, level, off is not None, 1 if up else -1 if down else 0)


def _partly(clause: Clause) -> Refused | None:
    """Loudness is one figure for a whole track."""
    if clause.has(r"\b(?:fad(?:e|es|ing)|gradually|duck\w*)\b|渐|淡[入出]") or durations(clause) or window(clause):
        return Refused("music_whole")
    if ordinal(clause):
        return Refused("whole_only")
    return None


def _set(clause: Clause, level: float | None, off: bool, way: int) -> Answer:
    what = _what(clause)
    if clause.has(_NTIMES):
        return Refused("volume_level")
    if off:
        return [Volume(what, 0.0)]
    if level is not None and not clause.has(_BY):
        return [Volume(what, level)]
    return [Volume(what, None, (level or _STEP) * way)] if way else Refused("volume_level")


def _level(clause: Clause) -> float | None:
    """ "35%", "full volume", "volume 50": 0-1."""
    if clause.has(_FULL):
        return 1.0
    bare = clause.has(_LEVEL)
    said = percent(clause)
    return said if said is not None else min(1.0, int(bare["n"]) / 100) if bare else None


def _what(clause: Clause) -> Literal["music", "voice", "clips"] | None:
    if clause.has(_MUSIC):
        return "music"
    if clause.has(_VOICE):
        return "voice"
    return "clips" if clause.has(_CLIPS) else None


def _filmed(clause: Clause, scene: Scene) -> bool:
    """ "a film of the photo with the voice": the pictures are asked for too, and bring the sound with them."""
    shown = clause.has(
        r"\b(?:make|create|build|produce|turn|combine|use|using|merge)\b"
        r"(?!.*\b(?:under|over|beneath|behind|to) (?:the|my|these|this) (?:photo|picture|image|clip))"
        r"(?=.*\b(?:photos?|images?|pictures?|pics?|stills?|clips?|footage|"
        r"slide ?show)\b)|\b(?:make|create|build|produce) an? (?:[\w-]+ )*(?:film|video|clip|promo)\b|"
        r"(?:照片|图片?|素材).*(?:做|制作|合成|生成|剪成)"
    )
    return shown is not None and bool(scene.pictures) and bool(scene.sounds)


def upload_sound(clause: Clause, scene: Scene) -> Answer:
    """An uploaded file as voice or music: named, or "my voice-over", "这段音频"."""
    named = next((s for s in scene.sounds if s.name.lower() in clause.raw.lower()), None)
    other = next((p for p in scene.pictures if p.name.lower() in clause.raw.lower()), None)
    if other or clause.has(r"\b(?:photos?|images?|pictures?|clips?)\b.*\binto\b|图|照片|做成"):
        return None
    recorded = scene.sounds and clause.has(r"录音|\brecording\b")
    spoken = (recorded or clause.has(_VOICE)) and clause.has(r"\b(?:add|use|put|lay|my|the|this)\b|用|加|把|配上")
    own = clause.has(
        r"\b(?:my|this|the|uploaded) (?:own )?(?:audio|music|song|voice\S*|narration|"
        r"sound|track|mp3)\b|上传的|这[段首个](?:音|歌|录音)|我的(?:音|歌|录音)"
    )
    turned = (
        percent(clause) is not None
        or clause.has(f"{_UP}|{_DOWN}|{_OFF}")
        or clause.has(r"\b(?:change|delete|remove)\b|音量|换")
    )
    if not named and (turned or not (spoken or own) or _filmed(clause, scene)):
        return None
    if not named and not scene.sounds:
        return Refused("voice_first") if spoken and not clause.has(_MUSIC) else None
    kind: Literal["voice", "music"] = "music" if clause.has(_MUSIC) and not clause.has(_VOICE) else "voice"
    return [Place((), sound=named or scene.sounds[-1], sound_kind=kind)]
