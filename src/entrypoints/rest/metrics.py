"""Figures for Prometheus."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """This process's figures, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "guildhall_requests", "Requests answered", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "guildhall_request_seconds",
            "Seconds to answer",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._of_request = lru_cache(maxsize=4096)(self._children)
        self.outbox = Gauge("guildhall_outbox_events", "Events not yet delivered", ("state",), registry=self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        count, time = self._of_request(method, route, status)
        count.inc()
        time.observe(seconds)

    def _children(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)

    def text(self) -> bytes:
        """Everything in the exposition format."""
        return generate_latest(self._registry)
