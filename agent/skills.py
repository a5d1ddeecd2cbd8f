"""Personas: a folder with a SKILL.md each, ours under prompts/skills or a stranger's anywhere on the disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import yaml

from agent.errors import SettingsError
from prompts import FOLDER, Lang

if TYPE_CHECKING:
    from agent.backend.attribution import Attribution

__all__ = ["DEFAULT", "Skill", "SkillError", "load_skill", "read_skill", "skill_names"]

DEFAULT = "generator-image"
SHELF = FOLDER / "skills"
LARGEST = 1 << 20
"""Bytes of a SKILL.md that are looked at; the rest is not for us."""

# What our own sections are called; the English ones include the wording that published skills use.
_GREETING: dict[Lang, tuple[str, ...]] = {"en": ("greeting", "getting started"), "zh": ("开场白",)}
_TRIES: dict[Lang, tuple[str, ...]] = {"en": ("try saying",), "zh": ("试着说",)}
_TIPS: dict[Lang, tuple[str, ...]] = {"en": ("tips", "tips and tricks"), "zh": ("小提示",)}

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)(.*)\Z", re.S)
_PLAIN_FIELD = re.compile(r"^[ \t]*([A-Za-z][\w-]*):[ \t]*(\S.*?)[ \t]*$", re.M)
_HEADING = re.compile(r"^(?:#{1,6}[ \t]+(.+?)[ \t]*#*|\*\*(.+?)[:：]?\*\*)[ \t]*$")
_BULLET = re.compile(r"^[ \t]*[-*][ \t]+(.+?)[ \t]*$")


class SkillError(SettingsError):
    """There is no such persona, or its file cannot be read. Say which and what there is."""

    @property
    def key(self) -> str:
        """The sentence stands beside the persona's other words."""
        return f"skill.{self.reason}"


@dataclass(frozen=True)
class Skill:
    """One persona. Lists and greetings may be empty in a file that is not ours."""

    name: str
    description: str
    path: Path
    """The SKILL.md itself; where it is installed tells the platform."""
    version: str = "1.0.0"
    summary: Mapping[Lang, str] | None = None
    """The description by language, where the file has it."""
    greeting: Mapping[Lang, str] | None = None
    tries: Mapping[Lang, tuple[str, ...]] | None = None
    tips: Mapping[Lang, tuple[str, ...]] | None = None
    typical_seconds: tuple[int, int] | None = None
    """How long a generation usually takes: from, to."""
    max_mb: int = 200
    """The largest upload, in megabytes."""
    formats: tuple[str, ...] = ("mp4", "mov", "jpg", "png")
    """File types that work best, as extensions without the dot."""

    @property
    def handle(self) -> str:
        """By which any process finds it again: the name of one of ours, the path of another."""
        return self.name if self.path == SHELF / self.name / "SKILL.md" else str(self.path)

    def about(self, lang: Lang) -> str:
        """The description, in `lang` where there is one."""
        return (self.summary or {}).get(lang) or self.description

    def attribution(self, platform: str | None) -> Attribution:
        """What the three X-Skill-* headers say; `platform` is what SKILL_SOURCE says, if it does."""
        from agent.backend.attribution import Attribution  # brings httpx, which a greeting can do without

        return Attribution(source=self.name, version=self.version, platform=platform or _platform(self.path))


def skill_names() -> list[str]:
    """The personas on our own shelf, the default one first."""
    found = sorted(path.parent.name for path in SHELF.glob("*/SKILL.md"))
    return sorted(found, key=lambda name: name != DEFAULT)


def load_skill(wanted: str = DEFAULT) -> Skill:
    """The persona of that name on our shelf, or the one at that path. Raises SkillError."""
    if wanted in skill_names():
        return read_skill(SHELF / wanted / "SKILL.md")
    path = Path(wanted).expanduser()
    path = path / "SKILL.md" if path.is_dir() else path
    if not path.is_file():
        raise SkillError(f"no skill {wanted!r}", reason="unknown", name=wanted, known=", ".join(skill_names()))
    return read_skill(path)


def read_skill(path: Path) -> Skill:
    """The persona in a SKILL.md: name and description are all it must have. Raises SkillError."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError as error:
        raise SkillError(str(error), reason="unreadable", name=str(path)) from error
    parted = _FRONT.match(text)
    fields = _fields(parted[1]) if parted else {}
    if parted is None or not (fields.get("name") and fields.get("description")):
        raise SkillError(f"no name or description in {path}", reason="malformed", name=str(path))
    return _skill(path.absolute(), fields, _sections(parted[2]))


def _skill(path: Path, fields: dict[str, Any], sections: dict[str, list[str]]) -> Skill:
    more = fields["metadata"] if isinstance(fields.get("metadata"), dict) else {}
    own = {str(key): str(value) for key, value in {**more, **fields}.items() if not isinstance(value, (dict, list))}
    return Skill(
        name=own["name"].strip(),
        description=own["description"].strip(),
        path=path,
        version=own.get("version", "1.0.0").strip(),
        summary={"en": own["description"].strip(), "zh": own.get("description-zh", "").strip()},
        greeting={lang: _prose(_section(sections, _GREETING[lang])) for lang in get_args(Lang)},
        tries={lang: _bullets(_section(sections, _TRIES[lang])) for lang in get_args(Lang)},
        tips={lang: _bullets(_section(sections, _TIPS[lang])) for lang in get_args(Lang)},
        typical_seconds=_span(own.get("typical-seconds", "")),
        max_mb=max(1, _number(own.get("max-mb", "")) or Skill.max_mb),
        formats=tuple(re.findall(r"\w+", own.get("formats", "").lower())) or Skill.formats,
    )


def _fields(text: str) -> dict[str, Any]:
    """The frontmatter. Many files are only almost YAML ("description: Use it: …"): lines will do."""
    try:
        loaded = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        loaded = None
    if isinstance(loaded, dict):
        return {str(key): value for key, value in loaded.items()}
    found: list[tuple[str, str]] = _PLAIN_FIELD.findall(text)
    return {key: value.strip("\"'") for key, value in reversed(found)}  # The first of a name wins.


def _sections(body: str) -> dict[str, list[str]]:
    """The lines under each heading, by the heading in lower case; what stands above the first is left out."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in body.splitlines():
        if heading := _HEADING.match(line):
            title = (heading[1] or heading[2]).strip().lower()
            lines = sections.setdefault(title, [])
        else:
            lines.append(line)
    return sections


def _section(sections: dict[str, list[str]], titles: tuple[str, ...]) -> list[str]:
    return next((sections[title] for title in titles if title in sections), [])


def _prose(lines: list[str]) -> str:
    """The quotation if there is one, else the first paragraph."""
    quoted = [line.lstrip("> ").rstrip() for line in lines if line.startswith(">")]
    paragraph = "\n".join(lines).strip().split("\n\n")[0].splitlines()
    return " ".join(quoted or (line.strip() for line in paragraph))


def _bullets(lines: list[str]) -> tuple[str, ...]:
    return tuple(_unquoted(found[1]) for line in lines if (found := _BULLET.match(line)))


def _unquoted(text: str) -> str:
    """Without quotation marks that enclose all of it: published skills quote their examples."""
    inner = text[1:-1]
    return inner if text[:1] in '"“' and text[-1:] in '"”' and not set('"“”') & set(inner) else text


def _span(text: str) -> tuple[int, int] | None:
    numbers = [int(number) for number in re.findall(r"\d{1,6}", text)]
    return (numbers[0], numbers[-1]) if numbers else None


def _number(text: str) -> int | None:
    span = _span(text)
    return span[0] if span else None


def _platform(path: Path) -> str:
    """Where the skill was installed from, by the folder that it lies in."""
    parts = path.parts
    if ".clawhub" in parts[:-1]:
        return "clawhub"
    return "cursor" if (".cursor", "skills") in zip(parts, parts[1:], strict=False) else "unknown"
