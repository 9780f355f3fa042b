"""A storage of one's own for the throw-away instance: a Supabase project, if it is empty."""

# ruff: noqa: PLC0415 - a command loads what it needs when it runs

from collections.abc import Mapping
from typing import TYPE_CHECKING

from domain.shared.errors import Conflict

if TYPE_CHECKING:
    from domain.shared.actors import Actor
    from entrypoints.cli.desk import Desk
    from entrypoints.container import OpenHouse


class SomebodyLivesHere(Conflict):
    """The journey leaves its people behind, and they are not to be among real ones."""

    code = "demo.not_empty"


def outside(desk: "Desk") -> Mapping[str, str]:
    """What the instance is told about the storage that is set here: nothing, unless it is a project."""
    from entrypoints.settings import Storage, env_name

    settings = desk.settings
    if settings.storage is not Storage.SUPABASE:
        return {}

    async def must_be_empty(house: "OpenHouse", _: "Actor") -> None:
        from entrypoints.cli.demo_town import settled

        if await settled(house):
            raise SomebodyLivesHere("somebody lives in that project: the journey wants an empty one")

    desk.ask(must_be_empty)
    told = {env_name(field): getattr(settings, field) for field in type(settings).model_fields if _is_of_it(field)}
    shown = {name: getattr(value, "get_secret_value", lambda value=value: value)() for name, value in told.items()}
    return {env_name("storage"): settings.storage.value} | {name: str(value) for name, value in shown.items() if value}


def _is_of_it(field: str) -> bool:
    return field.startswith("supabase_")
