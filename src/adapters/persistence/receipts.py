"""Receipts over any store: the answer's row image becomes the aggregate again."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from adapters.persistence.mapper import JSON
from adapters.persistence.mapping import BY_TABLE
from adapters.persistence.schema.tables import Row, Type
from adapters.persistence.store import Store
from application.commands import Command, Receipt, Receipts
from domain.shared.time import Span

_TYPES: dict[Type, Any] = {
    Type.UUID: UUID,
    Type.INSTANT: datetime,
    Type.DATE: date,
    Type.SPAN: Span,
}


class StoredReceipts(Receipts):
    """Looks receipts up by the command's id."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, command: Command) -> Receipt | None:
        rows = await self._store.load("receipts", {"id": command.id})
        if not rows:
            return None
        return Receipt(rows[0]["fingerprint"], _answer(rows[0]))


def _answer(receipt: Row) -> Any:
    if receipt["answer_table"] is None:
        return None
    kept = BY_TABLE[receipt["answer_table"]]
    image: Row = {}
    for column in kept.table.columns:
        value = receipt["answer"].get(column.name)  # a column younger than the receipt is not in it
        kind = _TYPES.get(column.type)
        image[column.name] = JSON.structure(value, kind) if kind and value is not None else value
    return kept.mapper.build(image)
