"""Sends the events of a node to the clients that have subscribed to them (R-06.7g to R-06.7j)."""

import logging
from collections.abc import Collection
from typing import Any

import trio

from protocol.errors import Refused
from protocol.wire.local_rpc import Event, encode

MAX_EVENTS = 256  # events that wait for one client; if more wait, the subscription is cut
MAX_EVENT = 16 * 1024  # bytes; an event is only a hint: the client then reads the data itself

_log = logging.getLogger(__name__)


class Subscription:
    """The encoded events on their way to one client.

    If an event is lost, the subscription is cut: it gets no further events.
    """

    def __init__(self, topics: Collection[str] | None) -> None:
        self._topics = topics
        self._sender, self.events = trio.open_memory_channel[bytes](MAX_EVENTS)
        self.is_cut = False

    def has_topic(self, topic: str) -> bool:
        """Returns whether the client has subscribed to a topic. Topics of None stand for all
        topics.
        """
        return self._topics is None or topic in self._topics

    def queue_event(self, data: bytes | None) -> None:
        """Queues an event. Cuts the subscription if the queue is full.

        `data` is None for an event that no frame can carry. Then the subscription is cut too.
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
        """Ends the subscription. The client still gets the queued events. Closing twice is fine."""
        self._sender.close()


class EventHub:
    """Sends the events of the node to all subscribers, and waits for none of them."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def publish(self, topic: str, payload: Any = None) -> None:
        """Sends an event to the subscribers of `topic`. Never waits and never raises.

        A client whose queue is full must resync. If no frame can carry the event, all subscribers
        of the topic must resync.
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

    def subscribe(self, topics: Collection[str] | None = None) -> Subscription:
        """Subscribes to the events of `topics`. If `topics` is None, subscribes to all events.

        The caller calls `unsubscribe` when done.
        """
        subscription = Subscription(topics)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends a subscription. The subscription may have been cut before."""
        self._subscriptions.discard(subscription)
        subscription.close()


def _encode_event(topic: str, payload: Any) -> bytes | None:
    """Encodes an event.

    If the event is too long or no frame can carry it, logs an error and returns None.
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
