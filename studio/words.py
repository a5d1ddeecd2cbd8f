"""Words in English and Chinese: what people ask with, and what the studio says, like a backend with a screen."""

from __future__ import annotations

from typing import Literal

__all__ = ["ADD", "DRAW", "TAKE", "SMALL_TALK", "Lang", "lang_of", "listing", "say"]

Lang = Literal["en", "zh"]

# Patterns of the verbs for bringing something, taking something out, and drawing
ADD = (
    r"\b(?:add|put|place|show|write|insert|display|overlay|type|give|set|create|make|use|want|need|pop|slap|stick|"
    r"throw|chuck|lay|include|drop (?:in|some|an?)|say(?:ing|s)?|reads?)\b|加|写|打上|打出|放|显示|叠|用|来|配|"
    r"整[点个首段]|"
    r"[搞弄][点个首段]"
)
TAKE = (
    r"\b(?:delete|remove|drop(?! (?:in|some|an?)\b)|discard|erase|get rid of|take (?:out|off|away)|strip|clear|without|"
    r"ditch|lose|kill|nuke|scrap|bin|axe|trash|no more|don'?t (?:want|need))\b|^\s*no\b|删除|删掉|删了|去掉|去除|"
    r"移除|清空|清除|"
    r"拿掉|干掉|删|(?<!先)不要|不想要|不需要"
)
DRAW = (
    r"\b(?:generate|generating|draw|paint|imagine|illustrate|visuali[sz]e)\b|生成|绘制|(?<![动漫])画(?!面|"
    r"[幅中里上质])|"
    r"\b(?:image|picture|photo|video|clip|scene|shot|film)s? (?:of|about|showing)\b"
)

SMALL_TALK = (
    (
        "hello",
        r"(?:(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings|howdy|yo)(?: there| you)?,? ?)?"
        r"(?:how(?:'s| is) (?:it|everything|life) going|how are (?:you|things)(?: doing)?|what'?s up|"
        r"(?:is )?any(?:one|body) (?:there|here|home))|"
        r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings|howdy|yo)(?: there| you)?|"
        r"你好[啊呀吗]?|您好|嗨|哈[喽啰]|早上好|晚上好|早安?|在吗|在不在|最近(?:怎么样|好吗|如何)|有人(?:在)?吗",
    ),
    (
        "welcome",
        r"(?:many )?(?:thanks?|thx|ty|cheers)(?: you)?(?: (?:so|very) much| a lot)?|"
        r"(?:i )?(?:love|like) it|(?:that(?:'s| is)|looks?|very|really|so)? ?(?:nice|great|cool|awesome|perfect)|"
        r"(?:真|太|很)?(?:好看|不错|棒|赞|漂亮|喜欢)[了啊呀!]*|"
        r"谢谢[你啦了]?|多谢|谢啦|"
        r"辛苦了",
    ),
    (
        "able",
        r"(?:help|what can (?:you|i) do(?: here)?|what do you do|who are you|how does (?:this|it) work|"
        r"how do i (?:start|use (?:this|it)))|你?(?:能|会|可以)(?:做|干)?(?:什么|啥|哪些)|"
        r"你是谁|怎么(?:用|玩|开始)|帮助",
    ),
)
"""Clauses that ask for no edit, and the key of what is said to them."""

_WORDS: dict[str, tuple[str, str]] = {
    # What was done
    "made": ("I've created the image and placed it on the timeline.", "图片已生成，并放到了时间线上。"),
    "made_many": (
        "I've created {count} images and placed them on the timeline.",
        "已生成 {count} 张图片，并放到了时间线上。",
    ),
    "sketch": (
        "These pictures are sketches drawn on this computer; no image model is running here.",
        "这些画面是在本机绘制的草图，这里没有运行图像模型。",
    ),
    "raw": ("The raw pictures for your video are on the timeline.", "视频的原始画面已放到时间线上。"),
    "extras": (
        "I also added {mood} background music and the title “{title}” on my own. Would you like to keep them? "
        "If not, tell me to remove the music or remove the title.",
        "我还自动加了{mood}的背景音乐和标题“{title}”。要保留吗？不需要的话，告诉我去掉音乐或去掉标题即可。",
    ),
    "placed": ("I've placed {count} of your files on the timeline.", "已将你上传的 {count} 个素材放到时间线上。"),
    "sound": ("Your audio is on its own track.", "你的音频已放到单独的轨道上。"),
    "title": ("I've added the title “{text}”.", "已添加标题“{text}”。"),
    "retitle": ("The title reads “{text}”.", "标题已改为“{text}”。"),
    "music": ("I've added the background music ({name}, {percent}%).", "已添加背景音乐（{name}，{percent}%）。"),
    "volume": ("I've set the volume.", "音量已调整。"),
    "trim": ("I've trimmed it; it is {seconds} seconds long.", "已剪好，全长 {seconds} 秒。"),
    "length": ("It is {seconds} seconds long.", "全长 {seconds} 秒。"),
    "delete": ("I've removed it.", "已删除。"),
    "order": ("I've changed the order.", "顺序已调整。"),
    "speed": ("I've changed the speed; it is {seconds} seconds long.", "速度已调整，全长 {seconds} 秒。"),
    "ratio": ("The canvas is {width}×{height}.", "画布已设为 {width}×{height}。"),
    "transition": ("I've added transitions.", "已添加转场。"),
    "motion": ("I've set the motion of the pictures.", "画面的运动效果已设置。"),
    "undo": ("I've undone the last change.", "已撤销上一步。"),
    # What a screen would be for
    "preview": ("You can preview it in the timeline.", "你可以在时间线中预览。"),
    "panel": ("Open the timeline panel to see it.", "打开时间线面板即可查看。"),
    "happy": ("When you're happy with it, click the Export button.", "满意后，点击“导出”按钮。"),
    "finish": ("Your video is ready. Click the Export button to download it.", "视频已准备好。点击“导出”按钮下载。"),
    "finish_empty": ("There is nothing on the timeline to export.", "时间线上还没有可以导出的内容。"),
    # What needs no edit
    "hello": ("Hello!", "你好！"),
    "welcome": ("You're welcome! Tell me what to change next.", "不客气！接下来要改什么，告诉我就好。"),
    "able": ("Just describe it in plain words.", "用平常的话描述就行。"),
    # What cannot be done
    "unknown": ("I can't do “{words}”.", "“{words}”我做不了。"),
    "can": (
        "What I can do: generate pictures from text; use your uploaded photos, clips "
        "and audio; add titles and background music; "
        "change volume; trim; set the length; delete; reorder; change speed; change "
        "the aspect ratio; add transitions; undo. "
        "That cost nothing.",
        "我能做的：根据文字生成图片；使用你上传的照片、视频和音频；添加标题和背景音乐；调音量；剪短；设定时长；删除；"
        "调整顺序；变速；改画幅；加转场；撤销。这次没有扣积分。",
    ),
    "subtitles": (
        "I can't write subtitles from speech or translate them; give me the words and I'll add them as a caption.",
        "我不能根据语音生成字幕，也不能翻译；请给我文字，我可以作为字幕加上。",
    ),
    "title_text": ("Tell me the words of the title, in quotes.", "请告诉我标题的文字，并加上引号。"),
    "music_mood": (
        "I can't play that: my music is lo-fi, cinematic, epic, upbeat, corporate or ambient. You can upload your own.",
        "这种音乐我没有：我有 Lo-fi、电影感、史诗、轻快、商务和氛围音乐，你也可以上传自己的。",
    ),
    "music_whole": (
        "I can't cut, time or fade the music: it runs under the whole video. I can change its mood and its volume.",
        "我不能剪配乐、给配乐定时间或做淡入淡出：它贯穿整个视频。我可以换风格、调音量。",
    ),
    "whole_only": (
        "I can only do that for the whole video, not for single pictures.",
        "这个我只能对整个视频做，不能只对某一段做。",
    ),
    "ends_only": (
        "I can only cut at the start or the end, or keep one stretch, for example “keep 2 to 6 seconds”.",
        "我只能从开头或结尾剪，或者保留一段，例如“只保留第2秒到第6秒”。",
    ),
    "one_title": (
        "There are several titles: I can only change the last one, or remove all of them.",
        "有好几个标题：我只能改最后一个，或者全部删除。",
    ),
    "speed_range": ("I can change the speed from a quarter to four times.", "速度只能在四分之一到四倍之间调整。"),
    "undo_once": ("I can only undo one step.", "我只能撤销一步。"),
    "volume_level": ("Tell me how loud, for example “music at 30%”.", "请告诉我音量，例如“音乐 30%”。"),
    "subject": ("Tell me what the picture should show.", "请告诉我图片要画什么。"),
    "upload_first": ("I don't have those files yet: upload them first.", "我还没有收到这些文件，请先上传。"),
    "voice_first": (
        "I can't speak: upload a recording and I'll lay it under the pictures.",
        "我不会配音：请上传录音，我可以把它放到画面下面。",
    ),
    "no_video": ("There is no picture on the timeline yet.", "时间线上还没有画面。"),
    "no_segment": ("There is no segment {number}: there are {count}.", "没有第 {number} 段，一共 {count} 段。"),
    "no_title": ("There is no title.", "没有标题。"),
    "no_music": ("There is no background music.", "没有背景音乐。"),
    "no_voice": ("There is no voice-over.", "没有配音。"),
    "no_clips": ("There is no clip with its own sound.", "没有带原声的视频片段。"),
    "no_transition": ("There is no transition.", "没有转场。"),
    "no_still": ("There is no still picture to move.", "没有可以添加运动的静态图片。"),
    "no_longer": ("A clip can't be made longer than it is.", "视频片段不能比原来更长。"),
    "one_segment": ("A transition needs two pictures.", "转场至少需要两个画面。"),
    "nothing_left": (
        "It is only {seconds} seconds long: nothing would be left.",
        "全长只有 {seconds} 秒，剪完就没有了。",
    ),
    "already_shorter": ("It is {seconds} seconds long: there is nothing to cut.", "全长 {seconds} 秒，不需要再剪。"),
    "after_end": ("The video ends at {seconds} seconds.", "视频只有 {seconds} 秒。"),
    "too_long": ("A video can be {minutes} minutes long at most.", "视频最长 {minutes} 分钟。"),
    "already": ("It is like that already.", "已经是这样了。"),
    "kept": ("It stays as it is.", "好的，保持不变。"),
    "how": ("Say “{words}”.", "说“{words}”就可以。"),
    "how_long": ("Tell me how long it should be, for example “make it 8 seconds”.", "请告诉我要多长，例如“改成8秒”。"),
    "which_picture": (
        "Tell me which picture, for example “replace picture 2 with a forest”.",
        "请告诉我是第几张，例如“把第二张换成森林”。",
    ),
    "free": ("That cost nothing.", "这次没有扣积分。"),
    "no_undo": ("There is nothing to undo.", "没有可以撤销的操作。"),
    "not_drawn": ("The picture could not be drawn. Nothing was charged.", "图片没能画出来，没有扣积分。"),
    "broke": ("Something went wrong on our side. Nothing was charged.", "我们这边出了点问题，没有扣积分。"),
    # Answers under a code
    "code_1001": ("The token is missing, wrong or expired.", "令牌缺失、错误或已过期。"),
    "code_1002": ("No such session.", "没有这个会话。"),
    "code_2001": ("Not enough credits.", "积分不足。"),
    "code_4001": (
        "This file type is not supported. Accepted: mp4, mov, avi, webm, mkv, jpg, png, gif, webp, mp3, wav, m4a, aac.",
        "不支持这种文件。可用：mp4、mov、avi、webm、mkv、jpg、png、gif、webp、mp3、wav、m4a、aac。",
    ),
    "code_4002": ("The file is too large: {limit} MB at most.", "文件太大，最多 {limit} MB。"),
    "url_refused": ("Only public http and https addresses can be fetched.", "只能读取公开的 http 或 https 地址。"),
    "url_failed": ("The address could not be read.", "读取这个地址失败。"),
    "render_failed": ("The render did not finish.", "渲染没有完成。"),
}


def lang_of(code: str) -> Lang:
    """The language of ours for a session's language code."""
    return "zh" if code.lower().startswith("zh") else "en"


def say(lang: Lang, key: str, **values: object) -> str:
    """The sentence for `key`, its placeholders filled."""
    english, chinese = _WORDS[key]
    return (chinese if lang == "zh" else english).format(**values)


def listing(lang: Lang, sentences: list[str]) -> str:
    """Sentences one after the other, spaced as the language does."""
    return ("" if lang == "zh" else " ").join(sentences)
