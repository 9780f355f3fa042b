"""Use cases, built once by the names of the ports they ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Any, TypeVar

from application.reactions import REACTIONS
from domain.shared.aggregate import Event

U = TypeVar("U")


class MissingPort(Exception):
    """A use case asks for a port that nothing provides."""


class UseCases:
    """Hands out use cases wired to these ports: a field named `clock` gets the port of that name. `instead` names those
    whose work is done by another, called and answering alike."""

    def __init__(self, ports: Mapping[str, Any], instead: Mapping[type, type] = MappingProxyType({})) -> None:
        self._ports, self._instead = ports, instead
        self._built: dict[type, Any] = {}

    def __call__(self, use_case: type[U]) -> U:
        """The one instance of that use case."""
        if use_case not in self._built:
            self._built[use_case] = self._build(self._instead.get(use_case, use_case))
        built: U = self._built[use_case]
        return built

    def reactions(self) -> "Choreography":
        """What follows from what."""
        return Choreography(self)

    def _build(self, use_case: type[Any]) -> Any:
        optional = {field.name for field in fields(use_case) if field.default is not MISSING}
        wanted = {field.name for field in fields(use_case)} - (optional - self._ports.keys())
        if missing := wanted - self._ports.keys():
            raise MissingPort(f"{use_case.__name__} asks for {', '.join(sorted(missing))}")
        return use_case(**{name: self._ports[name] for name in wanted})


class Choreography(Mapping[type[Event], tuple[Any, ...]]):
    """Each event's reactions, built when the first such event comes: a process is open before it has ever written a
    letter."""

    def __init__(self, use: UseCases) -> None:
        self._use = use

    def __getitem__(self, event: type[Event]) -> tuple[Any, ...]:
        return tuple(self._use(reaction) for reaction in REACTIONS[event])

    def __iter__(self) -> Iterator[type[Event]]:
        return iter(REACTIONS)

    def __len__(self) -> int:
        return len(REACTIONS)
