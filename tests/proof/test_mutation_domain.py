"""The campaign `mutation_domain` in small: its own mistakes, its arithmetic, and a function it must judge rightly."""

import libcst as cst
import pytest

from tests.proof.mutation_domain.__main__ import control
from tests.proof.mutation_domain.operators import Unwrapped, is_sentence
from tests.proof.mutation_domain.outcome import EQUAL, KILLED, SURVIVED, TIMEOUT, Mutant, score

pytestmark = pytest.mark.filterwarnings("ignore")


def mutant(status: str, name: str = "domain.jobs.x\u01c1Job\u01c1publish__mutmut_3") -> Mutant:
    return Mutant(name=name, path="src/domain/jobs.py", status=status)


def test_what_a_test_looks_at_is_noticed_and_nothing_else() -> None:
    assert control() == (1.0, 0.0)


def test_the_score_counts_what_changes_something() -> None:
    assert score([mutant(KILLED), mutant(TIMEOUT), mutant(SURVIVED), mutant(EQUAL)]) == pytest.approx(2 / 3)
    assert mutant(KILLED).where == "domain.jobs.Job.publish"
    assert mutant(KILLED, "domain.jobs.x_findable__mutmut_1").where == "domain.jobs.findable"


def test_sentences_are_left_alone_and_properties_are_not() -> None:
    assert is_sentence(cst.parse_expression('f"this job is {state}"'))
    assert not is_sentence(cst.parse_expression('"booking.slot_taken"'))
    source = cst.parse_module("class A:\n    @property\n    def b(self) -> int:\n        return 1\n")
    unwrapped = source.visit(Unwrapped()).code
    assert "@property" not in unwrapped
    assert "b = property(b)" in unwrapped
