"""Everyday requests, sixty a language, and the edits they mean."""

from __future__ import annotations

import pytest

from studio import timeline
from studio.edits import (
    Asset,
    Brief,
    Delete,
    Edit,
    Generate,
    Length,
    Motion,
    Move,
    Music,
    Place,
    Ratio,
    Retitle,
    Speed,
    Swap,
    Title,
    Transition,
    Trim,
    Undo,
    Volume,
)
from studio.planner import plan
from studio.scene import Scene

_FILES = (
    Asset("u1", "image", "beach.jpg"),
    Asset("u2", "image", "family.png"),
    Asset("u3", "audio", "memo.mp3", duration_ms=12_000),
)
# What the timeline calls them.
BEACH = Asset("u1", "image", "beach")
FAMILY = Asset("u2", "image", "family")
MEMO = Asset("u3", "audio", "memo", duration_ms=12_000)
PHOTOS = (BEACH, FAMILY)
_THREE = tuple(Asset(f"g{n}", "image", f"scene {n}", origin="generated") for n in range(1, 4))

EMPTY = Scene()
FILM = Scene(timeline.apply(timeline.empty(), Place(_THREE)))  # three stills of 5 s
SCORED = Scene(timeline.apply(timeline.apply(FILM.draft, Music("lofi", "Lo-fi", 0.35)), Title("Hello")))
FRESH = Scene(uploads=_FILES)  # uploaded, not yet used
ONE = Scene(FILM.draft, uploads=_FILES[:1])  # one photo not yet used beside a film
USED = Scene(timeline.apply(timeline.empty(), Place(PHOTOS)), uploads=_FILES[:2])

Row = tuple[Scene, str, list[Edit]]

ENGLISH: list[Row] = [
    # Pictures and whole films
    (EMPTY, "can you make me a picture of a cat wearing sunglasses?", [Generate("cat wearing sunglasses")]),
    (EMPTY, "gimme a sunset over the sea pls", [Generate("sunset over the sea")]),
    (EMPTY, "draw 4 scenes of a lighthouse in a storm", [Generate("lighthouse in a storm", 4)]),
    (EMPTY, "I'd like three pictures of autumn forests, 15 seconds in total", [Generate("autumn forests", 3, 15_000)]),
    (EMPTY, "create a 6-second clip of rain on a window", [Generate("rain on a window", 1, 6_000)]),
    (EMPTY, "make a half-minute ad for my bakery", [Brief("bakery", 30_000)]),
    (EMPTY, "could you please generate a snowy village and put some calm music on it?",
     [Generate("snowy village"), Music("ambient", "Ambient")]),
    (FILM, "now generate another picture of a harbour at dawn", [Generate("harbour at dawn")]),
    # Uploads
    (FRESH, "turn it into a 10-second clip with a slow zoom", [Place(PHOTOS, 10_000, True, MEMO), Motion("zoom-in")]),
    (ONE, "turn it into a 10-second clip with a slow zoom", [Place((BEACH,), 10_000, True), Motion("zoom-in")]),
    (ONE, "use my photo for 4 seconds", [Place((BEACH,), 4_000, True)]),
    (FRESH, "make a slideshow from my photos, 20 seconds, with crossfades",
     [Place(PHOTOS, 20_000, True, MEMO), Transition()]),
    (FRESH, "make a slideshow with 3 seconds per photo", [Place(PHOTOS, 6_000, True, MEMO)]),
    (ONE, "add this photo at the end", [Place((BEACH,))]),
    (FRESH, "use beach.jpg for 5 seconds", [Place((BEACH,), 5_000, True)]),
    (USED, "turn it into an 8 second clip with a slow zoom out", [Length(8_000), Motion("zoom-out")]),
    # Titles
    (FILM, 'put "Our Trip" on the first 3 seconds', [Title("Our Trip", 0, 3_000)]),
    (FILM, 'show "Thanks for watching" for the last 2 seconds', [Title("Thanks for watching", 0, 2_000, at_end=True)]),
    (FILM, 'add the caption "Day one" at the bottom from 4 to 8 seconds', [Title("Day one", 4_000, 4_000, "bottom")]),
    (FILM, "add a title that says Happy Birthday Mum at the start", [Title("Happy Birthday Mum")]),
    (FILM, 'can you pop "Sale now on" at the top at 0:02?', [Title("Sale now on", 2_000, 3_000, "top")]),
    (FILM, 'slap "YOLO" on it in the last two seconds', [Title("YOLO", 0, 2_000, at_end=True)]),
    (FILM, 'title "Summer" the whole way through', [Title("Summer", 0, None)]),
    (SCORED, 'change the title to "Goodbye"', [Retitle("Goodbye")]),
    # Music and volume
    (FILM, "add calm music, volume 40%", [Music("ambient", "Ambient", 0.4)]),
    (FILM, "add some happy music at 40 percent volume", [Music("upbeat", "Upbeat", 0.4)]),
    (FILM, "I want epic music with the volume at half", [Music("epic", "Epic", 0.5)]),
    (FILM, "slap some lofi on there", [Music("lofi", "Lo-fi")]),
    (FILM, "some soft piano in the background please", [Music("ambient", "Ambient")]),
    (SCORED, "swap the music for something cinematic", [Music("cinematic", "Cinematic")]),
    (SCORED, "crank the music up", [Volume("music", None, 0.15)]),
    (SCORED, "the music is too loud", [Volume("music", None, -0.15)]),
    (SCORED, "music a bit quieter please", [Volume("music", None, -0.15)]),
    (SCORED, "set volume to thirty percent", [Volume(None, 0.3)]),
    (SCORED, "lower the music by 10%", [Volume("music", None, -0.1)]),
    (SCORED, "mute it", [Volume(None, 0.0)]),
    (SCORED, "kill the music", [Delete("music")]),
    # Cutting and deleting
    (FILM, "trim it down to 9 seconds", [Trim(to_ms=9_000)]),
    (FILM, "chop off the last 3 secs", [Trim(tail_ms=3_000)]),
    (FILM, "lose the first two seconds", [Trim(head_ms=2_000)]),
    (FILM, "keep only the first 6 seconds", [Trim(to_ms=6_000)]),
    (FILM, "keep seconds 2 to 7", [Trim(head_ms=2_000, to_ms=5_000)]),
    (FILM, "can you make the whole thing 20 seconds long?", [Length(20_000)]),
    (FILM, "make clip 2 three seconds long", [Length(3_000, segment=2)]),
    (SCORED, "ditch the title", [Delete("title")]),
    (FILM, "get rid of the second picture", [Delete("segment", 2)]),
    (SCORED, "start over, delete everything", [Delete("all")]),
    # Order, speed, canvas, transitions, motion
    (FILM, "put the last clip first", [Move(-1, 1)]),
    (FILM, "move the first scene to the end", [Move(1, -1)]),
    (FILM, "swap scenes 1 and 2", [Swap(1, 2)]),
    (FILM, "make it twice as fast", [Speed(2.0)]),
    (FILM, "slow the second clip down to half speed", [Speed(0.5, 2)]),
    (FILM, "i need it vertical for tiktok", [Ratio(1080, 1920)]),
    (FILM, "fade to black between the clips", [Transition("fade-black")]),
    (FILM, "pan left slowly across the pictures", [Motion("pan-left")]),
    # Back, and several at once
    (SCORED, "oops, take that back", [Undo()]),
    (FILM, 'trim it to 8 seconds and add the title "Go"', [Trim(to_ms=8_000), Title("Go")]),
    (SCORED, "mute the music, make it square and speed it up 2x",
     [Volume("music", 0.0), Ratio(1080, 1080), Speed(2.0)]),
    (SCORED, "remove the title and the music", [Delete("title"), Delete("music")]),
    (FILM, 'at the end, put "The End" for 2 seconds, then add some epic music at 20%',
     [Title("The End", 0, 2_000, at_end=True), Music("epic", "Epic", 0.2)]),
]  # fmt: skip

CHINESE: list[Row] = [
    # 画面与成片
    (EMPTY, "帮我画一只戴墨镜的猫", [Generate("戴墨镜的猫")]),
    (EMPTY, "来张海上日落", [Generate("海上日落")]),
    (EMPTY, "麻烦生成四张暴风雨中的灯塔", [Generate("暴风雨中的灯塔", 4)]),
    (EMPTY, "我想要三张秋天森林的图片，一共15秒", [Generate("秋天森林", 3, 15_000)]),
    (EMPTY, "生成一段6秒的雨打窗户的视频", [Generate("雨打窗户", 1, 6_000)]),
    (EMPTY, "给我的面包店做个半分钟的广告", [Brief("面包店", 30_000)]),
    (EMPTY, "请生成一个下雪的村庄，再配上舒缓的音乐", [Generate("下雪的村庄"), Music("ambient", "氛围")]),
    (FILM, "再生成一张清晨的港口", [Generate("清晨的港口")]),
    # 上传的素材
    (FRESH, "把它们做成10秒的视频，慢慢放大", [Place(PHOTOS, 10_000, True, MEMO), Motion("zoom-in")]),
    (ONE, "把它做成10秒的短片，缓慢推近", [Place((BEACH,), 10_000, True), Motion("zoom-in")]),
    (ONE, "用我的照片做个4秒的视频", [Place((BEACH,), 4_000, True)]),
    (FRESH, "用我的照片做一个20秒的幻灯片，加交叉淡化转场", [Place(PHOTOS, 20_000, True, MEMO), Transition()]),
    (FRESH, "把照片做成相册视频，每张3秒", [Place(PHOTOS, 6_000, True, MEMO)]),
    (ONE, "把这张照片加到最后", [Place((BEACH,))]),
    (FRESH, "用beach.jpg，放5秒", [Place((BEACH,), 5_000, True)]),
    (USED, "把它变成8秒的短片，慢慢拉远", [Length(8_000), Motion("zoom-out")]),
    # 标题
    (FILM, "前 3 秒加上标题“我们的旅行”", [Title("我们的旅行", 0, 3_000)]),
    (FILM, "结尾 2 秒放上我们的口号“敢想敢做”", [Title("敢想敢做", 0, 2_000, at_end=True)]),
    (FILM, "4到8秒在底部加字幕“第一天”", [Title("第一天", 4_000, 4_000, "bottom")]),
    (FILM, "开头加个标题，写生日快乐", [Title("生日快乐")]),
    (FILM, "第2秒在顶部打上“限时特惠”", [Title("限时特惠", 2_000, 3_000, "top")]),
    (FILM, "最后两秒来个“谢谢观看”", [Title("谢谢观看", 0, 2_000, at_end=True)]),
    (FILM, "全程显示标题'夏天'", [Title("夏天", 0, None)]),
    (SCORED, "标题改成“再见”", [Retitle("再见")]),
    # 音乐与音量
    (FILM, "加上氛围音乐，音量 40%", [Music("ambient", "氛围", 0.4)]),
    (FILM, "加上舒缓的背景音乐，音量 40%", [Music("ambient", "氛围", 0.4)]),
    (FILM, "配一段史诗音乐，声音调到一半", [Music("epic", "史诗", 0.5)]),
    (FILM, "整点欢快的音乐", [Music("upbeat", "轻快")]),
    (FILM, "来点钢琴曲当背景音乐吧", [Music("ambient", "氛围")]),
    (SCORED, "把音乐换成电影感的", [Music("cinematic", "电影感")]),
    (SCORED, "音乐大声点", [Volume("music", None, 0.15)]),
    (SCORED, "音乐太吵了", [Volume("music", None, -0.15)]),
    (SCORED, "背景音乐小一点", [Volume("music", None, -0.15)]),
    (SCORED, "音量调到三成", [Volume(None, 0.3)]),
    (SCORED, "音乐音量降低10%", [Volume("music", None, -0.1)]),
    (SCORED, "先静音吧", [Volume(None, 0.0)]),
    (SCORED, "不要音乐了", [Delete("music")]),
    # 剪与删
    (FILM, "剪短到9秒", [Trim(to_ms=9_000)]),
    (FILM, "最后3秒剪掉", [Trim(tail_ms=3_000)]),
    (FILM, "前两秒不要了", [Trim(head_ms=2_000)]),
    (FILM, "只保留前6秒", [Trim(to_ms=6_000)]),
    (FILM, "只留第2秒到第7秒", [Trim(head_ms=2_000, to_ms=5_000)]),
    (FILM, "整个视频改成20秒", [Length(20_000)]),
    (FILM, "第二段改成3秒", [Length(3_000, segment=2)]),
    (SCORED, "标题删了吧", [Delete("title")]),
    (FILM, "第二张图不要了", [Delete("segment", 2)]),
    (SCORED, "全部删掉重来", [Delete("all")]),
    # 顺序、速度、画幅、转场、运动
    (FILM, "把最后一段放到最前面", [Move(-1, 1)]),
    (FILM, "第一段挪到最后", [Move(1, -1)]),
    (FILM, "一二两段对调", [Swap(1, 2)]),
    (FILM, "快两倍", [Speed(2.0)]),
    (FILM, "第二段慢放一半", [Speed(0.5, 2)]),
    (FILM, "我要发抖音，改成竖屏", [Ratio(1080, 1920)]),
    (FILM, "片段之间加黑场过渡", [Transition("fade-black")]),
    (FILM, "画面慢慢向左移动", [Motion("pan-left")]),
    # 撤销与一句多事
    (SCORED, "算了，退回上一步", [Undo()]),
    (FILM, "剪到8秒并加上标题“出发”", [Trim(to_ms=8_000), Title("出发")]),
    (SCORED, "音乐静音，改成方形，再加速2倍", [Volume("music", 0.0), Ratio(1080, 1080), Speed(2.0)]),
    (SCORED, "标题和音乐都去掉", [Delete("title"), Delete("music")]),
    (FILM, "结尾放“完”2秒，然后加点史诗音乐，音量20%",
     [Title("完", 0, 2_000, at_end=True), Music("epic", "史诗", 0.2)]),
]  # fmt: skip


@pytest.mark.parametrize(("scene", "text", "edits"), ENGLISH, ids=[row[1] for row in ENGLISH])
def test_everyday_english_becomes_the_edits_it_means(scene: Scene, text: str, edits: list[Edit]) -> None:
    _agrees(scene, text, edits, zh=False)


@pytest.mark.parametrize(("scene", "text", "edits"), CHINESE, ids=[row[1] for row in CHINESE])
def test_everyday_chinese_becomes_the_edits_it_means(scene: Scene, text: str, edits: list[Edit]) -> None:
    _agrees(scene, text, edits, zh=True)


def _agrees(scene: Scene, text: str, edits: list[Edit], *, zh: bool) -> None:
    found = plan(text, Scene(scene.draft, scene.uploads, zh))
    assert (list(found.edits), [refused.key for refused in found.refused]) == (edits, [])


def test_the_tables_hold_sixty_requests_a_language() -> None:
    assert len(ENGLISH) == len(CHINESE) == 60
