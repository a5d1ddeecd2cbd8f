"""Which language a text is in, told from its script and its small words."""

from __future__ import annotations

import re

from prompts import Lang
from router import mask
from router.text import SIMPLIFIED, TRADITIONAL, fold

__all__ = ["language", "spoken"]

_SCRIPTS = {
    "ja": re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]"),
    "ko": re.compile("[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "el": re.compile("[\u0370-\u03ff]"),
}
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_OLD = re.compile(f"[{TRADITIONAL}]")
# Both scripts use these, so they tell nothing.
_NEW = re.compile(f"[{''.join(set(SIMPLIFIED) - set('后里台布松游准别制征秘几只范筑签云复'))}]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:'[a-z]+)?")
_SAMPLE = 4000
"""Characters looked at: more would not change the answer."""

_SMALL: dict[str, frozenset[str]] = {
    "en": frozenset(
        "the a an and or to of in on at with for from it is are be i you me my your this that these what how can"
        " do make add no ok please into not don't then by have show"
        " as up so we us if but was has am there here when where who all any out get give he she".split()
    ),
    "es": frozenset(
        "el la los las un una unos y de del que en con por para mi tu está esta este esto es no se lo al como cómo"
        " cuánto quiero haz hazme pon ponle añade muéstrame ya más sin hola gracias vídeo mándame tengo".split()
    ),
    "fr": frozenset(
        "le la les un une des et de du que en avec pour mon ma mes ton ta est ce cette je tu il ne pas au aux où qui"
        " sur dans combien ajoute fais bonjour merci vidéo quel quelle moi veux plus n'exporte c'est l'état".split()
    ),
    "de": frozenset(
        "der die das den dem ein eine einen und ist mit für von zu auf ich mir mein meine nicht noch es im wie was"
        " bitte füge mach hallo danke wir sie habe kostet zeig schick lade am ab viel fertig".split()
    ),
    "pt": frozenset(
        "o a os as um uma e de do da dos que em com por para meu minha não está é no na se ao como quanto quero faça"
        " adicione obrigado olá vídeo ainda você eu já deixe me mais qual tenho".split()
    ),
    "it": frozenset(
        "il lo la gli un una e di del della che in con per mio mia non è sono questo questa come quanto voglio aggiungi"
        " crea ciao grazie ancora più le mi ho fai metti alla nel il dammi video".split()
    ),
}
_MARKS = {
    "es": re.compile("[ñ¿¡]"),
    "fr": re.compile("[œèêëûù]"),
    "de": re.compile("[äöüß]"),
    "pt": re.compile("[ãõ]"),
    "it": re.compile("[ìò]"),
}


def language(text: str) -> str | None:
    """The ISO code ("en", "zh-CN", "zh-TW", "ja", "ko", "ru", "es"…), or None where nothing is written in letters.

    Links, paths and quotations do not count: they may be in any language.
    """
    plain = fold(text[:_SAMPLE]).plain
    masks = mask.find(plain)
    words = mask.cover(plain, masks)
    if found := _of(words):
        return found
    return _of(" ".join(each.content for each in masks if each.kind == "quote"))


def spoken(text: str, default: Lang) -> Lang:
    """The language to answer in. A word or two of Latin ("ok", "export mp4") keeps `default`: anybody types those."""
    code = language(text)
    if code is None:
        return default
    if code.startswith("zh"):
        return "zh"
    if code == "en" and default != "en":
        said = {word.lower() for word in _LATIN_WORD.findall(text[:_SAMPLE])}
        return "en" if len(said) > 2 or (len(said) == 2 and said & _SMALL["en"]) else default
    return "en"


def _of(text: str) -> str | None:
    if not text.isascii():
        if _SCRIPTS["ja"].search(text):
            return "ja"
        if (han := len(_HAN.findall(text))) and not _mostly_latin(text, han):
            return "zh-TW" if len(_OLD.findall(text)) > len(_NEW.findall(text)) else "zh-CN"
        counts = {code: len(script.findall(text)) for code, script in _SCRIPTS.items()}
        code = max(counts, key=lambda each: counts[each])
        if counts[code] * 2 > len(_LATIN_WORD.findall(text)):
            return code
    return _latin(text)


def _mostly_latin(text: str, han: int) -> bool:
    """Whether Chinese characters are guests in an English sentence: "put 城市 in the middle"."""
    words = [word.lower() for word in _LATIN_WORD.findall(text)]
    small = sum(word in _SMALL["en"] for word in words)
    return small >= 2 and len(words) * 2 > han


def _latin(text: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        return None
    scores = {code: sum(word in small for word in words) for code, small in _SMALL.items()}
    for code, mark in _MARKS.items():
        scores[code] += 2 * bool(mark.search(text.lower()))
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] > scores["en"] else "en"
