"""`guildhall job`: what providers offer."""

from application.jobs import (
    ArchiveJob,
    CreateJob,
    DeleteDraft,
    GetJob,
    JobListing,
    ListMyJobs,
    PublishJob,
    ReviseJob,
    SearchJobs,
)
from entrypoints.cli.commands import Group
from entrypoints.cli.showing import Column

group = Group("Jobs: what providers offer.")
app = group.app


def _stars(job: JobListing) -> str:
    return f"{job.rating_average / 100:.2f} ({job.rating_count})" if job.rating_count else "-"


_COLUMNS: tuple[Column, ...] = (
    "id",
    "title",
    "category",
    "price",
    ("minutes", lambda job: job.duration),
    "provider_name",
    ("stars", _stars),
    "state",
)

group.lists("list", ListMyJobs, *_COLUMNS, examples=("guildhall job list --state draft --as rosa@town.example",))
group.lists(
    "search",
    SearchJobs,
    *_COLUMNS,
    helps={"sort": "By relevance, newest first, cheapest (price) or dearest (-price) first, or best rated (-rating)."},
    examples=("guildhall job search --text piano", "guildhall job search --currency EUR --price-to 5000 --sort price"),
)
group.asks("show", GetJob)
group.does(
    "create",
    CreateJob,
    JobListing,
    examples=(
        'guildhall job create --as rosa@town.example --title "Piano lesson" --category music --price "45.00 EUR"'
        " --duration 60",
    ),
)
group.does("revise", ReviseJob, JobListing, examples=('guildhall job revise ID --price "50.00 EUR"',))
group.does("publish", PublishJob, JobListing)
group.does("archive", ArchiveJob, JobListing)
group.does("delete", DeleteDraft)
