"""A use case's form: what its call takes, asked for as arguments and options of a command."""

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from domain.shared.ids import UserId
from entrypoints.cli.desk import found_user, operator
from entrypoints.cli.inputs import Asked, argument, collected, fields_of, is_input, option, validated

if TYPE_CHECKING:
    from entrypoints.container import OpenHouse

_PAGING = frozenset({"after", "limit"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One parameter of a use case. Inputs become options field by field, what has a default an option, the rest
    arguments by place."""

    name: str
    hint: Any
    default: object = inspect.Parameter.empty

    @property
    def by_place(self) -> bool:
        """Whether it is an argument by its place."""
        return self.default is inspect.Parameter.empty and not is_input(self.hint)


class Form:
    """The parameters of the command, and the way back from what was typed to what the use case takes."""

    def __init__(self, use_case: type[Any], *, helps: Mapping[str, str], secret: str | None = None) -> None:
        self._asked: list[Asked] = []
        self._secret = secret
        self._wanted = wanted(use_case)
        parameters: list[inspect.Parameter] = []
        for one in self._wanted:
            if is_input(one.hint):
                pairs = fields_of(one.hint, into=one.name, helps=helps)
                self._asked += [asked for asked, _ in pairs]
                parameters += [parameter for _, parameter in pairs]
                continue
            asked, help = Asked(one.name, one.hint), helps.get(one.name, "")
            self._asked.append(asked)
            parameters.append(
                argument(asked, help=help) if one.by_place else option(asked, help=help, default=one.default)
            )
        self.parameters = [self._lenient(each) for each in parameters]

    def secrets(self, typed: dict[str, Any]) -> None:
        """Ask for the secret that was not typed: hidden and twice on a terminal, else as a line of the input."""
        for asked in self._asked:
            if asked.name == self._secret and typed[asked.key] is None:
                typed[asked.key] = (
                    typer.prompt(asked.name.capitalize(), hide_input=True, confirmation_prompt=True, err=True)
                    if sys.stdin.isatty()
                    else sys.stdin.readline().rstrip("\r\n")
                )

    def _lenient(self, parameter: inspect.Parameter) -> inspect.Parameter:
        """A secret need not be typed where others read it."""
        if self._secret is None or not parameter.name.endswith(f"__{self._secret}"):
            return parameter
        parameter.annotation.__metadata__[0].help += " Asked for when it is left out; a pipe gives it as a line."
        return parameter.replace(default=None)

    async def arguments(self, house: "OpenHouse", values: Mapping[str, Any]) -> dict[str, Any]:
        """What the use case takes besides the actor; people named by e-mail address are looked up."""
        typed = dict(values)
        for asked in self._asked:
            who = typed.get(asked.key)
            if asked.of(UserId) and isinstance(who, str) and "@" in who:
                typed[asked.key] = str((await found_user(house, operator(), who)).id)
        read = collected(self._asked, typed)
        hints = {one.name: one.hint for one in self._wanted}
        inputs: dict[str, Any] = {one.name: {} for one in self._wanted if is_input(one.hint)}
        return {name: validated(hints[name], value, place=name) for name, value in {**inputs, **read}.items()}


def wanted(use_case: type[Any]) -> list[Wanted]:
    """The parameters of a use case's call, without the actor, and without paging, which every list has."""
    signature = inspect.signature(use_case.__call__, eval_str=True)
    parameters = list(signature.parameters.values())[1:]
    return [
        Wanted(each.name, each.annotation, each.default)
        for each in parameters
        if each.name != "actor" and each.name not in _PAGING
    ]
