"""The payment stories in a few orders each, and the stories' own planted bugs."""

import pytest

from tests.planted.payments import PLANTED, instead
from tests.proof.stories.shares import STORIES
from tests.proof.stories.tales import Story
from tests.proof.stories.telling import tell

TELLING = {
    "a dispute booked with every message": "disputed and lost",
    "evidence taken for given after its deadline": "disputed and answered too late",
    "more taken than was decided": "set aside and taken in part",
    "what waited for a dispute forgotten": "disputed cancelled and won",
    "mark processed first": "given back at the dashboard",
    "cumulative amount posted as delta": "given back in part without an answer and again",
    "the last word wins": "declined and begun anew",
    "a refund before its payment is nobody's": "given back at the dashboard before we heard of the money",
    "a returned refund stays gone": "the bank returns the refund",
    "the fee is kept on a full refund": "shared and given back",
    "a transfer is reversed twice": "shared and given back",
    "a payout is booked twice": "shared and paid out",
    "an account stands as the message says": "restricted after it was paid",
}
"""In which story each bug shows."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_a_story_ends_the_same_in_some_orders(story: Story) -> None:
    assert (await tell(story, most=2)).failures == []


@pytest.mark.parametrize("bug", PLANTED)
async def test_a_planted_bug_is_noticed(bug: str) -> None:
    story = next(story for story in STORIES if story.name == TELLING[bug])
    assert (await tell(story, most=24, instead=instead(PLANTED[bug]), until_failed=True)).failures
