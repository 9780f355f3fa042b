"""Rules of reviews: one per completed booking and side (R1), by its parties (R2), and summaries that add up (R3)."""

from adapters.persistence.rules.rule import Change, Found, Group, Rule, Step, alone, each, posted, together
from adapters.persistence.schema.tables import Row

_HIDE = "hide the review with `guildhall review hide`, and find how it came past the use case"
_COUNT = "`guildhall events dead` may tell why it was not counted; set the rating to what the reviews say"


def _undone(group: Group) -> Found:
    done = any(row["state"] == "completed" for row in group["bookings"])
    return ((row["id"], "its booking was not completed") for row in group["reviews"] if not done)


def _by_strangers(group: Group) -> Found:
    parties = {(row["customer_id"], row["provider_id"], row["job_id"]) for row in group["bookings"]}
    for row in group["reviews"]:
        customer, provider = row["customer_id"], row["provider_id"]
        author, reviewed = (customer, provider) if row["side"] == "customer" else (provider, customer)
        known = (customer, provider, row["job_id"]) in parties
        if not known or (row["author_id"], row["reviewed_id"]) != (author, reviewed):
            yield row["id"], "its author was no party of its booking, or reviews somebody else"


def _adrift(group: Group) -> Found:
    if group["outbox"]:
        return  # a review is being counted
    stars = [row["stars"] for row in group["reviews"] if row["side"] == "customer" and row["state"] == "published"]
    for row in group["ratings"]:
        if (row["count"], row["total"]) != (len(stars), sum(stars)):
            yield (
                row["id"],
                f"{row['total']} stars of {row['count']} reviews are kept, {sum(stars)} of {len(stars)} given",
            )


def _average(row: Row) -> str | None:
    right = (200 * row["total"] + row["count"]) // (2 * row["count"]) if row["count"] else 0
    return None if row["average_hundredths"] == right else f"{row['average_hundredths']} is kept, {right} is right"


RULES = (
    Rule(
        code="R1",
        name="one_review_per_side",
        says="Each side reviews a booking once.",
        means="somebody counts twice",
        mend=_HIDE,
        by={"reviews": together("booking_id", "side")},
        broken=alone("reviews", "this side reviewed its booking again"),
        sql="""
            select unnest(array_agg(id))::text as subject, 'this side reviewed its booking again' as said
            from reviews group by booking_id, side having count(*) > 1
        """,
    ),
    Rule(
        code="R1",
        name="only_completed_work_is_reviewed",
        says="A review is of a booking that was completed.",
        means="work that was never done is rated",
        mend=_HIDE,
        by={"reviews": "booking_id", "bookings": "id"},
        broken=_undone,
        sql="""
            select r.id::text as subject, 'its booking was not completed' as said
            from reviews r left join bookings b on b.id = r.booking_id and b.state = 'completed' where b.id is null
        """,
    ),
    Rule(
        code="R2",
        name="the_author_was_a_party",
        says="A review is by one party of its booking, about the other and the job they had.",
        means="a stranger rates somebody's work",
        mend=_HIDE,
        by={"reviews": "booking_id", "bookings": "id"},
        broken=_by_strangers,
        sql="""
            select r.id::text as subject,
              'its author was no party of its booking, or reviews somebody else' as said
            from reviews r left join bookings b on b.id = r.booking_id and b.job_id = r.job_id
              and b.customer_id = r.customer_id and b.provider_id = r.provider_id
            where b.id is null or (r.author_id, r.reviewed_id) <> (
              case when r.side = 'customer' then r.customer_id else r.provider_id end,
              case when r.side = 'customer' then r.provider_id else r.customer_id end)
        """,
    ),
    Rule(
        code="R3",
        name="summaries_equal_recomputation",
        says="A job's rating is what its shown reviews by customers add up to, once all of them are counted.",
        means="customers are shown, and search sorts by, a wrong rating",
        mend=_COUNT,
        by={
            "ratings": "id",
            "reviews": "job_id",
            "outbox": posted("job_id", "review.posted", "review.hidden", "review.restored"),
        },
        broken=_adrift,
        sql="""
            select g.id::text as subject, g.total || ' stars of ' || g.count || ' reviews are kept, '
              || coalesce(r.total, 0) || ' of ' || coalesce(r.count, 0) || ' given' as said
            from ratings g
            left join (select job_id, count(*) as count, sum(stars) as total from reviews
                       where side = 'customer' and state = 'published' group by job_id) as r on r.job_id = g.id
            where (g.count, g.total) <> (coalesce(r.count, 0), coalesce(r.total, 0)) and not exists (
              select from outbox o where o.finished_at is null and o.payload ->> 'job_id' = g.id::text
                and o.name in ('review.posted', 'review.hidden', 'review.restored'))
        """,
    ),
    Rule(
        code="R3",
        name="the_average_is_of_the_summary",
        says="The average shown is of the stars and reviews kept beside it.",
        means="search sorts by a wrong rating",
        mend=_COUNT,
        by={"ratings": "id"},
        broken=each("ratings", _average),
        sql="""
            select id::text as subject, average_hundredths || ' is kept, ' || average || ' is right' as said
            from (select id, average_hundredths, case when count = 0 then 0
                    else floor((200 * total + count)::numeric / (2 * count)) end as average from ratings) as kept
            where average_hundredths <> average
        """,
    ),
)


def _stays_as_written(change: Change) -> bool:
    answered = change.before is not None and change.before["response"] is not None
    once = ("response", "responded_at") if answered else ()
    return change.keeps("booking_id", "job_id", "author_id", "side", "stars", "text", "created_at", *once)


STEPS = (
    Step(
        code="R1",
        name="a_review_stays_as_it_was_given",
        says="A review is never removed, and its stars, words and one answer stay.",
        means="somebody's word was changed by another",
        mend=_HIDE,
        table="reviews",
        holds=_stays_as_written,
        instead="tests/domain/test_reviews.py",
    ),
)
