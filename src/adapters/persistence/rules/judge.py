"""Judging rows: all of them at once, or only what a change may have broken."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.persistence.rules.book import LIVENESS, RULES, STEPS
from adapters.persistence.rules.rule import ASIDE, Broken, Change, Group, Key, Liveness, Rule, Step, Tables
from adapters.persistence.schema.tables import Row

_Place = tuple[str, Key]
_Seen = tuple[dict[Hashable, dict[Any, Row]], Key, list[int]]
"""The groups of one table by one key, and the numbers of the rules that judge them."""


class Judge:
    """Knows all rows in the groups the rules see them in. Tell it of every change of a row with `note`, in the order
    they were committed; `judge` then looks only at groups that were touched since it was last asked.

        judge = Judge({name: table.rows for name, table in store.tables.items()})
        judge.note("bookings", before, after)   # None for a row that was not, or is no longer, there
        broken = judge.judge()

    The tables are read once, and afterwards by steps only; rows it was told of are kept, and must not be changed."""

    def __init__(self, tables: Tables, *, rules: Sequence[Rule] = RULES, steps: Sequence[Step] = STEPS) -> None:
        self._tables = tables
        self._rules = tuple(rules)
        self._steps: dict[str, list[Step]] = {}
        for step in steps:
            self._steps.setdefault(step.table, []).append(step)
        self._groups: dict[_Place, dict[Hashable, dict[Any, Row]]] = {}
        self._seen_by: dict[str, list[_Seen]] = {}
        for number, rule in enumerate(self._rules):
            for table, key in rule.by.items():
                if (table, key) not in self._groups:
                    groups = self._groups[table, key] = {}
                    self._seen_by.setdefault(table, []).append((groups, key, []))
                next(seers for _, known, seers in self._seen_by[table] if known == key).append(number)
        self._minded = {key for rule in self._rules if rule.minds for key in rule.by.values()}
        self._read = [{table: self._groups[table, key] for table, key in rule.by.items()} for rule in self._rules]
        self._touched: dict[Hashable, set[int]] = {}
        self._broken: dict[tuple[int, Hashable], list[Broken]] = {}
        self._missteps: list[Broken] = []
        for table, rows in tables.items():
            for row in rows.values():
                self._file(table, None, row)

    def note(self, table: str, before: Row | None, after: Row | None) -> None:
        """A committed change of one row. Steps are judged at once, against the tables as they are now."""
        self._file(table, before, after)
        if steps := self._steps.get(table):
            change = Change(before, after, self._tables)
            for step in steps:
                self._missteps += step.found(change)

    def judge(self) -> list[Broken]:
        """Every rule that is broken now, and every step that was wrong since the last time, in order."""
        for key, numbers in self._touched.items():
            for number in numbers:
                if found := self._rules[number].found(Group(key, self._read[number])):
                    self._broken[number, key] = found
                elif self._broken:
                    self._broken.pop((number, key), None)
        self._touched.clear()
        if not (self._broken or self._missteps):
            return []
        wrong = {broken for some in self._broken.values() for broken in some} | set(self._missteps)
        self._missteps = []
        return sorted(wrong)

    def _file(self, table: str, before: Row | None, after: Row | None) -> None:
        places = self._seen_by.get(table, [])
        if before is not None and after is not None:
            if self._stays(table, before, after):
                places = [place for place in places if place[1] in self._minded]
            self._refile(places, before, after)
            return
        row: Row = after or before or {}
        id = _id(row)
        for groups, key, seers in places:
            for value in _keys(key, row):
                self._regroup(groups, value, id, after)
                self._touch(seers, value)

    def _refile(self, places: list[_Seen], before: Row, after: Row) -> None:
        id = _id(after)
        for groups, key, seers in places:
            was, now = _keys(key, before), _keys(key, after)
            if was != now:
                for value in was:
                    self._regroup(groups, value, id, None)
                    self._touch(seers, value)
            for value in now:
                self._regroup(groups, value, id, after)
                self._touch(seers, value)

    @staticmethod
    def _stays(table: str, before: Row, after: Row) -> bool:
        """Whether nothing moved but a lease or a seal."""
        aside = ASIDE.get(table)
        return aside is not None and all(
            value is before[name] or name in aside or value == before[name] for name, value in after.items()
        )

    def _touch(self, seers: list[int], value: Hashable) -> None:
        touched = self._touched.get(value)
        if touched is None:
            self._touched[value] = set(seers)
        else:
            touched.update(seers)

    @staticmethod
    def _regroup(groups: dict[Hashable, dict[Any, Row]], value: Hashable, id: Any, row: Row | None) -> None:
        group = groups.get(value)
        if row is None:
            if group is not None:
                group.pop(id, None)
        elif group is None:
            groups[value] = {id: row}
        else:
            group[id] = row


def judge_all(tables: Tables, *, rules: Sequence[Rule] = RULES) -> list[Broken]:
    """Every rule that is broken in these tables, judged from nothing."""
    return Judge(tables, rules=rules, steps=()).judge()


def late(
    tables: Tables, *, now: datetime, grace: timedelta | None = None, rules: Sequence[Liveness] = LIVENESS
) -> list[Broken]:
    """What has been waiting for longer than the grace: that of each rule, or the one given for all."""
    found = []
    for rule in rules:
        patience = rule.grace if grace is None else grace
        for key, row in tables[rule.table].items():
            since = rule.since(row)
            if since is not None and since + patience < now:
                found.append(Broken(rule.code, rule.name, str(key), f"since {since:%Y-%m-%d %H:%M:%SZ}"))
    return sorted(found)


def _keys(key: Key, row: Row) -> Iterable[Hashable]:
    if not isinstance(key, str):
        return key(row)
    value = row[key]
    return () if value is None else (value,)


def _id(row: Row) -> Any:
    return row["id"] if "id" in row else row["name"]
