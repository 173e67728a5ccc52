"""How the server is, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from jaxreact.live.listeners import Listeners

SHARES = (0.5, 0.95, 0.99)


class Gauges:
    """What `/metrics` says."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._registry = CollectorRegistry()
        self._registry.register(self)  # pyright: ignore[reportArgumentType]
        self._ended = Counter(
            "jaxreact_sessions_ended",
            "Sessions that came to their end, by what they were closed with",
            ["code"],
            registry=self._registry,
        )

    def ended(self, code: int) -> None:
        """Counts a session's end."""
        self._ended.labels(code=str(code)).inc()

    def text(self) -> tuple[bytes, str]:
        """Prometheus' text, and its type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self):
        """As the registry asks for it."""
        listeners = self._listeners
        yield GaugeMetricFamily("jaxreact_sessions", "Sessions now", len(listeners))
        yield GaugeMetricFamily("jaxreact_places", "Sessions at most", listeners.capacity)
        yield GaugeMetricFamily("jaxreact_steps", "Steps of streams so far", listeners.advanced)
        taken = GaugeMetricFamily(
            "jaxreact_step_milliseconds", "Of the last batches of steps", labels=["share"]
        )
        times = listeners.step_ms
        for share in SHARES if len(times) else ():
            value = float(sorted(times)[int(share * (len(times) - 1))])
            taken.add_metric([f"{share:g}"], value)
        yield taken
