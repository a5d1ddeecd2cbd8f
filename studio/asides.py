"""What asks for no edit: questions how to do a thing, what is to stay as it is, and wishes without a direction."""

from __future__ import annotations

import re

from studio import tracks
from studio.edits import Delete, Edit, Generate
from studio.lists import LEAVE
from studio.reading import Clause, durations, number
from studio.scene import Refused, Scene
from studio.sounds import mood_of
from studio.words import SMALL_TALK

__all__ = ["another", "both", "joined", "question", "vague", "without_kept"]

_THE = r"(?:(?:the|my|our|its|this|that|both|all|background|existing|current)\s+)*"
_NOUN = (
    rf"{_THE}(?:music|bgm|soundtrack|song|titles?|captions?|subtitles?|text|voice(?:-?\s?over)?|narration|transitions?|"
    rf"motion|zoom|pictures?|photos?|images?|clips?|video|rest|everything else|length|duration|speed|order)\b"
)
_NOUNS = rf"{_NOUN}(?:\s*(?:,|\band\b|&|\bor\b)\s*{_NOUN})*"
_ZH_SOUND = r"(?:背景)?(?:音乐|配乐|bgm|标题|字幕|文字|配音|旁白|人声|转场|过渡|时长|长度|速度|顺序|其[他余]的?)"
_ZH_NOUN = rf"(?:{_ZH_SOUND}|画面|图片|照片)"
_ZH_AND = rf"(?:和|与|跟|及|以及|还有|,(?={_ZH_NOUN}(?:$|[,;])))"
_ZH_THEN = r"(?=\W*$|[,;]|不要|去掉|删|但|再|然后|并|把|改)"
_ZH_BUT = r"(?:,?(?:但是?|不过|而且?|同时|并且?))*"
_KEPT = (
    rf"(?:[,\s]*\b(?:but|and|while|just|only|please)\s+)*(?:{LEAVE}|\bi (?:really )?(?:like|love))\s+{_NOUNS}"
    r"(?:\s+(?:alone|as (?:it|they) (?:is|are)|as[- ]is|in|there|on|too|the same|unchanged|untouched|please|though|"
    r"intact|for now))*(?=\W*$|\s*[,;]|\s+(?:but|and|then|while)\b)",
    rf"(?:[,\s]*\b(?:but|and|while))*\s*{_NOUNS}\s+(?:can |should |must |may )?(?:stays?|remains?)"
    r"(?: (?:the same|as (?:it|they) (?:is|are)|unchanged|in|there|on))*(?=\W*$|\s*[,;])",
    rf"[,\s]*\b(?:but|and)\s+(?:please\s+)?not\s+{_NOUNS}(?=\W*$)",
    rf"{_ZH_BUT}(?:只|请|先|还是|还|要|也|把)*(?:{LEAVE})(?:现有的?|原[来有]的?)?{_ZH_NOUN}(?:{_ZH_AND}{_ZH_NOUN})*"
    rf"(?:不[变动]|吧)?{_ZH_THEN}",
    rf"{_ZH_BUT}(?:把|将)?{_ZH_SOUND}(?:{_ZH_AND}{_ZH_SOUND})*(?:都|也|还|就|要|先|可以|请)*(?:{LEAVE}|留)"
    rf"(?:着|下来?|不[变动]|吧|了|就好|就行)*{_ZH_THEN}",
)
_ALL_KEPT = (
    r"\W*(?:yes|yeah|yep|sure)(?:\W+please)?\W*|\W*(?:是的|对|好的|就这样)(?:吧|了)?\W*|"
    r"\W*(?:(?:yes|yeah|ok|sure|no|just|please)[,\s]+)*(?:keep|leave)\s+(?:it|them|both(?: of them)?|that|those|these|"
    r"everything|all(?: of (?:it|them))?)(?:\s+(?:all|both|as (?:it|they) (?:is|are)|as is|alone|like that|that way|"
    r"please|in|there))*\W*|"
    r"\W*(?:就|先|那就|请)*(?:[都全]部?|两个都|这些都?|它们?都?)?(?:保留|留着|留下|保持不变|不变|不用改|不改)"
    r"(?:着|吧|了|它们?|就好|就行|就这样|下来)*\W*"
)
_BOTH = (
    r"\W*(?:(?:no|please)[,\s]+)*(?:(?:delete|remove|drop|discard|erase|get rid of|take (?:out|off|away)|ditch|lose|"
    r"scrap|kill|i? ?don'?t want)\s+(?:both(?: of (?:them|those|these))?|either(?: of them)?|them(?: both)?|these|"
    r"those|the two(?: of them)?)|take (?:them|both) (?:both )?(?:out|off|away)|"
    r"neither(?: of them)?)(?:\W+please)?\W*|"
    r"\W*(?:把)?(?:(?:[两二]个|这两个|它们|这些)都?|都)(?:不要|去掉|删掉|删除|删|拿掉|不需要)(?:了|吧|它们|这两个|两个)*\W*"
)
_NICE = (
    r"(?:好看|漂亮|美观?|高级|高档|高端|酷|炫酷?|帅|专业|精致|精美|好|大气|有感觉|有意思|有质感|质感|有氛围感?|自然|"
    r"舒服|惊艳|吸引人|特别|不一样|生动|丰富|完美|洋气|时尚|有趣|好玩|厉害)"
)
_NICER = (
    r"(?:nicer|better|prettier|cooler|fancier|fresher|smoother|cleaner|classier|more \w+|(?:less|not so) \w+|pop|shine|"
    r"(?:look|feel) (?:nicer|better|more \w+|good|great|nice))"
)
_VAGUE = (
    rf"\W*(?:再|更|稍微|整体|把?它|[做弄搞变]得?|让它|看起来|能|可以|还|要|想|我)*{_NICE}(?:一?[点些]儿?|一下|多了)"
    r"(?:吧|呗|啊|呢|吗|的)*\W*|"
    rf"\W*(?:再|更)+{_NICE}(?:一?[点些]儿?|一下)?(?:吧|呗|啊|呢|吗|的)*\W*|"
    r"\W*(?:优化|美化|润色|改进|完善|调整|提升|改|修改)(?:一下|下|改|一?[点些])(?:吧|呗|它)*\W*|"
    r"\W*换(?:个|一个|一种|种)(?:风格|感觉|样子|效果|花样)?(?:吧|呗)*\W*|"
    rf"\W*(?:(?:make|get) it\s+)?(?:(?:an?|much|even|way|some|something|somewhat|slightly|just|bit|little|lot)\s+)*"
    rf"{_NICER}(?:\W+(?:please|pls|somehow|now))*\W*|"
    r"\W*(?:improve|polish|enhance|beautify|spice up|jazz up) (?:it|this|that|the (?:video|film))\W*|"
    r"\W*(?:spice|jazz) it up\W*"
)
_NO_SUBJECT = (
    r"\W*(?:surprise me|anything|whatever|something|随便(?:来|画|做)?(?:一?[个张点])?|给我(?:个|一个)?惊喜)(?:吧)?\W*"
)
_AGAIN = (
    r"\W*(?:(?:draw|generate|create|make|give|show|do|add)\s+(?:me\s+)?)?(?:just\s+)?(?:another|one more|another one|"
    r"once more)(?:\s+(?:one|picture|image|photo|like (?:it|that|this)))?(?:\W+(?:please|pls))?\W*|"
    r"\W*(?:请|帮我|给我)?(?:(?:再|又)(?:来|画|生成|加|做|要)|来)(?P<n>[一二两三四五\d])?[个张幅](?:图|图片)?(?:吧|呗|呀)*\W*"
)
_TOO_LONG = (
    r"\W*(?:(?:but|still|well)\s+)*(?:(?:it|this|that)(?:'?s| is| feels| seems)?\s+|the (?:whole )?(?:\w+ )?"
    r"(?:video|film|clip|thing|start|beginning|intro|opening|end|ending|outro)(?:'s| is| feels)?\s+)?"
    r"(?:still |just |way |much |far |"
    r"a (?:bit|little) )*too (?:long|short)(?: for me| now)?\W*|"
    r"\W*(?:视频|片子|影片|这个?|整个|它|时间|时长|总长|还是|感觉|现在|前面|开头|片头|后面|结尾|片尾)*(?:太|有一?点|过|偏|"
    r"稍微有点)[长短](?:了|啦|点)*\W*"
)
_PLACED = (
    r"\b(?:start|beginning|intro|opening|front|first part|end|ending|outro)\b.*\b(?:long|drags?|dragging|slow to)\b|"
    r"(?:前面|前半|开头|片头|后面|后半|结尾|片尾).{0,4}(?:长|拖)"
)
_CUT = r"\b(?:trim|cut|shorten|chop|crop|shave|take)\b|剪|裁|截|切|去掉|删|缩短"
_ENDS = r"\b(?:first|last|start|beginning|end|ending|front|from)\b|前|后|开头|结尾|到|片[头尾]"
_ASKS = (
    r"^\W*(?:(?:so|but|and|hi|hello|hey|ok)[,\s]+)*(?:how (?:do|can|could|should|would|might) (?:i|we|you|one)\b|"
    r"how to\b(?!.*\b(?:video|film|tutorial)\b)|(?:what|which words) (?:should|do|can|must) i (?:say|type|write|do) "
    r"to\b|what (?:kinds? of )?(?:music|moods)\b"
    r"(?=.*\b(?:do|can|could|have|available)\b)|(?:tell|show|teach) me how\b|is there a way to\b)|"
    r"^(?!.*(?:教|讲|关于|介绍|的(?:视频|短片)\W*$))[^:,写说叫打做画生\ue000-\uf8ff]{0,8}"
    r"(?:怎么|如何|怎样|咋)(?!样$|回事|了|个|这么|那么|还|又|老|没|不)|^\W*有(?:什么|哪些)(?:音乐|配乐|风格)"
)
# What is asked about, and the words that would do it.
_HOW: tuple[tuple[str, str, str], ...] = (
    (r"\b(?:undo|revert|go back)\b|撤销|撤回|还原", "undo", "撤销"),
    (
        r"\b(?:export|download|save|render)\b|\b(?:get|take|keep|have)\b.*\b(?:this|the|it)\b.*\bvideo|"
        r"导出|下载|保存",
        "export as MP4",
        "导出 MP4",
    ),
    (r"\b(?:delete|remove|get rid|take out)\b|删|去掉|去除", "remove the music", "去掉音乐"),
    (
        r"\b(?:change|edit|rename|replace)\b.*\b(?:title|caption|text)|(?:改|换).*(?:标题|字幕|文字)|"
        r"(?:标题|字幕|文字).*(?:改|换)",
        "change the title to ‘Hello’",
        "标题改成‘你好’",
    ),
    (
        r"\b(?:titles?|captions?|subtitles?|text)\b|标题|字幕|文字",
        "add a title ‘Hello’ for 3 seconds",
        "加标题‘你好’3秒",
    ),
    (r"\b(?:volume|louder|quieter|softer|mute)\b|音量|声音|静音", "music at 20%", "音乐音量调到 20%"),
    (r"\b(?:voice|narration)\b|配音|旁白", "add my voice-over", "把我的录音加到画面下面"),
    (r"\b(?:music|moods|bgm|soundtrack|song)\b|音乐|配乐|歌", "add lo-fi music at 35%", "加 Lo-fi 音乐，音量 35%"),
    (r"\b(?:vertical|portrait|square|landscape|ratio|shape)\b|[竖横]屏|画幅|比例|方形", "make it 9:16", "改成竖屏"),
    (r"\b(?:transitions?|cross-?fades?)\b|转场|过渡", "add crossfade transitions", "加交叉淡化转场"),
    (r"\b(?:zoom|pan|motion|animate|move)\b|推近|拉远|动起来|运动", "zoom in slowly", "慢慢推近"),
    (r"\b(?:faster|slower|speed)\b|加速|变速|放慢|速度", "make it twice as fast", "加速 2 倍"),
    (r"\b(?:longer|extend|lengthen|length|long)\b|时长|长度|变长|延长", "make it 20 seconds long", "改成20秒"),
    (r"\b(?:trim|cut|shorten|shorter)\b|剪|缩短|变短", "trim to 8 seconds", "剪到 8 秒"),
    (r"\b(?:order|reorder|swap)\b|顺序|调换", "move clip 2 to the start", "把第二段放到最前面"),
    (
        r"\b(?:upload|my (?:own )?(?:photos?|pictures?|clips?|files?|images?|videos?))\b|上传|我的",
        "turn my photos into a 15-second video",
        "用我的照片做一个15秒的视频",
    ),
    (
        r"\b(?:draw|generate)\b|\b(?:make|create|get|add)\b.*\b(?:pictures?|images?|photos?|video|film)\b|图|画|照片|生成",
        "generate a picture of a lake at dawn",
        "生成一张清晨湖边的图片",
    ),
)


def question(clause: Clause, scene: Scene) -> Refused | None:
    """ "how do I add music?": told in a sentence, nothing done."""
    if not clause.has(_ASKS):
        return None
    words = clause.raw.strip(" ,，.。!！?？")
    talk = next((key for key, pattern in SMALL_TALK if re.fullmatch(pattern, words, re.I)), None)
    topic = next(((english, chinese) for pattern, english, chinese in _HOW if clause.has(pattern)), None)
    if talk or topic is None:
        return Refused(talk or "unknown", {"words": words})
    return Refused("how", {"words": topic[1 if scene.zh else 0]})


def without_kept(whole: Clause) -> Clause | None:
    """The clause less what it says is to stay; None where nothing else is left."""
    clause = whole
    if re.fullmatch(_ALL_KEPT, clause.plain, re.IGNORECASE):
        return None
    for pattern in _KEPT:
        while found := clause.has(pattern):
            start, end = found.span()
            clause = Clause(
                clause.plain[:start] + clause.plain[end:], clause.raw[:start] + clause.raw[end:], clause.quotes
            )
    if clause is whole:
        return whole
    left = re.sub(r"\b(?:but|and|please|then)\b|[\W_]|但是?|请", "", clause.plain, flags=re.IGNORECASE)
    return clause if left or clause.quotes else None


def joined(found: list[Clause]) -> list[Clause]:
    """ "the start is too long, cut 3 seconds": where to cut is said in the complaint before."""
    together: list[Clause] = []
    for clause in found:
        last = together[-1] if together else None
        if last and last.has(_PLACED) and durations(clause) and clause.has(_CUT) and not clause.has(_ENDS):
            together[-1] = Clause(
                f"{last.plain},{clause.plain}", f"{last.raw},{clause.raw}", last.quotes + clause.quotes
            )
        else:
            together.append(clause)
    return together


def vague(clause: Clause, scene: Scene) -> Refused | None:
    """ "nicer please", 好看一点, "too long": nothing that could be done is said."""
    if re.fullmatch(_TOO_LONG, clause.plain, re.IGNORECASE):
        return Refused("how_long")
    if re.fullmatch(_NO_SUBJECT, clause.plain, re.IGNORECASE):
        return Refused("subject")
    if re.fullmatch(_VAGUE, clause.plain, re.IGNORECASE) and not (tracks.beds(scene.draft) and mood_of(clause)):
        return Refused("unknown", {"words": clause.raw.strip(" ,，.。!！?？")})
    return None


def both(clause: Clause, scene: Scene) -> list[Edit] | None:
    """ "remove both": the music and the title, the two things that come by themselves."""
    if not re.fullmatch(_BOTH, clause.plain, re.IGNORECASE):
        return None
    there: list[Edit] = []
    if tracks.of(scene.draft, tracks.TEXT):
        there.append(Delete("title"))
    if tracks.beds(scene.draft):
        there.append(Delete("music"))
    return there or None


def another(clause: Clause, scene: Scene) -> list[Edit] | Refused | None:
    """ "one more", 再来一个: another picture of what was drawn last."""
    found = re.fullmatch(_AGAIN, clause.plain, re.IGNORECASE)
    if not found:
        return None
    subject = scene.subject or scene.drawn_last
    if not subject:
        return Refused("subject")
    count = max(1, min(6, int(number(found["n"] or "1") or 1)))
    return [Generate(subject, count, 10_000 * count if scene.subject else None)]  # not the wish before said twice
