# mypy: disable-error-code="import-untyped, misc"
"""The same three operations in Django and the Django REST framework, as its documentation builds them.

Served by WSGI with threads that keep their database connections. Like the floor it knows no authentication, no
row-level security and no log, and next to no middleware, which flatters it."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

_URL = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    TIME_ZONE="UTC",
    USE_I18N=False,
    INSTALLED_APPS=["django.contrib.postgres", "rest_framework", "benchmarks"],
    # The one that says how long an answer is.
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    APPEND_SLASH=False,
    LOGGING_CONFIG=None,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _URL.path.strip("/"),
            "USER": _URL.username,
            "PASSWORD": unquote(_URL.password or ""),
            "HOST": _URL.hostname,
            "PORT": _URL.port,
            "CONN_MAX_AGE": None,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

# Models can only be made once the settings stand.
# ruff: noqa: E402
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL
from django.http import Http404
from django.urls import path
from psycopg.types.range import TimestamptzRange
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.ids import fresh_id, fresh_reference


def _link(to: type[models.Model], column: str) -> Any:
    return models.ForeignKey(to, models.DO_NOTHING, db_column=column, related_name="+")


class Profile(models.Model):
    """Who offers a job."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "profiles"


class Organization(models.Model):
    """In whose name."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "organizations"


class Availability(models.Model):
    """When they work."""

    id = models.UUIDField(primary_key=True)
    zone = models.TextField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "availabilities"


class Job(models.Model):
    """A job."""

    id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField()
    organization = _link(Organization, "organization_id")
    provider = _link(Profile, "provider_id")
    title = models.TextField()
    description = models.TextField()
    category = models.TextField()
    price_minor = models.BigIntegerField()
    price_currency = models.TextField()
    duration = models.BigIntegerField()
    buffer_before = models.BigIntegerField()
    buffer_after = models.BigIntegerField()
    capacity = models.BigIntegerField()
    place = models.TextField()
    remote = models.BooleanField()
    slot_interval = models.BigIntegerField()
    notice = models.BigIntegerField()
    window_days = models.BigIntegerField()
    terms = models.TextField()
    acceptance = models.TextField()
    policy = models.JSONField()
    pictures = models.JSONField()
    state = models.TextField()
    published_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    search = SearchVectorField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "jobs"


class Rating(models.Model):
    """What its customers said."""

    job = models.OneToOneField(Job, models.DO_NOTHING, primary_key=True, db_column="id", related_name="rating")
    count = models.BigIntegerField()
    average_hundredths = models.BigIntegerField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "ratings"


class Booking(models.Model):
    """A booking."""

    id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField()
    reference = models.TextField()
    job_id = models.UUIDField()
    job_title = models.TextField()
    organization_id = models.UUIDField()
    provider_id = models.UUIDField()
    customer_id = models.UUIDField()
    span = DateTimeRangeField()
    zone = models.TextField()
    buffer_before = models.BigIntegerField()
    buffer_after = models.BigIntegerField()
    occupancy = models.UUIDField()
    seats = models.BigIntegerField()
    capacity = models.BigIntegerField()
    price_minor = models.BigIntegerField()
    price_currency = models.TextField()
    policy = models.JSONField()
    terms = models.TextField()
    acceptance = models.TextField()
    note = models.TextField()
    state = models.TextField()
    payment_id = models.UUIDField(null=True)
    paid = models.BooleanField()
    expires_at = models.DateTimeField(null=True)
    sequence = models.BigIntegerField()
    refund_floor = models.BigIntegerField()
    refund_ceiling = models.BigIntegerField()
    cancelled_by = models.TextField(null=True)
    cancel_reason = models.TextField()
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    starts_at = models.DateTimeField()
    blocked = DateTimeRangeField()
    active = models.BooleanField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "bookings"


class Event(models.Model):
    """Something that happened."""

    id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField()
    name = models.TextField()
    subject_table = models.TextField()
    subject_id = models.UUIDField()
    subject_version = models.BigIntegerField()
    position = models.BigIntegerField()
    payload = models.JSONField()
    actor = models.TextField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    scheduled = models.BooleanField()
    attempts = models.BigIntegerField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "outbox"


class Receipt(models.Model):
    """What was answered."""

    id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField()
    key = models.TextField()
    principal = models.TextField()
    operation = models.TextField()
    fingerprint = models.TextField()
    answer_table = models.TextField()
    answer = models.JSONField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        managed, app_label, db_table = False, "benchmarks", "receipts"


class PriceField(serializers.Field):
    """Minor units and their currency."""

    def __init__(self, **named: Any) -> None:
        super().__init__(source="*", read_only=True, **named)

    def to_representation(self, value: Any) -> dict[str, Any]:
        """As it is shown."""
        return {"amount_minor": value.price_minor, "currency": value.price_currency}


class SpanField(serializers.Field):
    """From when to when."""

    def to_representation(self, value: Any) -> dict[str, Any]:
        """As it is shown."""
        moment = serializers.DateTimeField()
        return {"starts_at": moment.to_representation(value.lower), "ends_at": moment.to_representation(value.upper)}


class JobOut(serializers.ModelSerializer):
    """A job as it is shown."""

    organization_id = serializers.UUIDField()
    provider_id = serializers.UUIDField()
    price = PriceField()
    rating_count = serializers.IntegerField(source="rating.count")
    rating_average = serializers.IntegerField(source="rating.average_hundredths")
    provider_name = serializers.CharField(source="provider.name")
    organization_name = serializers.CharField(source="organization.name")

    class Meta:
        model = Job
        exclude = ("organization", "provider", "price_minor", "price_currency", "search")


class BookingOut(serializers.ModelSerializer):
    """A booking as it is shown."""

    span = SpanField()
    price = PriceField()
    refund = serializers.ReadOnlyField(default=None)

    class Meta:
        model = Booking
        exclude = (
            *("price_minor", "price_currency", "occupancy", "capacity", "refund_floor", "refund_ceiling"),
            *("starts_at", "blocked", "active"),
        )


class Wanted(serializers.Serializer):
    """Which slot."""

    job_id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    note = serializers.CharField(default="", allow_blank=True)


class Twenty(BasePagination):
    """Pages that end where the next begins."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The page, and whether there is another."""
        found = list(queryset[:21])
        self.last = found[19] if len(found) > 20 else None
        return found[:20]

    def get_paginated_response(self, data: Any) -> Response:
        """As it is shown."""
        cursor = f"{self.last.published_at.isoformat()},{self.last.id}" if self.last else None
        return Response({"items": data, "next_cursor": cursor, "has_more": cursor is not None})


PUBLISHED = Job.objects.filter(state="published").select_related("rating", "provider", "organization").defer("search")
_SCORE = "(select count(*) from unnest(%s::text[]) t where ' ' || jobs.title_words like '%% ' || t || '%%')"


class ReadJob(RetrieveAPIView):
    """One job."""

    queryset = PUBLISHED
    serializer_class = JobOut


class SearchJobs(ListAPIView):
    """A page of twenty."""

    serializer_class = JobOut
    pagination_class = Twenty

    def get_queryset(self) -> Any:
        """What matches, in the order that was asked for."""
        terms = self.request.query_params["text"].lower().split()
        query = SearchQuery(" & ".join(f"'{term}':*" for term in terms), search_type="raw", config="simple")
        found = PUBLISHED.filter(search=query).order_by("-published_at", "-id")
        if self.request.query_params.get("sort") == "newest":
            return found
        newest = (
            Job.objects.filter(state="published", search=query).order_by("-published_at", "-id").values("id")[:1000]
        )
        ranked = PUBLISHED.filter(id__in=newest).annotate(score=RawSQL(_SCORE, (terms,)))
        return ranked.order_by("-score", "-published_at", "-id")


class Book(APIView):
    """Lock, booking, event and receipt in one transaction."""

    def post(self, request: Request) -> Response:
        """The booking."""
        customer = request.headers["x-customer"]
        fingerprint = hashlib.sha256(request.body).hexdigest()
        wanted = Wanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        starts_at, now = wanted.validated_data["starts_at"].astimezone(UTC), datetime.now(UTC)
        with transaction.atomic():
            job = Job.objects.filter(state="published", id=wanted.validated_data["job_id"]).defer("search").first()
            if job is None:
                raise Http404
            hours = Availability.objects.get(id=job.provider_id)
            with connection.cursor() as cursor:
                lock = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
                cursor.execute(lock, [f"provider:{job.provider_id}"])
            ends_at, id = starts_at + timedelta(minutes=job.duration), fresh_id()
            before, after = timedelta(minutes=job.buffer_before), timedelta(minutes=job.buffer_after)
            booking = Booking(
                id=id, version=1, reference=fresh_reference(), job_id=job.id, job_title=job.title,
                organization_id=job.organization_id, provider_id=job.provider_id, customer_id=customer,
                span=TimestamptzRange(starts_at, ends_at), zone=hours.zone, buffer_before=job.buffer_before,
                buffer_after=job.buffer_after, occupancy=id, seats=1, capacity=job.capacity,
                price_minor=job.price_minor, price_currency=job.price_currency, policy=job.policy, terms=job.terms,
                acceptance=job.acceptance, note=wanted.validated_data["note"], state="confirmed", paid=False,
                sequence=0, refund_floor=0, refund_ceiling=100, cancel_reason="", created_at=now, confirmed_at=now,
                starts_at=starts_at, blocked=TimestamptzRange(starts_at - before, ends_at + after), active=True,
            )  # fmt: skip
            booking.save(force_insert=True)
            answer = BookingOut(booking).data
            about = {key: str(answer[key]) for key in ("customer_id", "provider_id", "organization_id", "reference")}
            Event(
                id=fresh_id(), version=1, name="booking.confirmed", subject_table="bookings", subject_id=id,
                subject_version=1, position=0, payload={"booking_id": str(id), **about, "span": answer["span"]},
                actor=f"user:{customer}", created_at=now, due_at=now, scheduled=False, attempts=0,
            ).save(force_insert=True)  # fmt: skip
            Receipt(
                id=fresh_id(), version=1, key=request.headers["idempotency-key"], principal=f"user:{customer}",
                operation="bookings-create", fingerprint=fingerprint, answer_table="bookings", answer=answer,
                created_at=now, expires_at=now + timedelta(hours=24),
            ).save(force_insert=True)  # fmt: skip
        return Response(answer, status=201)


class Health(APIView):
    """Here."""

    def get(self, request: Request) -> Response:
        """Nothing more."""
        return Response({})


urlpatterns = [
    path("v1/jobs/<uuid:pk>", ReadJob.as_view()),
    path("v1/jobs", SearchJobs.as_view()),
    path("v1/bookings", Book.as_view()),
    path("healthz", Health.as_view()),
]
application = get_wsgi_application()
