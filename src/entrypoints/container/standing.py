"""How far a database is: the revision of its schema, beside the one this version wants."""

from dataclasses import dataclass
from typing import Any

from domain.shared.errors import Unavailable
from entrypoints.container.opening import OpenHouse
from entrypoints.settings import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The revision a database is at (None: it is empty), and the one this version wants."""

    found: str | None
    wanted: str

    @property
    def present(self) -> bool:
        """Whether there is nothing to do."""
        return self.found == self.wanted


class SchemaBehind(Unavailable):
    """The database has another schema than this version works with."""

    code = "schema.behind"

    def __init__(self, standing: Standing, way: str = "run `guildhall migrate`") -> None:
        seen = f"is at revision {standing.found}" if standing.found else "is empty"
        super().__init__(
            f"the database {seen}, this version wants {standing.wanted}: {way}",
            found=standing.found,
            wanted=standing.wanted,
        )


BY_HAND = "run what `guildhall migrate --sql` prints in the project's SQL editor, or set DATABASE_URL and migrate"
"""How a project gets its schema when there is no connection to its database."""


async def of_database(owner_url: str) -> Standing:
    """How far the database of this owner's address is."""
    from adapters.postgres.versions import newest, revision

    return Standing(found=await revision(owner_url), wanted=newest())


async def of_project(rest: Any) -> Standing:
    """How far the database behind a project's PostgREST is."""
    from adapters.postgres.versions import newest
    from adapters.supabase.examination import revision

    return Standing(found=await revision(rest), wanted=newest())


async def must_be_present(house: OpenHouse) -> Standing:
    """How far this house's database is, which is as far as this version wants; else a refusal."""
    if house.settings.storage is Storage.SUPABASE:
        found, way = await of_project(house.container.rest()), BY_HAND
    else:
        found, way = await of_database(house.owner_url), "run `guildhall migrate`"
    if not found.present:
        raise SchemaBehind(found, way)
    return found
