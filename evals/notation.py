"""YAML without surprises: what a plain word means elsewhere is refused here, and every complaint has its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

__all__ = ["Tree", "Unfit", "parse", "told"]

SCHEMA = Path(__file__).with_name("dialogue.schema.json")
Place = tuple[Hashable, ...]
Model = TypeVar("Model", bound=BaseModel)

_TAG = "tag:yaml.org,2002:"
_ODD_NUMBER = re.compile(r"[-+]?0[0-9_]+|.*:.*|.*_.*")
_MORE = {
    "extra_forbidden": "unknown key {key!r}: {near}",
    "missing": "{key!r} is missing",
    "string_type": "text is wanted: write it in quotes",
    "int_type": "a whole number is wanted",
    "list_type": "a list is wanted: put a dash before each item",
    "model_type": "keys and values are wanted",
    "dict_type": "keys and values are wanted",
}


class Unfit(ValueError):
    """Lines and what is wrong there."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {problem}" for line, problem in problems))
        self.problems = list(problems)


@dataclass
class Tree:
    """A document and where each part of it stands."""

    data: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def validated(self, model: type[Model]) -> Model:
        """The model of it. Raises Unfit with every problem."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            problems = {(self.line(each["loc"]), _problem(each)) for each in error.errors()}
            raise Unfit(sorted(problems)) from None

    def refuse(self, place: Place, problem: str) -> NoReturn:
        """Raises Unfit for one place."""
        raise Unfit([(self.line(place), problem)])

    def line(self, place: Sequence[Hashable]) -> int:
        """Of the innermost part that the text has."""
        known = tuple(place)
        while known not in self.lines and known:
            known = known[:-1]
        return self.lines.get(known, 1)


def parse(text: str) -> Tree:
    """One document. Raises Unfit."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise Unfit([(1, "the file is empty")])
        tree = Tree(None)
        if problems := list(_surprises(node, (), tree.lines)):
            raise Unfit(problems)
        loader = yaml.SafeLoader("")
        tree.data = loader.construct_document(node)
        return tree
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Unfit([(line, f"no YAML: {error.problem}")]) from None


def told(problem: str) -> str:
    """A complaint without the library's own words before it."""
    return problem.removeprefix("Value error, ")


def _surprises(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Iterator[tuple[int, str]]:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _surprises(item, (*place, number), lines)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield key.start_mark.line + 1, f"{name!r} stands here twice: keep one"
            seen.add(name)
            lines[(*place, name)] = key.start_mark.line + 1
            yield from _surprises(key, (*place, name), lines)
            yield from _surprises(value, (*place, name), lines)
    elif isinstance(node, yaml.ScalarNode) and node.style is None:
        yield from ((line, problem) for problem in _odd(node))


def _odd(node: yaml.ScalarNode) -> Iterator[str]:
    """Plain words that YAML takes for something else."""
    kind, text = node.tag.removeprefix(_TAG), node.value
    if kind == "bool" and text not in ("true", "false"):
        yield f"YAML reads {text} as true or false: write it in quotes"
    elif kind in ("int", "float") and _ODD_NUMBER.fullmatch(text):
        yield f"YAML reads {text} as another number: write it in quotes"
    elif kind == "timestamp":
        yield f"YAML reads {text} as a date: write it in quotes"
    elif kind in ("value", "merge"):
        yield f"{text} means something else to YAML: write it in quotes"


def _problem(error: Any) -> str:
    """What to do about one thing that does not fit."""
    key = next((str(part) for part in reversed(error["loc"]) if isinstance(part, str)), "")
    where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in error["loc"])
    if error["type"] == "missing" and key == "expect":
        return f"{where}: a turn expects something: say at least where it goes, such as `route: sse`"
    if said := _MORE.get(error["type"]):
        said = said.format(key=key, near=_near(key))
        return f"{where}: {said}" if where else said
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _near(key: str) -> str:
    """The key that was probably meant, or where all of them stand."""
    known = re.findall(r'^\s*"([a-z_]+)": \{$', SCHEMA.read_text("utf-8"), re.M) if SCHEMA.exists() else []
    close = difflib.get_close_matches(key, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"take it out; {SCHEMA.name} has the keys there are"
