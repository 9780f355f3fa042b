"""The rule book is whole: every rule the domain names is here, or says where it is proven."""

import re
from pathlib import Path

from typer import Context

from adapters.persistence.rules import ELSEWHERE, LIVENESS, RULES, STEPS, GatewayTotals, against_gateway
from adapters.persistence.schema import TABLES
from tests.rules.lives import Town

ROOT = Path(__file__).parents[2]
CODES = {
    *(f"B{n}" for n in range(1, 10)),
    *(f"M{n}" for n in range(1, 10)),
    *(f"E{n}" for n in range(1, 6)),
    *(f"R{n}" for n in range(1, 4)),
    *(f"C{n}" for n in range(1, 5)),
    *(f"A{n}" for n in range(1, 10)),
    *(f"I{n}" for n in range(1, 6)),
    *(f"O{n}" for n in range(1, 5)),
    "T1",
    *(f"F{n}" for n in range(1, 4)),
}
"""The rules of the domain, by the codes it gives them."""


def test_every_rule_of_the_domain_is_read_or_says_what_proves_it() -> None:
    read = {rule.code for rule in (*RULES, *STEPS, *LIVENESS)}
    assert read | set(ELSEWHERE) == CODES
    assert not read & set(ELSEWHERE)
    for code, reason in ELSEWHERE.items():
        for proof in re.findall(r"tests/[a-z_/]+\.py", reason):
            assert (ROOT / proof).is_file(), f"{code}: {proof}"


def test_every_rule_says_itself_what_it_means_and_what_to_do() -> None:
    for rule in (*RULES, *STEPS, *LIVENESS):
        assert rule.says.endswith((".", ".)")), rule.name
        assert rule.means, rule.name
        assert rule.mend, rule.name
        tables = rule.by if hasattr(rule, "by") else {rule.table}
        assert set(tables) <= set(TABLES), rule.name


def test_the_ledger_is_compared_with_the_gateway(town: Town) -> None:
    payment = town.some("payments", lambda row: row["state"] == "captured")
    told = {
        row["gateway_ref"]: GatewayTotals(row["captured_minor"], row["refunded_minor"], row["disputed_minor"])
        for row in town.tables["payments"].values()
        if row["state"] == "captured"
    }
    ref = payment["gateway_ref"]
    right, others = told[ref], {other: totals for other, totals in told.items() if other != ref}
    assert against_gateway(town.tables, told) == []
    assert [broken.subject for broken in against_gateway(town.tables, others)] == [ref]
    assert [broken.code for broken in against_gateway(town.tables, {**told, ref: GatewayTotals(1, 0)})] == ["M5"]
    assert [b.subject for b in against_gateway(town.tables, {**told, "pi_stray": right})] == ["pi_stray"]
    town.set("webhooks", town.some("webhooks"), payment_ref="pi_stray", outcome="attention")
    assert against_gateway(town.tables, {**told, "pi_stray": right}) == [], "a person looks at it"


def test_what_to_do_names_commands_there_are() -> None:
    from typer.main import get_command

    from entrypoints.cli import app

    named = {
        command
        for rule in (*RULES, *STEPS, *LIVENESS)
        for command in re.findall(r"`guildhall ([a-z -]+)`", f"{rule.mend} {rule.says}")
    }
    assert "webhooks replay" in named
    for command in named:
        found: object = get_command(app)
        for word in command.split():
            found = found.get_command(Context(found), word)  # type: ignore[attr-defined, arg-type]
            assert found is not None, command
