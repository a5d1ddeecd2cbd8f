"""Personas: ours are complete, strangers' files are understood, and nothing in them breaks out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from agent.skills import DEFAULT, SkillError, load_skill, read_skill, skill_names
from prompts import Lang

OURS = [
    "generator-image",
    "ai-video-generator-from-image",
    "how-to-create-ai-video",
    "photo-generator",
    "video-generator-free-ai-online",
]


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "SKILL.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shelf_holds_the_five_personas_and_the_default_comes_first() -> None:
    assert skill_names() == OURS
    assert DEFAULT == OURS[0]


@pytest.mark.parametrize("name", OURS)
def test_a_persona_of_ours_is_complete_in_both_languages(name: str) -> None:
    skill = load_skill(name)
    assert skill.name == name
    assert re.fullmatch(r"\d+\.\d+\.\d+", skill.version)
    for lang in get_args(Lang):
        assert skill.greeting and skill.greeting[lang]
        assert skill.tries and len(skill.tries[lang]) == 3
        assert skill.tips and len(skill.tips[lang]) >= 2
    assert skill.about("zh") != skill.about("en")
    assert skill.typical_seconds and 0 < skill.typical_seconds[0] < skill.typical_seconds[1]
    assert skill.max_mb == (500 if name == "how-to-create-ai-video" else 200)


@pytest.mark.parametrize("name", OURS)
def test_a_persona_of_ours_keeps_to_the_agent_skills_standard(name: str) -> None:
    text = load_skill(name).path.read_text(encoding="utf-8")
    fields = re.findall(r"^([a-z-]+):", text.split("---")[1], re.M)
    assert set(fields) <= {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) and len(name) <= 64
    assert len(load_skill(name).description) <= 1024


def test_preferred_formats_are_those_the_persona_works_best_with() -> None:
    assert load_skill("photo-generator").formats == ("jpg", "png", "webp", "heic")
    assert load_skill("how-to-create-ai-video").formats == ("mp4", "mov", "jpg", "png")


def test_a_file_with_just_a_name_and_a_description_is_a_persona(tmp_path: Path) -> None:
    skill = read_skill(written(tmp_path, "---\nname: wedding\ndescription: Cuts weddings.\n---\n"))
    assert (skill.name, skill.version, skill.max_mb) == ("wedding", "1.0.0", 200)
    assert skill.about("zh") == "Cuts weddings."
    assert skill.tries == {"en": (), "zh": ()}


def test_a_published_skill_gives_its_greeting_examples_and_version(tmp_path: Path) -> None:
    text = (
        "---\r\nname: clip-maker\r\nversion: 2.1\r\ndescription: Makes clips.\r\nmetadata: {}\r\n---\r\n"
        "# Clip Maker\r\n## Getting Started\r\n> Send me a clip,\r\n> or describe one.\r\n**Try saying:**\r\n"
        '- "make it shorter"\r\n- add "Hello" and "Bye"\r\n### Connecting\r\nPOST somewhere\r\n'
    )
    skill = read_skill(written(tmp_path, text))
    assert skill.version == "2.1"
    assert skill.greeting and skill.greeting["en"] == "Send me a clip, or describe one."
    assert skill.tries and skill.tries["en"] == ("make it shorter", 'add "Hello" and "Bye"')


def test_frontmatter_that_is_only_almost_yaml_is_read_line_by_line(tmp_path: Path) -> None:
    text = "---\nname: 'x'\ndescription: Use when: a video is wanted\nmetadata:\n  version: 3.0.1\n  name: y\n---\n"
    skill = read_skill(written(tmp_path, text))
    assert (skill.name, skill.description, skill.version) == ("x", "Use when: a video is wanted", "3.0.1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# no frontmatter\n", "malformed"),
        ("---\nname: x\n---\n", "malformed"),
        ("---\n- a\n- list\n---\n", "malformed"),
        ("---\nname: x\ndescription: [1, 2\n", "malformed"),
        ("", "malformed"),
    ],
)
def test_what_is_no_skill_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SkillError) as caught:
        read_skill(written(tmp_path, text))
    assert caught.value.key == f"skill.{reason}"


def test_a_skill_file_is_data_and_constructs_no_objects(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"---\nname: x\ndescription: d\nmetadata: !!python/object/apply:os.mkdir ['{mark}']\n---\n"
    assert read_skill(written(tmp_path / "skill", text)).name == "x"
    assert not mark.exists()


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(SkillError) as caught:
        load_skill("nosuch")
    assert caught.value.key == "skill.unknown"
    assert caught.value.values["known"] == ", ".join(OURS)


def test_a_persona_is_found_by_its_folder_and_by_its_file(tmp_path: Path) -> None:
    path = written(tmp_path / "mine", "---\nname: mine\ndescription: Mine.\n---\n")
    assert load_skill(str(path)).name == load_skill(str(path.parent)).name == "mine"


@pytest.mark.parametrize(
    ("folder", "platform"),
    [(".clawhub/skills/x", "clawhub"), (".cursor/skills/x", "cursor"), (".cursor/x", "unknown"), ("x", "unknown")],
)
def test_the_install_path_tells_the_platform(tmp_path: Path, folder: str, platform: str) -> None:
    skill = read_skill(written(tmp_path / folder, "---\nname: x\ndescription: d\nversion: 1.2.3\n---\n"))
    assert skill.attribution(None).headers() == {
        "X-Skill-Source": "x",
        "X-Skill-Version": "1.2.3",
        "X-Skill-Platform": platform,
    }


def test_what_the_environment_says_beats_the_install_path(tmp_path: Path) -> None:
    skill = read_skill(written(tmp_path / ".clawhub" / "x", "---\nname: x\ndescription: d\n---\n"))
    assert skill.attribution("workshop").headers()["X-Skill-Platform"] == "workshop"


def test_a_name_cannot_break_out_of_its_header(tmp_path: Path) -> None:
    skill = read_skill(written(tmp_path, '---\nname: "视频\\nX-Evil: 1"\ndescription: d\n---\n'))
    assert all(value.isascii() and value.isprintable() for value in skill.attribution(None).headers().values())
