"""Which mistakes are made: mutmut's own, three that it lacks, and none in sentences for people."""

from collections.abc import Iterable
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import file_mutation, mutators


def use_ours() -> None:
    """Let mutmut make these mistakes from now on."""
    replaced = {mutators.operator_string: _string, mutators.operator_arg_removal: _argument}
    known = [(kind, replaced.get(operator, operator)) for kind, operator in mutators.mutation_operators]
    ours: Any = [*known, (cst.If, _condition), (cst.Return, _returned), (cst.Expr, _statement)]
    mutators.mutation_operators = ours
    file_mutation.mutation_operators = ours  # type: ignore[attr-defined]


def is_sentence(node: cst.CSTNode) -> bool:
    """Text for people has blanks in it; codes, names and keys have none. Its wording is nobody's contract."""
    return any(
        " " in str(part.value)
        for part in m.findall(node, m.SimpleString() | m.FormattedStringText())
        if isinstance(part, cst.SimpleString | cst.FormattedStringText)
    )


def _string(node: cst.BaseString) -> Iterable[cst.BaseString]:
    return () if is_sentence(node) else mutators.operator_string(node)


def _argument(node: cst.Call) -> Iterable[cst.Call]:
    """An argument gone, or None in its place; but for the sentence a refusal says."""
    for mutant in mutators.operator_arg_removal(node):
        changed = [
            before.value
            for before, after in zip(node.args, mutant.args, strict=False)
            if len(node.args) == len(mutant.args) and before is not after
        ]
        if not any(isinstance(value, cst.BaseString) and is_sentence(value) for value in changed):
            yield mutant


def _condition(node: cst.If) -> Iterable[cst.If]:
    """A branch always, or never, taken."""
    for word in ("True", "False"):
        yield node.with_changes(test=cst.Name(word), whitespace_before_test=cst.SimpleWhitespace(" "))


def _returned(node: cst.Return) -> Iterable[cst.Return]:
    """Nothing returned."""
    if node.value is not None and not m.matches(node.value, m.Name("None")):
        yield node.with_changes(value=cst.Name("None"), whitespace_after_return=cst.SimpleWhitespace(" "))


def _statement(node: cst.Expr) -> Iterable[cst.Expr]:
    """A call that is made for its effect, left out."""
    if isinstance(node.value, cst.Call):
        yield node.with_changes(value=cst.Name("None"))


class Unwrapped(cst.CSTTransformer):
    """`@property def x` becomes `def x` and `x = property(x)`, which mean the same, and which mutmut can mutate."""

    def leave_FunctionDef(  # noqa: N802 - libcst's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> Any:
        if not m.matches(updated_node, m.FunctionDef(decorators=[m.Decorator(m.Name("property"))])):
            return updated_node
        name = updated_node.name.value
        wrapped = cst.parse_statement(f"{name} = property({name})")
        return cst.FlattenSentinel([updated_node.with_changes(decorators=[]), wrapped])
