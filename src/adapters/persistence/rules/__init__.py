"""The rules of the business, once: each is a sentence with two readings that agree, over rows and in SQL.

`RULES` hold in every state, `STEPS` in every change of a row, `LIVENESS` once nothing fails any more. `Judge` reads
them over rows as they change, `judge_all` and `late` over all rows at once; `ELSEWHERE` lists what no row can show."""

from adapters.persistence.rules.book import ELSEWHERE, LIVENESS, RULES, STEPS
from adapters.persistence.rules.judge import Judge, judge_all, late
from adapters.persistence.rules.payments import GatewayTotals, against_gateway
from adapters.persistence.rules.rule import Broken, Change, Group, Liveness, Rule, Step, Tables

__all__ = [
    "ELSEWHERE",
    "LIVENESS",
    "RULES",
    "STEPS",
    "Broken",
    "Change",
    "GatewayTotals",
    "Group",
    "Judge",
    "Liveness",
    "Rule",
    "Step",
    "Tables",
    "against_gateway",
    "judge_all",
    "late",
]
