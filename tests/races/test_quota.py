"""Fifty uploads announced in the same instant never take more room than their owner has."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.persistence.store import Changes, Insert, Numbers
from adapters.postgres.store import PostgresStore
from application.files import RequestUpload, Upload
from application.ports.files import FileRules
from domain.files import Bucket, QuotaExceeded
from tests.races.town import Town, kinds

SIZE, ROOM = 10, 12
PICTURE = Upload(bucket=Bucket.AVATARS, name="me.png", content_type="image/png", size=SIZE)


class QuotaByLooking(PostgresStore):
    """Adds up what is kept, and inserts if there is room: what two do at once, neither sees."""

    async def commit(self, changes: Changes) -> Numbers:
        for write in changes.writes:
            if isinstance(write, Insert) and write.table == "files":
                kept = await self.load("files", {"owner_id": write.row["owner_id"]})
                if sum(row["charged"] for row in kept) + write.row["charged"] > SIZE * ROOM:
                    raise QuotaExceeded
        return await super().commit(replace(changes, tallies=()))


async def fifty_uploads_at_once_keep_to_the_quota(town: Town) -> None:
    town.ports["file_rules"] = FileRules(quota_bytes=SIZE * ROOM + 5)
    (ann,) = await town.crowd(1)
    announced, refused = await town.at_once(*(town.ask(RequestUpload, ann, PICTURE) for _ in range(50)))
    kept: Any = await town.value("select sum(charged) from files")
    assert kept <= SIZE * ROOM, f"{kept} bytes are kept"
    assert (len(announced), kinds(refused), kept) == (ROOM, {QuotaExceeded}, SIZE * ROOM)
    assert await town.value("select value from tallies where name like 'files:%'") == kept


async def test_fifty_uploads_at_once_keep_to_the_quota(town: Town) -> None:
    await fifty_uploads_at_once_keep_to_the_quota(town)


async def test_a_quota_that_is_looked_up_lets_too_many_in(town: Town) -> None:
    with pytest.raises(AssertionError, match="bytes are kept"):
        await fifty_uploads_at_once_keep_to_the_quota(town.planted(QuotaByLooking))
