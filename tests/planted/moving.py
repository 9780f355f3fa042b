"""Movers that make the mistakes of such work: each must be caught by what a move verifies, or by its tests."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from application.ports.moving import Digest, Load, News
from domain.moving import Move


class Passing:
    """A house that passes everything on to another."""

    def __init__(self, house: Any) -> None:
        self._house = house

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house, name)


class TailWithoutDeletes(Passing):
    """Carries what has changed, and forgets what has gone."""

    async def news(self, reached: Mapping[str, str | None], *, most: int) -> News:
        news: News = await self._house.news(reached, most=most)
        return replace(news, loads={name: Load(rows=load.rows) for name, load in news.loads.items()})


class WeighedByCount(Passing):
    """Counts rows where it should weigh them."""

    async def digest(self, table: str, *, after: str | None, most: int) -> Digest:
        digest: Digest = await self._house.digest(table, after=after, most=most)
        return replace(digest, sum=0)


class ResumesPastABatch(Passing):
    """Takes a move up again one row further than was written."""

    def __init__(self, house: Any, origin: Any) -> None:
        super().__init__(house)
        self._origin = origin

    async def open(self, move: Move, *, at: datetime, until: datetime, take_over: bool) -> Move:
        opened: Move = await self._house.open(move, at=at, until=until, take_over=take_over)
        for table, reached in opened.progress.items():
            if not reached.done:
                skipped = await self._origin.batch(table, after=reached.after, most=1)
                opened.progress[table] = replace(reached, after=skipped.last)
        return opened


class WithoutAFence(Passing):
    """Writes for whoever asks, also for a mover that another has taken over from."""

    async def receive(self, move: Move, loads: Mapping[str, Load], *, at: datetime, until: datetime) -> None:
        journal = (await self._house.standing()).arriving
        await self._house.receive(replace(move, fence=journal.fence), loads, at=at, until=until)


FREEZE_THAT_DOES_NOT_WAIT = """
create table public.shut_flag as select false as shut;
grant select on public.shut_flag to service_role;
create or replace function public.refuse_while_moving() returns trigger
language plpgsql stable security definer set search_path = '' as $$
begin
  if (select f.shut from public.shut_flag f) then
    raise exception 'the house is being moved' using errcode = 'PT503';
  end if;
  return null;
end $$;
do $$ declare t record; begin
  for t in select * from public.moved_tables() loop
    execute format('create trigger move_shut before insert or update or delete on public.%I
      for each statement execute function public.refuse_while_moving()', t.source);
    execute format('create trigger move_noted after insert or update or delete on public.%I
      for each row execute function public.note_change(%L)', t.source, t.key);
  end loop;
end $$;
create or replace function public.move_triggers(noting boolean, shut boolean, ranked text[]) returns void
language sql volatile security definer set search_path = '' as $$
  update public.shut_flag set shut = move_triggers.shut
$$;
"""
"""A freeze that raises a flag, and waits for nobody who looked at it before."""
