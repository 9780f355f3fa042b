"""The schema of the business as data: one module per context, tables in foreign-key order."""

from collections.abc import Mapping
from functools import lru_cache

from adapters.persistence.schema import (
    billing,
    bookings,
    disputes,
    files,
    house,
    identity,
    invoicing,
    jobs,
    messaging,
    moving,
    notifications,
    organizations,
    payments,
    profiles,
    reviews,
    scheduling,
    settlements,
)
from adapters.persistence.schema.tables import Column, Table, View

TABLES: dict[str, Table] = {
    table.name: table
    for module in (
        identity,
        profiles,
        organizations,
        files,
        billing,
        jobs,
        scheduling,
        bookings,
        invoicing,
        payments,
        disputes,
        settlements,
        reviews,
        messaging,
        notifications,
        house,
        moving,
    )
    for table in module.TABLES
}
"""Every table by name. Their order is the order of writing in a commit, on every store."""

VIEWS: dict[str, View] = {
    view.name: view
    for module in (identity, organizations, jobs, invoicing, reviews, messaging)
    for view in module.VIEWS
}
"""Every view by name."""

MOVED = tuple(name for name in TABLES if name not in moving.OURS)
"""The tables that a house takes along when it moves, in the order of writing."""

RANK = {name: rank for rank, name in enumerate(TABLES)}
"""A table's place in the order of writing."""


@lru_cache
def columns_of(source: str) -> Mapping[str, Column]:
    """The declared columns of a table or view, by the name a reader uses."""
    if source in TABLES:
        return {column.name: column for column in TABLES[source].columns}
    view = VIEWS[source]
    base = TABLES[view.base]
    found = {name: base.column(name) for name in view.columns}
    for join in view.joins:
        other = TABLES[join.table]
        found.update({name: other.column(column) for name, column in join.columns.items()})
    return found


@lru_cache
def may_be_empty(source: str, column: str) -> bool:
    """Whether the column of a table or view can be empty; what a view joins may not be there at all."""
    if source in TABLES:
        return TABLES[source].column(column).nullable
    view = VIEWS[source]
    return column not in view.columns or TABLES[view.base].column(column).nullable
