"""What providers offer, and how customers find it."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid5

from application.belongings import show_in, take_off
from application.inputs import submitted
from application.parties import manages
from application.ports.clock import Clock
from application.ports.criteria import Order, Position
from application.ports.ids import Ids
from application.ports.jobs import JobListing, JobQuery, JobSearch, JobSort
from application.ports.readers import Page, Readers
from application.ports.unit_of_work import Begin, Work
from domain.files import Bucket, FileInUse, FileNotStored
from domain.identity import UserSuspended
from domain.jobs import Job, JobState, JobStateRefused, NotAProvider, NotYourJob, Offer, Rating
from domain.organizations import MemberLeft, MemberRole, Membership, Organization
from domain.shared.actors import Actor, Role
from domain.shared.errors import Invalid, NotFound, Outdated, Refusal, Unauthenticated
from domain.shared.ids import FileId, JobId, MembershipId, OrganizationId, UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, PolicyName

__all__ = [
    "ArchiveJob",
    "CreateJob",
    "DeleteDraft",
    "GetJob",
    "JobDraft",
    "JobFilter",
    "JobListing",
    "JobQuery",
    "JobRevision",
    "JobSort",
    "ListMyJobs",
    "PublishJob",
    "RetireJobs",
    "ReviseJob",
    "SearchJobs",
]


@submitted
class JobDraft:
    """What a provider offers, and on what terms."""

    title: str
    """What it is, in 3 to 120 characters; its words count most in a search."""
    category: str
    """One word or two by which customers narrow a search, such as "music"."""
    price: Money
    """What one seat costs, in minor units; nothing when `terms` is free."""
    duration: int
    """How long it takes, 5 to 1440 minutes."""
    description: str = ""
    """Everything else a customer should know, up to 5000 characters."""
    buffer_before: int = 0
    """Minutes kept free before each booking, up to 720."""
    buffer_after: int = 0
    """Minutes kept free after each booking, up to 720."""
    capacity: int = 1
    """How many customers share one session, up to 500."""
    place: str = ""
    """Where it happens; may be left out when it is remote."""
    remote: bool = False
    """Whether it happens, or can happen, remotely."""
    slot_interval: int = 30
    """Minutes from one offered start to the next, 5 to 1440."""
    notice: int = 0
    """How many minutes ahead a customer has to book at least."""
    window_days: int = 60
    """How many days ahead a customer can book at most, up to 730."""
    terms: PaymentTerms = PaymentTerms.PREPAID
    """Whether it is paid in advance, free, or paid later in some other way."""
    acceptance: Acceptance = Acceptance.INSTANT
    """Whether a free slot is booked at once, or on request."""
    policy: PolicyName = PolicyName.FLEXIBLE
    """What a customer who cancels gets back."""
    custom_policy: CancellationPolicy | None = None
    """A policy of your own instead of one of the named ones."""
    pictures: tuple[FileId, ...] = ()
    """Pictures you have uploaded to `job-pictures`, in order; the first is the cover."""
    organization_id: OrganizationId | None = None
    """The organization that offers it; your own when left out, made for you if you have none."""
    provider_id: UserId | None = None
    """The member who performs it; yourself when left out."""


@submitted
class JobRevision:
    """What shall be different about a job; what is left out stays. Each field is as in a new job."""

    expected_version: int | None = None
    """The version of the job you saw; refused when it has changed since."""
    title: str | None = None
    """What it is."""
    category: str | None = None
    """The category."""
    price: Money | None = None
    """What one seat costs, in minor units."""
    duration: int | None = None
    """Minutes it takes."""
    description: str | None = None
    """Everything else a customer should know."""
    buffer_before: int | None = None
    """Minutes kept free before each booking."""
    buffer_after: int | None = None
    """Minutes kept free after each booking."""
    capacity: int | None = None
    """How many customers share one session."""
    place: str | None = None
    """Where it happens."""
    remote: bool | None = None
    """Whether it happens remotely."""
    slot_interval: int | None = None
    """Minutes from one offered start to the next."""
    notice: int | None = None
    """Minutes ahead a customer has to book at least."""
    window_days: int | None = None
    """Days ahead a customer can book at most."""
    terms: PaymentTerms | None = None
    """How it is paid."""
    acceptance: Acceptance | None = None
    """At once, or on request."""
    policy: PolicyName | None = None
    """What a customer who cancels gets back."""
    custom_policy: CancellationPolicy | None = None
    """A policy of your own instead of one of the named ones."""
    pictures: tuple[FileId, ...] | None = None
    """All the pictures it shall show, in order, the first as its cover; those left out are deleted."""


@submitted
class JobFilter:
    """Which of one's own jobs to list."""

    organization_id: OrganizationId | None = None
    """All jobs of this organization you belong to, instead of those you perform."""
    state: JobState | None = None
    """Only drafts, published or archived jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob:
    """Draft a job. It belongs to an organization and is performed by one of its members; a provider who has no
    organization gets one of their own without noticing."""

    begin: Begin
    clock: Clock
    ids: Ids
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        Unauthenticated,
        NotAProvider,
        NotFound,
        FileNotStored,
        FileInUse,
        Invalid,
    )

    async def __call__(self, actor: Actor, draft: JobDraft) -> Job:
        now = self.clock.now()
        async with self.begin(actor) as work:
            provider_id = await self._performer(work, actor, draft.provider_id)
            job = Job.draft(
                id=JobId(self.ids.new()),
                organization_id=await self._organization(work, actor, provider_id, draft.organization_id),
                provider_id=provider_id,
                offer=Offer(**_given(draft)),
                now=now,
            )
            work.jobs.add(job)
            if draft.pictures:
                await _show(work, actor, job, draft.pictures, now=now)
            work.ratings.add(Rating(id=job.id, provider_id=provider_id, updated_at=now))
            return work.answer(job)

    async def _performer(self, work: Work, actor: Actor, provider_id: UserId | None) -> UserId:
        """Who performs the job: a provider, oneself unless said otherwise."""
        provider = await work.users.get(provider_id or actor.signed_in())
        if provider.role is Role.CUSTOMER:
            raise NotAProvider("only a provider offers jobs")
        return provider.id

    async def _organization(
        self, work: Work, actor: Actor, provider_id: UserId, named: OrganizationId | None
    ) -> OrganizationId:
        """The organization the job belongs to: the one named, the performer's first, or a new one of their own."""
        criteria = {} if named is None else {"organization_id": named}
        membership = await work.memberships.first(user_id=provider_id, order=Order("created_at"), **criteria)
        if membership is not None:
            work.guard(membership)
            if actor.is_user(provider_id) or await manages(work, actor, membership.organization_id):
                return membership.organization_id
            raise NotAProvider("only those who manage the organization offer a job in a colleague's name")
        if named is not None:
            raise NotAProvider("only a member of the organization performs its jobs")
        if not (actor.is_user(provider_id) or actor.is_admin or actor.is_system):
            raise NotAProvider("nobody but they themselves founds a provider's organization")
        return await self._solo(work, provider_id)

    async def _solo(self, work: Work, provider_id: UserId) -> OrganizationId:
        """A solo provider's organization. Its id follows from the provider's, so that of two first jobs made in the
        same instant only one founds it; whoever has left theirs gets another."""
        now, profile = self.clock.now(), await work.profiles.get(provider_id)
        new_id = OrganizationId(uuid5(provider_id, "organization"))
        if await work.organizations.first(id=new_id) is not None:
            new_id = OrganizationId(self.ids.new())
        work.organizations.add(
            Organization.found(id=new_id, name=profile.name, owner_id=provider_id, solo=True, now=now)
        )
        membership_id = MembershipId(self.ids.new())
        work.memberships.add(
            Membership.join(
                id=membership_id, organization_id=new_id, user_id=provider_id, role=MemberRole.OWNER, now=now
            )
        )
        return new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseJob:
    """Change what a job says or its terms. Bookings already made keep the price and the policy they were made with."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (
        NotFound,
        NotYourJob,
        JobStateRefused,
        Outdated,
        FileNotStored,
        FileInUse,
        Invalid,
    )

    async def __call__(self, actor: Actor, job_id: JobId, revision: JobRevision) -> Job:
        async with self.begin(actor) as work:
            job = await _own(work, actor, job_id)
            job.must_be(revision.expected_version)
            now = self.clock.now()
            job.revise(replace(job.offer, **_given(revision)), now=now)
            if revision.pictures is not None:
                await _show(work, actor, job, revision.pictures, now=now)
            return work.answer(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishJob:
    """Offer a job to everybody: it is found in searches and takes bookings. Whoever performs it has to be there for it:
    a member of the organization, and not suspended."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, NotYourJob, NotAProvider, JobStateRefused)

    async def __call__(self, actor: Actor, job_id: JobId) -> Job:
        async with self.begin(actor) as work:
            job = await _own(work, actor, job_id)
            await _there(work, job)
            job.publish(now=self.clock.now())
            return work.answer(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveJob:
    """Take no more bookings for a job; those already made stand. It can be published again."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, NotYourJob, JobStateRefused)

    async def __call__(self, actor: Actor, job_id: JobId) -> Job:
        async with self.begin(actor) as work:
            job = await _own(work, actor, job_id)
            job.archive(now=self.clock.now())
            return work.answer(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireJobs:
    """What a provider offers is no longer offered once they are suspended, or leave the organization it belongs to."""

    begin: Begin
    clock: Clock

    async def __call__(self, actor: Actor, event: UserSuspended | MemberLeft) -> None:
        async with self.begin(actor) as work:
            for job in await work.jobs.find(provider_id=event.user_id, state=JobState.PUBLISHED):
                if isinstance(event, UserSuspended) or job.organization_id == event.organization_id:
                    job.archive(now=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDraft:
    """Throw a draft away. What was ever published is archived instead, because bookings may point to it."""

    begin: Begin
    clock: Clock
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound, NotYourJob, JobStateRefused)

    async def __call__(self, actor: Actor, job_id: JobId) -> None:
        async with self.begin(actor) as work:
            job = await _own(work, actor, job_id)
            job.discard()
            await take_off(work, job.pictures, now=self.clock.now())
            work.ratings.remove(await work.ratings.get(job_id))
            work.jobs.remove(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJob:
    """One job with its rating: published ones to everybody, the others to members of their organization."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (NotFound,)

    async def __call__(self, actor: Actor, job_id: JobId) -> JobListing:
        return await self.readers.one(actor, JobListing, job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMyJobs:
    """The jobs one performs, or those of one's organization, drafts and archived ones included; newest first."""

    readers: Readers
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Unauthenticated,)

    async def __call__(
        self, actor: Actor, wanted: JobFilter, *, after: Position | None = None, limit: int = 20
    ) -> Page[JobListing]:
        where: dict[str, object] = {}
        if wanted.organization_id:
            where["organization_id"] = wanted.organization_id
        elif actor.user_id or not actor.is_admin:
            where["provider_id"] = actor.signed_in()
        if wanted.state:
            where["state"] = wanted.state
        order = Order("created_at", descending=True)
        return await self.readers.page(actor, JobListing, where, order=order, after=after, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchJobs:
    """Find published jobs by words and filters. Relevance counts the words found in the title, then the newest come
    first; it ranks the newest 1,000 hits and leaves out older ones, which every other order shows."""

    job_search: JobSearch
    refuses: ClassVar[tuple[type[Refusal], ...]] = (Invalid,)

    async def __call__(
        self,
        actor: Actor,
        query: JobQuery,
        *,
        sort: JobSort = JobSort.RELEVANCE,
        after: Position | None = None,
        limit: int = 20,
    ) -> Page[JobListing]:
        if sort in (JobSort.PRICE, JobSort.PRICE_HIGHEST) and query.currency is None:
            raise Invalid("prices of different currencies have no order; name one", field="currency")
        return await self.job_search.search(actor, query, sort=sort, after=after, limit=limit)


async def _own(work: Work, actor: Actor, job_id: JobId) -> Job:
    """The job, if the actor performs it or manages its organization; a draft of others does not exist."""
    job = await work.jobs.get(job_id)
    if actor.is_user(job.provider_id) or await manages(work, actor, job.organization_id):
        return job
    if job.bookable:
        raise NotYourJob("this is somebody else's job")
    raise NotFound.of("job", job_id)


async def _there(work: Work, job: Job) -> None:
    """Whoever performs the job can, and still can when this is committed."""
    provider = await work.users.get(job.provider_id)
    membership = await work.memberships.first(user_id=job.provider_id, organization_id=job.organization_id)
    if membership is None or provider.suspended:
        raise NotAProvider("whoever performs this job is suspended, or has left the organization")
    work.guard(provider)
    work.guard(membership)


async def _show(work: Work, actor: Actor, job: Job, pictures: tuple[FileId, ...], *, now: datetime) -> None:
    """Let the job show these pictures: its own in any order, and new ones of whoever asks."""
    gone = set(job.pictures) - set(pictures)
    by = actor.user_id or job.provider_id
    job.show(pictures, now=now)
    await show_in(work, job.id, pictures, bucket=Bucket.JOB_PICTURES, by=by)
    await take_off(work, sorted(gone), now=now)


def _given(said: JobDraft | JobRevision) -> dict[str, Any]:
    """The fields of an offer that were said; of the two ways to name a policy, one's own counts more."""
    given = {field.name: getattr(said, field.name) for field in fields(Offer) if field.name != "policy"}
    given["policy"] = said.custom_policy or (said.policy and CancellationPolicy.named(said.policy))
    return {field: value for field, value in given.items() if value is not None}
