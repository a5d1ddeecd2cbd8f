"""Servers of one's own for whoever shares one: a module's tests have it to themselves, and skip where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from evals.servers import Missing, postgres, redis


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _lent(postgres, tmp_path_factory.mktemp("postgres"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from _lent(redis, tmp_path_factory.mktemp("redis"))


def _lent(server: Callable[[Path], AbstractContextManager[str]], folder: Path) -> Iterator[str]:
    try:
        with server(folder) as url:
            yield url
    except Missing as error:
        pytest.skip(str(error))
