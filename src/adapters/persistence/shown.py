"""What of a table or view could ever be shown to a kind of asker, whatever its rows hold."""

from functools import lru_cache

from adapters.persistence.schema import TABLES, VIEWS
from application.visibility import VISIBILITY, Everyone, PublicWhen
from domain.shared.actors import Actor, Kind

HOUSE = frozenset((Kind.SYSTEM, Kind.OPERATOR))
"""Those who see everything."""


def shown_to(actor: Actor, source: str) -> bool:
    """Whether any row of it could be this actor's to see. Where none could, a database has nothing granted to ask with,
    and the answer is no rows."""
    return actor.kind in HOUSE or _could_show(source, public=actor.kind is Kind.ANONYMOUS)


@lru_cache
def private(source: str) -> frozenset[str]:
    """The columns that only the house reads."""
    if source in TABLES:
        return frozenset(column.name for column in TABLES[source].columns if column.private)
    view = VIEWS[source]
    found = {column for column in view.columns if TABLES[view.base].column(column).private}
    for join in view.joins:
        found |= {name for name, column in join.columns.items() if TABLES[join.table].column(column).private}
    return frozenset(found)


@lru_cache
def _could_show(source: str, *, public: bool) -> bool:
    view = VIEWS.get(source)
    if view is not None and view.for_the_house:
        return False
    terms = VISIBILITY[view.base if view else source]
    return any(isinstance(term, Everyone | PublicWhen) for term in terms) if public else bool(terms)
