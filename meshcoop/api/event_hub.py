"""Sends the events of a node to the clients that have subscribed to them (R-06.7g to R-06.7j)."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import trio

from protocol.errors import Refused
from protocol.wire.local_rpc import Event, encode

MAX_EVENTS = 256  # events that wait for one client; if more wait, the subscription is cut
MAX_EVENT = 16 * 1024  # bytes; an event is only a hint to read the data again

_log = logging.getLogger(__name__)


class Subscription:
    """A queue of encoded events for one client.

    If an event cannot be queued, the subscription is cut. From then on, it takes no events.
    """

    def __init__(self, topics: Collection[str] | None) -> None:
        self._topics = topics
        self._sender, self.events = trio.open_memory_channel[bytes](MAX_EVENTS)
        self.is_cut = False

    def has_topic(self, topic: str) -> bool:
        """Returns whether the client has subscribed to a topic. A subscription without topics
        covers all topics.
        """
        return self._topics is None or topic in self._topics

    def queue_event(self, data: bytes | None) -> None:
        """Queues an event. Cuts the subscription if the queue is full, or if the event could not be
        encoded (`data` is None).
        """
        self.is_cut = data is None
        if data is not None:
            try:
                self._sender.send_nowait(data)
            except trio.WouldBlock:
                self.is_cut = True
        if self.is_cut:
            self.close()

    def close(self) -> None:
        """Ends the subscription. The client still gets the events in the queue. Calling `close`
        again does no harm.
        """
        self._sender.close()


class EventHub:
    """Sends the events of the node to all subscribers, and waits for none of them."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def publish(self, topic: str, payload: Any = None) -> None:
        """Sends an event to the subscribers of `topic`. Does not wait, and raises nothing.

        If a subscriber's queue is full, tells this subscriber to read all data again ("resync"). If
        the event cannot be encoded, tells this to all subscribers of the topic.
        """
        subscribers = [
            subscription for subscription in self._subscriptions if subscription.has_topic(topic)
        ]
        if not subscribers:
            return
        data = _encode_event(topic, payload)
        for subscription in subscribers:
            subscription.queue_event(data)
            if subscription.is_cut:
                self._subscriptions.discard(subscription)

    @contextmanager
    def subscribe(self, topics: Collection[str] | None = None) -> Iterator[Subscription]:
        """Subscribes a client to the events of `topics`, or to all events if `topics` is None. The
        subscription lasts as long as the block of the `with` statement.
        """
        subscription = Subscription(topics)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            subscription.close()


def _encode_event(topic: str, payload: Any) -> bytes | None:
    """Encodes an event for sending.

    Logs an error and returns None if the event is too long, or if its values cannot be encoded.
    """
    try:
        data = encode(Event(topic, payload))
    except Refused:
        _log.exception("The event %r cannot be told", topic)
        return None
    if len(data) > MAX_EVENT:
        _log.error("The event %r has %d bytes; at most %d are told", topic, len(data), MAX_EVENT)
        return None
    return data
