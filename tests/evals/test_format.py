"""A dialogue that could not be played, or could not fail, does not load, and the complaint says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.acts import ACTS, Act, Code, read
from evals.format import FormatError, load, loads, schema

SAMPLES = Path(__file__).parent / "samples"
PATH = Path("x.yaml")
HEAD = "dialogue: x\nabout: y\nturns:\n"
TURN = "  - user: hi\n    expect: {route: sse}\n"


def complaint(text: str) -> str:
    """What is said of a text that does not load."""
    with pytest.raises(FormatError) as refused:
        loads(text, PATH)
    return str(refused.value)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sample_loads(path: Path) -> None:
    assert load(path).dialogue == path.stem


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (HEAD + TURN + "abuot: z\n", 6, "unknown key 'abuot'"),
        (HEAD + TURN + "about: z\n", 6, "stands here twice"),
        (HEAD + "  - user: yes\n    expect: {route: sse}\n", 4, "true or false: write it in quotes"),
        (HEAD + "  - user: 1:30\n    expect: {route: sse}\n", 4, "another number: write it in quotes"),
        (HEAD + "  - user: 0012\n    expect: {route: sse}\n", 4, "another number: write it in quotes"),
        (HEAD + "  - user: 2026-01-01\n    expect: {route: sse}\n", 4, "a date: write it in quotes"),
        (HEAD + "  - user: hi\n    on: 1\n    expect: {route: sse}\n", 5, "write it in quotes"),
        (HEAD + "  - user: 3\n    expect: {route: sse}\n", 4, "text is wanted: write it in quotes"),
        (HEAD + "  - user: hi\n", 4, "a turn expects something"),
        (HEAD + "  - user: hi\n    expect: {}\n", 5, "expect is empty"),
        (HEAD + "  - user: hi\n    expect: {rout: sse}\n", 5, "unknown key 'rout'"),
        (HEAD + "  - user: hi\n    expect: {route: sse, any_route: [sse]}\n", 5, "exclude each other"),
        (HEAD + TURN + "    waive: {silence: x}\n", 6, "write why it does not count here"),
        (HEAD + TURN + "    waive: {silense: because it is so}\n", 6, "silense"),
        (HEAD + TURN + "    backend: [{when: POST /run_sse, do: [sey: hi]}]\n", 6, "'sey' is no act; there are wait"),
        (HEAD + TURN + "    backend: [{when: POST /run_sse, do: [wait: 5]}]\n", 6, "needs its unit: write 5s"),
        (HEAD + TURN + "    backend: [{when: POST /run_sse, do: [say]}]\n", 6, "say needs a value"),
        (HEAD + TURN + "    backend: [{when: POST /run_sse, do: [{say: a, cut: b}]}]\n", 6, "an act is one word"),
        (HEAD + TURN + "    backend: [{when: GET /api/*, do: [say: hi]}]\n", 6, "say happens in the chat only"),
        (HEAD + TURN + "    backend: [{when: POST /run_sse, do: [say: hi, refuse]}]\n", 6, "put it before anything"),
        (HEAD + TURN + "    backend: [{when: /run_sse, do: [cut]}]\n", 6, "write a method and a path"),
        ("dialogue: y\n" + HEAD[12:] + TURN, 1, "write `dialogue: x` or rename it"),
        (HEAD + "  - user: {key: ctrl-c}\n    expect: {route: sse}\n", 1, "a key has nothing to act on"),
        (HEAD + "  - user: {text: a, files: [b.jpg]}\n    expect: {route: sse}\n", 1, "world.files lacks b.jpg"),
        ("world: {files: {a.jpg: picture}}\n" + HEAD + TURN, 1, "'picture' is no file"),
        ("tags: [studio]\n" + HEAD + TURN + "    backend: [{when: POST /run_sse, do: [cut]}]\n", 1, "takes no script"),
        (HEAD + "  - user: [hi\n", 5, "no YAML"),
        ("", 1, "the file is empty"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_to_do(text: str, line: int, said: str) -> None:
    first = next(each for each in complaint(text).splitlines() if said in each)
    assert first.startswith(f"x.yaml:{line}:")


def test_every_problem_of_a_file_is_told_at_once() -> None:
    told = complaint(HEAD + "  - user: hi\n    expect: {rout: sse}\n  - user: 3\n    expect: {route: sse}\n")
    assert len(told.splitlines()) == 2


def test_durations_become_seconds() -> None:
    text = HEAD + "  - user: hi\n    expect: {at_most_silent_for: 2m, first_output_within: 500ms}\n"
    expect = loads(text, PATH).turns[0].expect
    assert (expect.at_most_silent_for, expect.first_output_within) == (120.0, 0.5)


def test_an_act_is_a_word_or_a_pair() -> None:
    assert read("cut") == Act("cut", True)
    slow = read({"code": 429, "retry_after": "30s"})
    assert isinstance(slow.value, Code) and (slow.value.code, slow.value.retry_after) == (429, 30.0)
    assert str(read({"status": 503})) == "status 503"
    assert read({"edit": {"remove": "BGM"}}).value.remove == "BGM"
    assert read({"heartbeat": {"every": "30s", "for": "90s"}}).value.for_ == 90.0


def test_the_schema_knows_every_act_and_every_key() -> None:
    told = str(schema())
    assert all(f"'{act}'" in told for act in ACTS)
    assert {"dialogue", "turns", "world", "ledger"} <= schema()["properties"].keys()
