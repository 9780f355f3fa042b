"""What was only read must still be so when the commit comes, also where two things share an id."""

import pytest

from application.ports.unit_of_work import Work
from domain.identity import User
from domain.profiles import Particulars, Profile
from domain.shared.actors import SYSTEM, Role
from domain.shared.errors import StaleVersion
from domain.shared.ids import UserId
from tests.support.house import House


class Ann(House):
    """A house with one user, whose profile has the user's id."""

    async def move_in(self) -> UserId:
        """Her id."""
        now, self.ann = self.clock.now(), UserId(self.ids.new())
        async with self.begin(SYSTEM) as work:
            work.users.add(User.create(id=self.ann, email="ann@example.org", role=Role.CUSTOMER, now=now))
            work.profiles.add(Profile.begin(id=self.ann, particulars=Particulars(name="Ann"), now=now))
        return self.ann

    async def rename(self, work: Work) -> None:
        """Write her profile, having read her user."""
        profile, user = await work.profiles.get(self.ann), await work.users.get(self.ann)
        work.guard(user)
        profile.update(name="Anna", now=self.clock.now())

    async def look_only(self, work: Work) -> None:
        """Write neither, having read both."""
        work.guard(await work.users.get(self.ann))
        work.guard(await work.profiles.get(self.ann))
        work.tally("seats:any", 1)

    async def change_meanwhile(self) -> None:
        """Her sessions end."""
        async with self.begin(SYSTEM) as work:
            (await work.users.get(self.ann)).end_sessions()


@pytest.mark.parametrize("doing", ["rename", "look_only"])
async def test_a_guarded_user_is_not_forgotten_for_something_else_of_that_id(doing: str) -> None:
    house = Ann()
    await house.move_in()

    async def act() -> None:
        async with house.begin(SYSTEM) as work:
            await getattr(house, doing)(work)
            await house.change_meanwhile()

    with pytest.raises(StaleVersion):
        await act()
    assert [row["name"] for row in house.rows("profiles")] == ["Ann"]
    assert house.rows("tallies") == []
