"""What a prompt asks to see, in English or Chinese: a scene that can be drawn honestly, or nothing."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from studio.scenes_paint import Time
from studio.scenes_product import Shape

__all__ = ["Place", "Wish", "headline", "wish"]

Place = Literal["city", "lake", "mountains", "ocean", "desert", "forest", "space", "product"]


class Wish(NamedTuple):
    """A scene: where, when, and what the place needs to know."""

    place: Place
    time: Time
    future: bool = False
    shape: Shape = "bottle"
    tint: str | None = None


_PLACES: tuple[tuple[Place, str, str], ...] = (  # the first that matches wins
    (
        "product",
        r"products?|pack ?shots?|bottles?|perfumes?|serums?|skin ?care|cosmetics?|lotions?|jars?|soda cans?|shampoos?",
        "产品|產品|商品|瓶|香水|护肤|護膚|精华|精華|化妆品|化妝品|罐|面霜|洗发水|洗髮水",
    ),
    (
        "city",
        r"cit(?:y|ies)|cityscapes?|skylines?|metropolis(?:es)?|skyscrapers?|downtown|urban|megacity|cyberpunk",
        "城市|都市|天际线|天際線|摩天|楼群|樓群|高楼|高樓|赛博朋克|賽博龐克",
    ),
    (
        "space",
        r"(?:outer|deep) space|space|galax(?:y|ies)|planets?|nebulas?|nebulae|universe|cosmos|cosmic",
        "太空|宇宙|星球|行星|银河|銀河|星云|星雲|星系",
    ),
    ("lake", r"lakes?|lakeside|reservoir", "湖"),
    (
        "ocean",
        r"oceans?|seas?|seaside|seascapes?|waves?|horizon",
        "大海|海洋|海面|海上|海边|海邊|海浪|海景|海平线|海平線",
    ),
    ("desert", r"deserts?|dunes?|sahara", "沙漠|沙丘|戈壁|大漠"),
    ("mountains", r"mountains?|mountain range|peaks?|alps|valleys?|himalayas?|summits?", "山|峰|峡谷|峽谷"),
    ("forest", r"forests?|woods|woodlands?|pines?|firs?|conifers?", "森林|树林|樹林|松林|林间|林間|林海"),
)

_TIMES: tuple[tuple[Time, str, str], ...] = (
    ("sunset", r"sunsets?|dusk|evening|golden hour|sundown|twilight", "日落|夕阳|夕陽|黄昏|黃昏|傍晚|晚霞|落日"),
    ("dawn", r"dawn|sunrise|morning|daybreak|misty", "日出|清晨|黎明|早晨|晨|朝阳|朝陽"),
    (
        "night",
        r"nights?|nighttime|midnight|neon|starry|moonlit|moon(?:light)?|cyberpunk|nocturnal",
        "夜|星空|霓虹|月光|赛博|賽博",
    ),
    (
        "noon",
        r"noon|day|daytime|midday|sunny|daylight|blue sky|afternoon",
        "白天|正午|中午|晴|阳光|陽光|午后|午後|蓝天|藍天",
    ),
)

_USUAL: dict[Place, Time] = {
    "city": "noon",
    "lake": "sunset",
    "ocean": "sunset",
    "desert": "sunset",
    "mountains": "dawn",
    "forest": "dawn",
    "space": "night",
    "product": "noon",
}

_FUTURE = re.compile(r"\b(?:futuristic|futur\w*|sci-?fi|cyber\w*|neon)\b|未来|未來|赛博|賽博|霓虹|科幻", re.IGNORECASE)

# A picture without the thing that was asked for would be wrong, and these are not drawn.
_LIVING = """
    people persons? m[ae]n wom[ae]n girls? boys? kids? child(?:ren)? bab(?:y|ies) famil(?:y|ies) couples?
    crowds? faces? portraits? models? friends? students? teachers? doctors? chefs? dancers? athletes? runners?
    hikers? surfers? soldiers? astronauts? robots? cats? kittens? dogs? pupp(?:y|ies) horses? cows? lions?
    tigers? bears? wol(?:f|ves) fox(?:es)? elephants? whales? dolphins? sharks? fish(?:es)? eagles? pandas?
    rabbits? dragons? dinosaurs? unicorns? monsters? aliens? insects? butterfl(?:y|ies) animals? pets?
    characters? anime cartoons?
"""
_THINGS = """
    food meals? dish(?:es)? pizzas? burgers? coffee tea cakes? breads? fruits? sushi noodles wine beer
    restaurants? kitchens? cafes? cars? trucks? bus(?:es)? trains? bikes? bicycles? motorcycles? planes?
    airplanes? aircraft helicopters? drones? boats? ships? yachts? sailboats? rockets? spaceships? spacecraft
    stations? satellites? rovers? shoes? sneakers? watch(?:es)? phones? smartphones? laptops? headphones?
    earbuds cameras? bags? backpacks? dress(?:es)? shirts? clothes jewel(?:le)?ry rings? glasses sunglasses
    chairs? sofas? tables? lamps? furniture rooms? bedrooms? offices? interiors? toys? books? guitars? pianos?
    football soccer basketball games? logos? icons? charts? diagrams? maps? tents? camps? campfires?
"""
_SITES = """
    houses? homes? cottages? cabins? villages? castles? temples? church(?:es)? bridges? pyramids? lighthouses?
    windmills? stadiums? streets? alleys? markets? shops? stores? gardens? flowers? roses? sunflowers? palms?
    waterfalls? volcano(?:e?s)? lightning tornado(?:e?s)? rainbows? aurora fireworks? snowing rain(?:y|ing)?
    roads? highways? underwater coral beach(?:es)? islands?
"""
_CHINESE = """
    人 女孩 男孩 女生 男生 孩子 小孩 宝宝 寶寶 猫 貓 狗 马 馬 牛 羊 狮 獅 虎 熊 狼 狐 大象 鲸 鯨 海豚 鲨 鯊 鱼
    魚 鹰 鷹 兔 龙 龍 怪兽 动物 動物 食物 美食 披萨 汉堡 咖啡 茶 蛋糕 面包 水果 寿司 面条 餐厅 厨房 汽车 汽車
    飞机 飛機 火车 火車 自行车 船 艇 帆 火箭 空间站 卫星 鞋 手表 手錶 手机 手機 电脑 電腦 耳机 耳機 相机 背包
    裙 衣服 首饰 戒指 眼镜 眼鏡 椅 沙发 桌 灯塔 家具 房间 房間 卧室 办公室 室内 小屋 木屋 村 城堡 寺 教堂 桥 橋
    金字塔 街 巷 市场 商店 花 棕榈 瀑布 火山 闪电 彩虹 极光 極光 雨 下雪 帐篷 篝火 公路 标志 图标 图表 地图
    动漫 卡通 角色 水下 珊瑚 沙滩 沙灘 岛 島 玩具 吉他 钢琴 足球 篮球 游戏
"""
_NOT_DRAWN = re.compile(
    rf"\b(?:{'|'.join(f'{_LIVING} {_THINGS} {_SITES}'.split())})\b|{'|'.join(_CHINESE.split())}", re.IGNORECASE
)
_HARMLESS = re.compile(  # words with one of those inside that ask for nothing
    r"\b(?:no|without|free of)\s+\w+|\bflying cars?\b|\bstreet ?lights?\b|\bface (?=cream|wash|serum)"
    r"|没有人|無人|无人|飞行汽车|飛行汽車|令人|迷人|动人|動人|宜人|惊人|驚人|雨后|雨後|浪花|雪花|火花",
    re.IGNORECASE,
)

_TINTS = (
    (r"\bred\b|红|紅", "#c4243b"),
    (r"\bblue\b|蓝|藍", "#2450a8"),
    (r"\bgreen\b|绿|綠", "#1f8a5b"),
    (r"\bpink\b|粉", "#e58aa8"),
    (r"\b(?:purple|violet)\b|紫", "#6b3fa0"),
    (r"\b(?:yellow|gold(?:en)?)\b|黄|黃|金", "#d9a520"),
    (r"\borange\b|橙|橘", "#e07a1f"),
    (r"\bblack\b|黑", "#20222a"),
    (r"\bteal\b|青", "#1f7f86"),
    (r"\bbrown\b|\bamber\b|棕|琥珀", "#8a4a1f"),
    (r"\b(?:silver|gr[ae]y)\b|银|銀|灰", "#8f959f"),
)

_FORMS: tuple[tuple[Shape, str], ...] = (
    ("can", r"\b(?:soda |beverage )?cans?\b|易拉罐|汽水|饮料|飲料"),
    ("jar", r"\bjars?\b|\bcreams?\b|面霜|罐"),
    ("tube", r"\btubes?\b|\btoothpaste\b|软管|軟管|牙膏"),
)


def wish(prompt: str) -> Wish | None:
    """The scene a prompt asks for, None where drawing one would leave out or invent something."""
    text = _HARMLESS.sub(" ", prompt)
    if _NOT_DRAWN.search(text):
        return None
    place = next((name for name, en, zh in _PLACES if _says(text, en, zh)), None)
    time = next((name for name, en, zh in _TIMES if _says(text, en, zh)), None)
    if place is None:
        # A bare sunset is a sky; open water shows one without inventing a place.
        return Wish("ocean", time) if time in ("sunset", "dawn") and len(prompt) < 60 and _only_sky(text) else None
    if place == "lake" and _says(text, _PLACES[1][1], _PLACES[1][2]):
        place = "city"
    future = bool(_FUTURE.search(text))
    usual: Time = "night" if place == "city" and future else _USUAL[place]
    tint = next((code for pattern, code in _TINTS if re.search(pattern, text, re.IGNORECASE)), None)
    shape: Shape = next((form for form, pattern in _FORMS if re.search(pattern, text, re.IGNORECASE)), "bottle")
    return Wish(place, time or usual, future, shape, tint)


def _says(text: str, english: str, chinese: str) -> bool:
    return re.search(rf"\b(?:{english})\b|{chinese}", text, re.IGNORECASE) is not None


def _only_sky(text: str) -> bool:
    return (
        re.search(r"\bsky\b|\bsun(?:set|rise)s?\b|\bclouds?\b|天空|日落|日出|夕阳|晚霞|云", text, re.IGNORECASE)
        is not None
    )


_ORDER = re.compile(
    r"^\s*(?:please\s+|can you\s+|could you\s+)*"
    r"(?:generate|create|make|draw|paint|render|design|show|give)\s+(?:me\s+|us\s+)?"
    r"(?:an?\s+|some\s+|the\s+)?(?:[\w-]+\s+){0,3}?"
    r"(?:images?|pictures?|photos?|illustrations?|videos?|clips?|shots?|scenes?)\s+(?:of|about|with|showing)\s+",
    re.IGNORECASE,
)
_ORDER_ZH = re.compile(
    r"^\s*(?:请|請)?(?:帮我|幫我|给我|給我)?(?:生成|创建|創建|制作|製作|画|畫|做|来|來)(?:一)?(?:张|張|幅|个|個|段|副)?"
)
_ZH_TAIL = re.compile(
    r"的?(?:真实|真實|逼真|写实|高清)?(?:的)?(?:图片|圖片|图像|圖像|照片|画面|畫面|插画|插畫|视频|影片|图|圖)\s*[。！!.]?\s*$"
)


def headline(prompt: str) -> str:
    """The prompt without the words that only order a picture, at most 120 characters."""
    text = " ".join(prompt.split())
    text = _ORDER.sub("", text)
    chinese = _ORDER_ZH.sub("", text)
    if chinese != text:
        text = _ZH_TAIL.sub("", chinese) or text
    text = text.strip(" .。,，") or prompt.strip()
    if len(text) > 120:
        text = text[:119].rsplit(" ", 1)[0] + "…"
    return text[:1].upper() + text[1:]
