"""Founding the town: by use cases, once for every run of the program; every world begins with the rows of it."""

import asyncio
from collections.abc import Mapping
from contextvars import copy_context
from datetime import datetime
from functools import lru_cache
from typing import Any

from application.billing import RefreshCatalog
from application.identity import CreateAdmin, CreateUser, NewAdmin, NewUser
from application.jobs import CreateJob, JobDraft, PublishJob
from application.organizations import AddMember, CreateOrganization, NewMember, NewOrganization
from application.scheduling import Hours, SetAvailability
from domain.jobs import Job
from domain.shared.actors import SYSTEM, Actor
from domain.shared.actors import Role as UserRole
from domain.shared.ids import UserId
from domain.shared.money import Money
from domain.shared.terms import Acceptance, CancellationPolicy, PaymentTerms, PolicyName, Tier
from entrypoints.container.simulating import PROCESS, Scene, SimulatedLoop, Weather, stage, stream
from entrypoints.simulation.town import FOUNDED, PASSWORD, PROVIDERS, SETTLED, WEEK, Part

_SEED = 0


@lru_cache(maxsize=1)
def founded() -> Mapping[str, tuple[dict[str, Any], ...]]:
    """The rows of a town in which everybody of the cast lives, nothing has happened yet, and nothing waits."""
    loop = SimulatedLoop(stream(_SEED, "founding"))
    scene = Scene(
        stage(),
        _SEED,
        datetime.fromisoformat(FOUNDED),
        Weather(stream(_SEED, "none"), {}, lambda _: None),
        loop,
        post=_nobody,
        copies=tuple,
    )
    process = scene.open("founder")
    inside = copy_context()
    inside.run(PROCESS.set, process)
    loop.run_until_complete(loop.create_task(_found(scene), context=inside))
    loop.bury(process.tasks)
    loop.close()
    rows = {name: tuple(table.rows.values()) for name, table in scene.memory.tables.items()}
    scene.close()
    return rows


async def _found(scene: Scene) -> None:
    use = scene.stage.use
    people: dict[str, Actor] = {}
    for part in SETTLED:
        if part.role == "admin":
            await use(CreateAdmin)(SYSTEM, NewAdmin(email=part.email, name=part.name, password=PASSWORD))
            continue
        role = UserRole.PROVIDER if part.role in ("provider", "member") else UserRole.CUSTOMER
        new = NewUser(email=part.email, name=part.name, password=PASSWORD, role=role, zone=part.zone)
        user = await use(CreateUser)(SYSTEM, new)
        people[part.name] = Actor(user_id=UserId(user.id), role=role)
    for part in PROVIDERS:
        await _open_shop(use, people[part.name], part)
    rosa = people["Rosa"]
    house = await use(CreateOrganization)(rosa, NewOrganization(name="House of Music"))
    await use(AddMember)(rosa, house.id, NewMember(user_id=people["Joe"].user_id))
    await use(RefreshCatalog)(SYSTEM)
    deliver = scene.worker(PROCESS.get()).deliver  # type: ignore[arg-type]
    await deliver.all()
    await asyncio.sleep(0)


async def _open_shop(use: Any, actor: Actor, part: Part) -> None:
    week: dict[str, Any] = dict.fromkeys(WEEK, part.hours)
    await use(SetAvailability)(actor, actor.signed_in(), Hours(zone=part.zone, **week))
    for said in part.jobs:
        job: Job = await use(CreateJob)(actor, _draft(said))
        await use(PublishJob)(actor, job.id)


def _draft(said: Mapping[str, Any]) -> JobDraft:
    told = dict(said)
    told["price"] = Money(**told["price"])
    if "policy" in told:
        told["policy"] = PolicyName(told["policy"])
    if "terms" in told:
        told["terms"] = PaymentTerms(told["terms"])
    if "acceptance" in told:
        told["acceptance"] = Acceptance(told["acceptance"])
    if custom := told.get("custom_policy"):
        told["custom_policy"] = CancellationPolicy(tiers=tuple(Tier(**tier) for tier in custom["tiers"]))
    return JobDraft(**told)


async def _nobody(_: bytes, __: dict[str, str]) -> bool:
    return True
