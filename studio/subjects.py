"""Readers of wishes for new pictures: a clean subject out of the prompt, and how many and how long."""

from __future__ import annotations

import re
from collections.abc import Sequence

from studio.edits import Brief, Edit, Generate
from studio.reading import Clause, durations, number
from studio.scene import Refused, Scene
from studio.sounds import mood_of
from studio.wishes import shape

__all__ = ["drawing", "generate"]

Answer = Sequence[Edit] | Refused | None

MOST_SCENES, LONGEST_NAME = 6, 60

_VERB = (
    r"(?:generat(?:e|ing)|creat(?:e|ing)|mak(?:e|ing)|draw(?:ing)?|produc(?:e|"
    r"ing)|paint|imagine|design|render|visuali[sz]e|illustrate|"
    r"film|shoot|build|show|give|gimme|do|want|need|add|insert|explain)"
)
_POLITE = (
    r"(?:please|pls|can you|could you|would you|will you|i want you to|i'?d like "
    r"you to|i would like|i'?d like|i want to|i want|i need|"
    r"let'?s|help me(?: to)?|hey|hi|ok(?:ay)?|now|just|then|and|also|to|me|us|for me|another|one more)"
)
_ADJECTIVE = r"(?:(?:[\w'-]+,?\s+){0,5}?)"
_MEDIUM = (
    r"(?:images?|pictures?|photo(?:graph)?s?|pics?|illustrations?|drawings?|paintings?|"
    r"artwork|renders?|videos?|clips?|films?|movies?|shots?|scenes?|"
    r"animations?|promos?|ads?|adverts?|advertisements?|commercials?|trailers?|"
    r"teasers?|tutorials?|documentary|explainers?|reels?|montage|story|lesson|"
    r"short)"
)
_LINK = r"(?:\s+(?:of|showing|about|that shows|depicting|featuring|on|for|where|with|explaining|called)\b|\s*:)"
_PREFIX = re.compile(
    rf"^(?:{_POLITE}\b[,\s]*)*(?:{_VERB}\b\s*)?(?:(?:me|us)\s+)?(?:(?:an?|the|some|my|our|another)\s+)?"
    rf"(?:(?:{_ADJECTIVE})\b{_MEDIUM}\b(?:\s+{_MEDIUM}\b)?{_LINK}\s*)?(?:(?:an?|the|my|our|how to)\s+)?",
    re.IGNORECASE,
)
_PADDING = re.compile(
    r"^(?:(?:\d+|one|two|three|four|five|six|several|a few|some|ten|fifteen|twenty|"
    r"thirty)[\s-]*(?:seconds?|secs?|s|minutes?|min)\b[\s-]*(?:long)?\s*|"
    r"(?:realistic|photorealistic|photo-realistic|beautiful|stunning|high[- ]quality|"
    r"hd|4k|1080p|ai|ai-generated)\s+|(?:of|an?|the)\s+)+",
    re.IGNORECASE,
)
_SUFFIX = re.compile(
    r"(?:[\s,]*(?:\bplease\b|\bfor me\b|\b(?:in|into|as|to) (?:an? )?(?:1080p|"
    r"4k|hd|mp4|png|video|jpg|full hd)\b.*|\b(?:for|in|lasting|over) (?:\d+|\w+)[\s-]*"
    rf"(?:seconds?|secs?|s|minutes?)\b|,?\s*\d+[\s-]*(?:seconds?|secs?|s)(?: long| in total| total| altogether)?|"
    rf"\bpls\b|\b{_MEDIUM}|[.。!！?？]))+\s*$",
    re.IGNORECASE,
)
_ZH_VERB = r"(?:生成|制作|创建|创作|绘制|设计|画|做|拍|来|弄|整|给我)"
_ZH_LASTS = r"(?:\d+|[一二两三四五六十半]+)(?:秒钟?|分钟)"
_ZH_COUNT = (
    r"(?:[一二两三四五六\d几]?[个张幅段条部组支只座片辆位头匹间朵棵艘](?:(?:\d+|[一二两三四五六十半]+)(?:秒钟?|"
    r"分钟)的?(?:长的?)?)?|(?:\d+|[一二两三四五六十半]+)(?:秒钟?|分钟)的?)"
)
_ZH_MEDIUM = (
    r"(?:图片|图像|照片|插画|图画|图|画面|画|短视频|视频|短片|影片|片段|动画|"
    r"宣传片|广告片?|预告片|教程视频|教程|课程|纪录片|片头)"
)
_NOTHING = rf"{_MEDIUM}|something|it|this|that|text|prompt|stuff|another(?: one)?|one(?: more)?|more|again"
_ZH_NOTHING = (  # counted, pointed at or asked for, but not named
    rf"{_ZH_COUNT}|{_ZH_MEDIUM}|它们?|他|她|这[个张些]?|那[个张些]?|我|你|吧|吗|呢|啊|呀|了|的|再|来|点|些|个|张|"
    r"东西|随便|什么|[一二两三四五几\d]"
)
_ZH_FRAMES = (
    rf"^(?:我?想要|我要|我?需要){_ZH_COUNT}(?P<e>.+?)(?:的?{_ZH_MEDIUM})$",
    rf"(?:给|为|帮)(?:我们?的?)?(?P<a>(?!我).+?)(?:做|拍|制作|生成|设计){_ZH_COUNT}?{_ZH_MEDIUM}",
    r"用(?:\d+|[一二两三四五六十]+)秒讲(?:清楚|解)?(?P<b>.+)",
    rf"(?:{_ZH_VERB}+{_ZH_COUNT}?)?(?:关于|讲|介绍|教大家)(?P<c>.+?)(?:的?{_ZH_MEDIUM})",
    rf"(?:请|麻烦|帮我|给我|我想要?|我要|能不能|可以|你能?|再)*{_ZH_VERB}(?:出)?{_ZH_COUNT}?(?:以|"
    r"关于)?(?:写实的?|真实的?|逼真的?|漂亮的?|高清的?)*"
    rf"(?P<d>.+?)(?:为?主题)?(?:的?{_ZH_MEDIUM})?(?:吧|吗|呢)?$",
)
_SHAPED = (
    r"\b(?:9\s*:\s*16|16\s*:\s*9|1\s*:\s*1|4\s*:\s*5|vertical|widescreen)\b|\b(?:square|portrait|landscape|"
    r"horizontal) (?:video|clip|"
    r"format|film|picture|image|photo)\b|竖屏|竖版|横屏|横版|宽屏|方形(?:视频|短片|图|画)"
)
_SHAPE_WORDS = (
    r"[,\s]*(?:\bin (?:a )?)?(?:\b(?:9:16|16:9|1:1|4:5|vertical|widescreen)\b(?:\s+format)?|[竖豎]屏|[竖豎]版|"
    r"[横橫]屏|[横橫]版|[宽寬]屏)的?"
)
_BRIEF = (
    r"\b(?:promos?|promotional|adverts?|ads?|advertisement|commercial|trailer|"
    r"teaser|explainer|tutorial|documentary|explain)\b"
    r"|\b(?:videos?|films?)\s+(?:about|on)\b|宣传片|广告|预告|教程|纪录片|课程|讲|关于.*(?:视频|片)|介绍.*(?:视频|片)"
)
_CALM = r"\b(?:explain\w*|tutorial|documentary|lesson)\b|教程|课程|讲|纪录片"
_COUNT = re.compile(
    (
        r"\b(?P<n>\d|two|three|four|five|six|several|a few)\s+(?:\w+\s+){0,3}?(?:images|"
        r"pictures|photos|scenes|shots|clips)\b|(?P<z>[二两三四五六几\d])(?:张|幅|"
        r"段|个(?:场景|画面|镜头))"
    ),
    re.IGNORECASE,
)
_ORDER = (
    rf"^\s*(?:{_POLITE}\b[,\s]*)*(?:generat|creat|draw|produc|paint|imagine|design|"
    r"visuali|illustrat|film\b|shoot)|生成|制作|创建|创作|绘制|设计|(?<![动漫])画(?![面质风幅])"
)
_LOOSE = (
    r"^\s*(?:gimme\b|an?\s+\w+)|\b(?:make|want|need|give me|gimme|i'?d like|show|do|explain)\b.*\b(?:"
    + _MEDIUM
    + r"|in \d+ seconds)\b|\bvideo of\b|做|拍|来一?[个张段条]|用\d+秒讲|^\s*(?:an?\s+)?"
    + _MEDIUM
    + r"\s+(?:of|about)\b|^\s*explain\b|的(?:画面|宣传片|视频|广告|课程|短片)\s*$"
)
_DEFINITE = (  # something that is there already, not something to draw
    rf"\b(?:the|this|that|my|these|those|its)\s+(?:\w+\s+)?{_MEDIUM}\b(?!\s+(?:of|about|showing|for|on)\b)"
)
_POINTING = (
    r"^\s*(?:please\s+)?(?:make|want|show|do|change)\s+(?:it|this|that|them|him|"
    r"her|the)\b|\b(?:should|looks?|feels?|(?:is|are) (?:off|too))\b|\b(?:warmer|"
    r"brighter|bolder|font|colou?rs?|contrast|grain|watermark|blur)\b|字体|色调|"
    r"对比度|调亮|背景换|水印|打码|[做弄搞拍]得|更|好一?点|一些$|" + _DEFINITE
)
_TALK = (
    r"^\s*(?:hi|hello|hey|thanks?|thank you|ok(?:ay)?|yes|no|what|why|how|who|"
    r"when|where|can|could|is|are|do|does|keep|go|help|i)\b|\?\s*$|你好|谢谢|"
    r"什么|怎么|吗\s*$|保留|好的"
)


def generate(clause: Clause, scene: Scene) -> Answer:
    """A picture, several, or a whole film; the last reader, so what is left and reads like a picture is one."""
    if not _wanted(clause, scene):
        return None
    subject = drawing(clause)
    if subject is None:
        return Refused("subject")
    spans = durations(clause)
    each = _scenes(clause) if clause.has(r"\beach\b|\bper\b|每[张段个幅]") else 1
    total = spans[0].ms * each if spans else None
    if clause.has(_BRIEF):
        return [
            *_canvas(clause),
            Brief(subject, total or 20_000, mood_of(clause) or ("ambient" if clause.has(_CALM) else "upbeat")),
        ]
    return [*_canvas(clause), Generate(subject, _scenes(clause), total)]


def drawing(clause: Clause) -> str | None:
    """What a picture asked for is to show; None where nothing is said of it."""
    subject = _subject(clause)
    if not subject or re.fullmatch(rf"(?:{_NOTHING})s?\s*\d*|(?:{_ZH_NOTHING})+", subject, re.IGNORECASE):
        return None
    return subject if len(subject) > 1 or _bare_order(clause, subject) else None


def _bare_order(clause: Clause, subject: str) -> bool:
    """Nothing but "draw a cat": one character is a subject there, and a leftover of a sentence anywhere else."""
    pattern = (
        rf"(?:请|麻烦|帮我|给我|我?想要?|我要|再)*(?:(?:画|绘制|生成|创作|设计){_ZH_COUNT}?|{_ZH_VERB}+{_ZH_COUNT}(?:关于)?|"
        rf"(?:{_ZH_VERB}+{_ZH_COUNT}?)?(?:关于|讲|介绍))(?:写实的?|逼真的?|漂亮的?|高清的?)*"
        rf"(?=[\u4e00-\u9fff])(?![面动漫好完成对顺着看啦嘛哦不没是有在上下去到]){re.escape(subject)}(?:为?主题)?"
        rf"(?:的?{_ZH_MEDIUM})?(?:[,\s]*(?:每[张段个幅]|一?共|总共)?{_ZH_LASTS})?(?:吧|吗|呢)?[,\s]*"
    )
    return re.fullmatch(pattern, clause.plain.strip()) is not None


def _wanted(clause: Clause, scene: Scene) -> bool:
    if clause.has(r"你(?:好|能|会|可以).*什么|怎么|^\s*(?:谢谢|你好)"):
        return False
    if scene.filled and clause.has(r"^\s*[做弄搞拍]得|\b(?:create|design|shoot|film)\b") and clause.has(_DEFINITE):
        return False
    if clause.has(_ORDER) or (clause.has(_BRIEF) and clause.has(_LOOSE)):
        return not clause.has(r"\b(?:animation|logo)\b.*\bat the end\b")
    if clause.has(_POINTING):
        return False
    if clause.has(_LOOSE):
        return True
    if not scene.filled and clause.has(r"^\s*一[只条座朵棵头匹艘辆片间张幅][\u4e00-\u9fff]"):
        return True
    # On an empty timeline a bare description is a prompt, as it is in the first message of a conversation.
    words = clause.plain.strip()
    long_enough = len(words.split()) >= 2 or len(re.findall(r"[\u4e00-\u9fff]", words)) >= 4
    return not scene.filled and not clause.has(_TALK) and long_enough


def _canvas(clause: Clause) -> Sequence[Edit]:
    """The shape it is to have, where the word means nothing else: a portrait may be a face."""
    return (shape(clause) or []) if clause.has(_SHAPED) else []


def _scenes(clause: Clause) -> int:
    match = _COUNT.search(clause.plain)
    if not match:
        return 1
    word = (match["n"] or match["z"]).lower()
    value = 3 if word in ("several", "a few", "几") else number(word)
    return max(1, min(MOST_SCENES, int(value or 1)))


def _subject(clause: Clause) -> str:
    """ "generate a realistic image of a futuristic city at night" -> "futuristic city at night"."""
    if clause.quotes:
        return clause.quotes[0][:LONGEST_NAME]
    if re.search(r"[\u4e00-\u9fff]", clause.plain):
        return _shortened(_zh_subject(clause))
    start = _PREFIX.match(clause.plain.lstrip())
    at = len(clause.plain) - len(clause.plain.lstrip()) + (start.end() if start else 0)
    padding = _PADDING.match(clause.plain[at:])
    at += padding.end() if padding else 0
    suffix = _SUFFIX.search(clause.plain, at)
    words = clause.raw[at : suffix.start() if suffix else None]
    return _shortened(re.sub(_SHAPE_WORDS, " ", words or clause.raw[at:], flags=re.IGNORECASE))


def _zh_subject(clause: Clause) -> str:
    plain = re.sub(
        rf"[,\s]*(?:一共|总共|共|时长|每[张段个幅])?{_ZH_LASTS}$",
        "",
        clause.plain.rstrip(" ,.。!?"),
    )
    for frame in _ZH_FRAMES:
        match = re.search(frame, plain)
        if match:
            start, end = next(match.span(i) for i in range(1, (match.re.groups or 0) + 1) if match[i])
            return re.sub(
                rf"^{_ZH_LASTS}的?|的?{_ZH_LASTS}的?$|的(?:写实|真实|逼真|漂亮|高清)的?$",
                "",
                re.sub(_SHAPE_WORDS, "", clause.raw[start:end]),
            )
    return clause.raw


def _shortened(words: str) -> str:
    words = re.sub(r"\s+", " ", words).strip(" ,，.。:：;；-—\"'")
    if len(words) <= LONGEST_NAME:
        return words
    cut = words[:LONGEST_NAME]
    return cut.rsplit(" ", 1)[0] if " " in cut else cut
