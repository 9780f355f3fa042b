"""A whole house in memory behind its API. The app takes a while to build, so that one serves all tests of a run; what
is kept in it is begun anew for each."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from tests.rest.world import World, opened

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all of these tests, as the app they share belongs to one."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of requests, and nobody who reads their log."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def standing_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The house that all tests share; nobody is told to wait."""
    async with opened(tmp_path_factory.mktemp("house")) as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> World:
    """The house as if it had just been opened."""
    standing_world.renew()
    return standing_world
