"""Servers of one's own for whoever shares one: a module's tests have it to themselves, and skip where it is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evals.servers import Missing, postgres, redis


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with postgres(tmp_path_factory.mktemp("postgres")) as url:
            yield url
    except Missing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with redis(tmp_path_factory.mktemp("redis")) as url:
            yield url
    except Missing as error:
        pytest.skip(str(error))
