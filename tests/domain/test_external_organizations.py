"""An organization as an issuer tells of it: the latest counts, whenever it comes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.organizations import ExternalOrganization, MemberRole
from domain.shared.errors import Invalid
from domain.shared.ids import ExternalOrganizationId, OrganizationId

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def told(subject: str = "org_1") -> ExternalOrganization:
    return ExternalOrganization(
        id=ExternalOrganizationId(UUID(int=1)), issuer="https://issuer.example", subject=subject, created_at=NOON
    )


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\nb"])
def test_its_subject_is_a_short_text(subject: str) -> None:
    with pytest.raises(Invalid):
        told(subject)


def test_a_name_that_was_said_earlier_changes_nothing() -> None:
    here = told("x" * 255)
    assert here.tell(name=" North ", founder=None, at=at(2))
    assert not here.tell(name="South", founder="ann", at=at(1))
    assert (here.name, here.founder, here.told_at) == ("North", "ann", at(2))
    assert not here.tell(name="North", founder="bob", at=at(2))
    assert here.founder == "ann", "an organization is made once"
    assert here.tell(name="\x07", founder=None, at=at(3))
    assert here.name == "Organization"
    here.tell(name="x" * 500, founder=None, at=at(4))
    assert here.name == "x" * 120


def test_of_a_member_the_latest_counts_and_of_two_at_once_the_end() -> None:
    here = told()
    here.hear("ann", MemberRole.OWNER, gone=False, at=at(2))
    here.hear("ann", MemberRole.MEMBER, gone=False, at=at(1))
    assert here.members["ann"].role is MemberRole.OWNER
    here.done("ann")
    here.hear("ann", MemberRole.OWNER, gone=False, at=at(2))
    assert here.members["ann"].done, "what is said again is done already"
    here.hear("ann", MemberRole.OWNER, gone=True, at=at(2))
    here.hear("ann", MemberRole.OWNER, gone=False, at=at(2))
    assert (here.members["ann"].gone, here.members["ann"].done) == (True, False)


def test_who_made_it_may_own_it_first_and_then_its_owners_as_they_came() -> None:
    here = told()
    assert here.candidates() == []
    for minutes, (person, role) in enumerate(
        (("cat", MemberRole.OWNER), ("bob", MemberRole.MEMBER), ("ann", MemberRole.OWNER), ("dan", MemberRole.OWNER))
    ):
        here.hear(person, role, gone=False, at=at(-minutes))
    assert here.candidates() == ["dan", "ann", "cat"]
    here.tell(name="North", founder="ann", at=NOON)
    assert here.candidates() == ["ann", "dan", "cat"]
    here.hear("ann", MemberRole.OWNER, gone=True, at=at(9))
    assert here.candidates() == ["dan", "cat"]


def test_who_gains_is_waited_for_before_who_loses() -> None:
    here = told()
    here.hear("ann", MemberRole.OWNER, gone=True, at=at(1))
    here.hear("bob", MemberRole.MEMBER, gone=False, at=at(2))
    here.hear("cat", MemberRole.OWNER, gone=False, at=at(4))
    here.hear("dan", MemberRole.OWNER, gone=False, at=at(3))
    assert [person for person, _ in here.waiting()] == ["dan", "cat", "bob", "ann"]
    here.done("dan")
    assert [person for person, _ in here.waiting()] == ["cat", "bob", "ann"]


def test_it_becomes_one_of_ours_and_ends_once() -> None:
    here = told()
    here.become(OrganizationId(UUID(int=7)))
    assert here.organization_id == UUID(int=7)
    assert not here.ended
    here.end(now=at(1))
    here.end(now=at(2))
    assert (here.ended, here.ended_at) == (True, at(1))
