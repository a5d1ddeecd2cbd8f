"""What is mentioned rather than said: links, paths, quotations; found, and covered so that no rule reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["FORMATS", "OBJECT", "PATH", "QUOTE", "TITLE", "TOPIC", "URL", "Mask", "cover", "find"]

Kind = Literal["quote", "path", "url"]

# One private character per kind: a covered span keeps its length, so offsets hold.
QUOTE, PATH, URL, TITLE, TOPIC, OBJECT = (chr(code) for code in range(0xE000, 0xE006))
_SIGN: dict[Kind, str] = {"quote": QUOTE, "path": PATH, "url": URL}

FORMATS = (
    *(
        "mp4",
        "mov",
        "avi",
        "webm",
        "mkv",
        "m4v",
        "jpg",
        "jpeg",
        "png",
        "gif",
        "webp",
        "heic",
        "heif",
        "bmp",
        "tiff",
    ),
    *("mp3", "wav", "m4a", "aac", "flac", "ogg", "srt", "zip"),
)
_EXTENSION = rf"\.(?:{'|'.join(FORMATS)})(?![A-Za-z0-9])"
_STOP = r"\ue000-\ue00f\s\"'`<>|“”‘’「」『』《》，。；！？、（）【】"
_URL = re.compile(
    r"(?:(?:https?|ftp|file|s3|gs|oss|rtmp|magnet)://|www\.)[!-~]{1,2000}"
    r"|(?<![\w@./\\-])(?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|net|org|io|cn|co|tv|app|me|ly|ai|dev)(?:/[!-~]{0,500}|(?![\w.-]))",
    re.IGNORECASE,
)
_URL_END = re.compile(r"[\"'`<>]|[.,;:!?)\]}]+$")
_STEP = rf"(?:\\.|[^{_STOP}\\])"
_PATH = re.compile(
    r"(?<![A-Za-z0-9_./\\~])(?:"
    # The shortest run that ends in a known extension, so that words written against it stay out.
    rf"(?:~|\.{{1,2}})?/{_STEP}{{1,300}}?{_EXTENSION}"
    rf"|(?:~|\.{{1,2}})/{_STEP}{{1,300}}"
    r"|/(?:[\w.-]{1,100}/){1,20}[\w.-]{0,100}"
    r")"
    # A drive letter or a share. With spaces in it a terminal quotes it.
    rf"|(?<![A-Za-z0-9])(?:[A-Za-z]:[\\/]|\\\\[\w.-]{{1,100}}\\)(?:[^{_STOP},]{{1,300}}?{_EXTENSION}|[^{_STOP},]{{1,300}})"
    # A bare name, in its folders or not. Chinese verbs are written against it.
    r"|(?:(?<=[把用传加入是成载材片频])|(?<![\w.-]))(?:(?<!/)(?:[\w-](?:[\w().-]{0,100}[\w)-])?/){1,12})?"
    rf"[\w()-][\w().-]{{0,100}}?{_EXTENSION}",
    re.IGNORECASE,
)
_VERB = re.compile(
    "^(?:请|帮我|把|将|用|使用|上传|导入|添加|加上|加入|加载|这是|这个是|我的|声音|音乐|视频|图片|照片|素材|文件|是|发|传|加)+(?=[^/.])"
)
_PATH_END = re.compile(r"[.,;:!?)\]}]+$")
_OPEN = re.compile("[\"“”„«「『《〈`‘']")
_CLOSERS = {
    **{
        '"': '"',
        "“": '”“"',
        "”": '”"',
        "„": "“”",
        "«": "»",
        "「": "」",
        "『": "』",
        "《": "》",
        "〈": "〉",
        "`": "`",
    },
    **{"‘": "’", "'": "'"},
}
_CLOSE = {
    opener: re.compile("['’](?![A-Za-z0-9])" if opener in "'‘" else f"[{closers}]")
    for opener, closers in _CLOSERS.items()
}
_NAMES_A_FILE = re.compile(
    rf"(?:file:|~?/|\.{{1,2}}/|[A-Za-z]:[\\/]|\\\\|https?://).*|[^\n]{{1,250}}{_EXTENSION}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mask:
    """A covered span of the text, in characters, and what it holds."""

    kind: Kind
    start: int
    end: int
    content: str
    """Without quotation marks; a path without its shell escapes."""


def find(plain: str) -> list[Mask]:
    """Every link, path and quotation in reading order; they never overlap. Linear in the text."""
    quoted = list(_quotes(plain))
    bare = cover(plain, quoted)
    links = [_link(hit) for hit in _URL.finditer(bare)] if "." in bare or ":" in bare else []
    bare = cover(bare, links)
    paths = [_path(hit) for hit in _PATH.finditer(bare)] if "." in bare or "/" in bare or "\\" in bare else []
    return sorted([*quoted, *links, *paths], key=lambda mask: mask.start)


def cover(text: str, masks: Iterable[Mask]) -> str:
    """The text with each mask painted over, same length."""
    pieces: list[str] = []
    done = 0
    for mask in masks:
        pieces += (text[done : mask.start], _SIGN[mask.kind] * (mask.end - mask.start))
        done = mask.end
    return "".join([*pieces, text[done:]]) if pieces else text


def _link(hit: re.Match[str]) -> Mask:
    content = hit.group()
    if cut := _URL_END.search(content):
        content = content[: cut.start()] or content
    return Mask("url", hit.start(), hit.start() + len(content), content)


def _path(hit: re.Match[str]) -> Mask:
    content, start = hit.group(), hit.start()
    if verb := _VERB.match(content):
        start, content = start + verb.end(), content[verb.end() :]
    if tail := _PATH_END.search(content):
        content = content[: tail.start()] or content
    # A shell escapes spaces when a file is dropped on a terminal.
    return Mask("path", start, start + len(content), re.sub(r"\\([ ()&'\[\]])", r"\1", content))


def _quotes(plain: str) -> Iterable[Mask]:
    """Quotations of every kind. One that names a file is a path."""
    dead: set[str] = set()
    at = 0
    while opened := _OPEN.search(plain, at):
        start, opener = opened.span()[0], opened.group()
        at = start + 1
        if opener in dead or (opener == "'" and start and plain[start - 1].isalnum() and plain[start - 1].isascii()):
            continue
        closed = _CLOSE[opener].search(plain, at)
        if closed is None:
            # Looking again from every later opener would be quadratic.
            dead.add(opener)
            continue
        if content := plain[at : closed.start()].strip():
            kind: Kind = "path" if len(content) < 1000 and _NAMES_A_FILE.fullmatch(content) else "quote"
            yield Mask(kind, start, closed.end(), content)
        at = closed.end()
