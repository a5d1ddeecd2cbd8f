"""Text as the rules read it: one width, one case, no accents, nothing invisible, and the way back to the original."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["FOLD", "SIMPLIFIED", "TRADITIONAL", "Folded", "fold"]

TRADITIONAL = (
    "視頻導匯輸檔積餘額點數狀態進軌傳發給這個們說話讓幫還錢買費價貴詢證帳賬戶儲單號訂閱會員級麼誰樣麗寫題"
    "標圖畫動聲樂風節鏡頭場後開關結換轉過濾調對顏顯變縮長減刪檢務國愛區別實現時間線總幾條張雙壓質優選擇擊"
    "連雲盤電腦機東廣業產團銷學習師語簡體講釋繪製錄內無與為從應該來兩隻種將鐘週車馬鳥魚龍龜見觀覽親記設計"
    "讀課談請謝識讚貿資賓賞輕載輯邊遠運達遲郵鄰鈕銀鋪鏈鍵門閃問際陽陰隊階隱雞難離響順須預領願類飛飯館驗驚"
    "鬧黨齊歲歷歸殘氣漢滿漸潔熱爾獨獲環異當療盡監碼確禮稱穩競筆範築簽糧紅約紙細終組綠維網緊縣績織繼續罷羅"
    "義聖聞職聽肅腳臉臨舉舊華萬葉蓋藍藝蘇處衛補裝裡複訊許試詳誤認傷億僅傑備傾債儀兒創劃劇劉勞勝勢勵協卻參"
    "嗎圍園圓執報塊墊壞夠奪奮婦孫寧寶專尋層屬島帶幣廠廳強彈彎徑復憶懷憑懶戲戰拋掃據損搶攝擁擔擴攔敗敵斷於"
    "晝曉書橋檯歐殺毀決沒況淚淨淺湯溝準滅灣災爐牆獎佈徵祕髮鬆遊剛貼術極構楓樓權歡齒純紛紋紐絕統經綜緩編緣"
    "緯練縱縫繞臺"
)
"""Characters that only traditional Chinese uses, among those people say here."""
SIMPLIFIED = (
    "视频导汇输档积余额点数状态进轨传发给这个们说话让帮还钱买费价贵询证帐账户储单号订阅会员级么谁样丽写题"
    "标图画动声乐风节镜头场后开关结换转过滤调对颜显变缩长减删检务国爱区别实现时间线总几条张双压质优选择击"
    "连云盘电脑机东广业产团销学习师语简体讲释绘制录内无与为从应该来两只种将钟周车马鸟鱼龙龟见观览亲记设计"
    "读课谈请谢识赞贸资宾赏轻载辑边远运达迟邮邻钮银铺链键门闪问际阳阴队阶隐鸡难离响顺须预领愿类飞饭馆验惊"
    "闹党齐岁历归残气汉满渐洁热尔独获环异当疗尽监码确礼称稳竞笔范筑签粮红约纸细终组绿维网紧县绩织继续罢罗"
    "义圣闻职听肃脚脸临举旧华万叶盖蓝艺苏处卫补装里复讯许试详误认伤亿仅杰备倾债仪儿创划剧刘劳胜势励协却参"
    "吗围园圆执报块垫坏够夺奋妇孙宁宝专寻层属岛带币厂厅强弹弯径复忆怀凭懒戏战抛扫据损抢摄拥担扩拦败敌断于"
    "昼晓书桥台欧杀毁决没况泪净浅汤沟准灭湾灾炉墙奖布征秘发松游刚贴术极构枫楼权欢齿纯纷纹纽绝统经综缓编缘"
    "纬练纵缝绕台"
)
"""The simplified character of each of TRADITIONAL, at the same place."""

# Zero-width and bidirectional controls, soft hyphen, variation selectors: nobody sees them.
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
# Sequences whose NFKC form has another length: marks to compose, jamo, ligatures, circled and mathematical letters.
# Runs are bounded: normalising a long run of marks is quadratic.
_ODD = re.compile(
    f"[{_INVISIBLE}]+"
    "|[\u1100-\u11ff]{1,8}"
    "|.[\u0300-\u036f\u3099\u309a]{1,8}"
    "|[\u2000-\u200a\u2026\u202f\u205f\u2100-\u214f\u2460-\u24ff\u3200-\u33ff\ufb00-\ufb06]"
    "|[\uff61-\uff9f]{1,8}|[\uffa0-\uffef]|[\U0001d400-\U0001d7ff]",
    re.DOTALL,
)
_HIDDEN = re.compile(f"[{_INVISIBLE}]+")
_APOSTROPHE = re.compile("(?<=[a-z])[\u2019\u02bc](?=[a-z])")


def _fold_table() -> dict[int, int]:
    """One character for one: full width, accents, traditional; the private characters that masks use become U+FFFD."""
    table = {ord(old): ord(new) for old, new in zip(TRADITIONAL, SIMPLIFIED, strict=True)}
    table |= {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    table |= {code: 0xFFFD for code in range(0xE000, 0xE010)}
    table |= {
        0x3000: 0x20,
        0xA0: 0x20,
        0x130: ord("i"),
        0x3002: 0x0A,
        0xBF: 0x20,
        0xA1: 0x20,
    }
    for code in [*range(0xC0, 0x180), 0x401, 0x451]:
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base != chr(code):
            table[code] = ord(base.lower())
    return table


FOLD = _fold_table()
"""For `str.translate`: lengths never change, so offsets hold."""


@dataclass(frozen=True, slots=True)
class Folded:
    """One text in two forms of equal length."""

    plain: str
    """Case, width and punctuation as written; only the invisible is gone and the decomposed is composed."""
    text: str
    """What rules match: lower case, half width, no accents, simplified."""
    origin: Sequence[int]
    """For each offset here, the offset in the original; one longer than the text."""


def fold(original: str) -> Folded:
    """Both forms of a text, with the offsets of every character in it. Linear; any string will do."""
    plain, origin = _compose(original)
    text = plain.translate(FOLD).lower()
    if "\u2019" in text or "\u02bc" in text:
        text = _APOSTROPHE.sub("'", text)
    return Folded(plain, text, origin)


def _compose(original: str) -> tuple[str, Sequence[int]]:
    if original.isascii() or not _ODD.search(original):
        return original, range(len(original) + 1)
    pieces: list[str] = []
    origin: list[int] = []
    done = 0
    for odd in _ODD.finditer(original):
        pieces.append(original[done : odd.start()])
        origin.extend(range(done, odd.start()))
        piece = unicodedata.normalize("NFKC", _HIDDEN.sub("", odd.group()))
        pieces.append(piece)
        origin.extend([odd.start()] * len(piece))
        done = odd.end()
    pieces.append(original[done:])
    origin.extend(range(done, len(original) + 1))
    return "".join(pieces), origin
