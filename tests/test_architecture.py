"""The doors open one way: prompts <- router <- agent <- evals <- tests, and the studio imports none of ours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "prompts": {"prompts"},
    "router": {"router", "prompts"},
    "agent": {"agent", "router", "prompts"},
    "evals": {"evals", "agent", "router", "prompts", "studio"},
    "studio": {"studio"},
}
ROOMS = set(MAY_IMPORT)


def imports(path: Path) -> set[str]:
    """Top-level names of everything a module imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add((node.module or "").split(".")[0])
    return found


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_rooms_behind_it(room: str) -> None:
    for path in modules(room):
        assert imports(path) & ROOMS <= MAY_IMPORT[room], path


def test_only_the_backend_room_the_house_and_the_tools_know_httpx() -> None:
    allowed = {"agent/house.py", "agent/context.py"}
    for path in modules("agent"):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("agent/backend/") and name not in allowed:
            assert "httpx" not in imports(path), name


def test_pure_rooms_never_await() -> None:
    pure = [*modules("router"), *modules("prompts")]
    pure += [ROOT / "agent" / f"{name}.py" for name in ("draft", "translator", "summarizer")]
    for path in pure:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not any(isinstance(n, ast.Await | ast.AsyncFunctionDef) for n in ast.walk(tree)), path


def test_only_settings_reads_the_environment() -> None:
    for path in [*modules("agent"), *modules("router"), *modules("prompts")]:
        if path.name == "settings.py":
            continue
        reads = re.findall(r"os\.(?:environ(?!\.setdefault)|getenv).*", path.read_text(encoding="utf-8"))
        assert not reads, (path, reads)


def test_no_node_that_sends_has_a_retry_policy() -> None:
    assert "RetryPolicy" not in (ROOT / "agent/graph.py").read_text(encoding="utf-8")
    assert "retry_policy" not in (ROOT / "agent/graph.py").read_text(encoding="utf-8")


def test_every_node_is_one_file_with_one_public_function() -> None:
    names = {path.stem for path in (ROOT / "agent/nodes").glob("*.py")} - {"__init__"}
    assert names == {"connect", "route", "export", "credits", "state", "upload", "sse", "translate", "summarize"}
