"""Guildhall with a bug that only a crash brings to light: `python -m tests.planted.crashing BUG serve --no-worker ...`.

Each bug replaces one adapter or part in the container before anything is opened; everything else is the product."""

import asyncio
import sys
from typing import Any

from dependency_injector.providers import Singleton

from adapters.persistence.store import Changes, Numbers
from adapters.postgres.store import PostgresStore
from application.ports.outbox import Delivery
from domain.shared.errors import Refusal
from entrypoints.container.injection import Container
from entrypoints.worker.delivery import Deliver

LATER = 0.8


class AnswersBeforeItCommits(PostgresStore):
    """What needs no number from the commit is answered at once, and committed a moment later."""

    _under_way: set["asyncio.Task[None]"]

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._under_way = set()

    async def commit(self, changes: Changes) -> Numbers:
        if changes.tallies or changes.is_empty:
            return await super().commit(changes)
        task = asyncio.create_task(self._later(changes))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return {}

    async def _later(self, changes: Changes) -> None:
        await asyncio.sleep(LATER)
        try:
            await super().commit(changes)
        except Refusal:
            return  # nobody is there to be told


class SettlesBeforeTheEffect(Deliver):
    """An event is marked as processed first, so that it can never be processed twice."""

    async def one(self, delivery: Delivery) -> None:
        await self.outbox.finish(delivery)
        for reaction in self.reactions.get(type(delivery.event), ()):
            try:
                await self._react(delivery, reaction)
            except Refusal:
                continue


def answers_before_it_commits() -> None:
    """Plant it in the store."""
    Container.store.override(Singleton(AnswersBeforeItCommits, Container.pools.provided.house))


def settles_before_the_effect() -> None:
    """Plant it in the worker."""
    sound = Container.deliver
    Container.deliver.override(Singleton(SettlesBeforeTheEffect, **sound.kwargs))


BUGS = {plant.__name__: plant for plant in (answers_before_it_commits, settles_before_the_effect)}


if __name__ == "__main__":
    from entrypoints.cli import main

    BUGS[sys.argv[1]]()
    sys.argv = ["guildhall", *sys.argv[2:]]
    main()
