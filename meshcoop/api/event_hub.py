"""Sends the events of a node to the clients that have subscribed to them (R-06.7g to R-06.7j)."""

import logging
from collections.abc import Collection
from typing import Any

import trio

from protocol.errors import Refused
from protocol.wire.local_rpc import Event, encode

MAX_EVENTS = 256  # waiting for one client; one more and the subscription is cut
MAX_EVENT = 16 * 1024  # bytes; an event is a hint, the client reads the rest

_log = logging.getLogger(__name__)


class Subscription:
    """Encoded events on their way to one client. Once one was lost it is cut: no more come."""

    def __init__(self, topics: Collection[str] | None) -> None:
        self._topics = topics
        self._sender, self.events = trio.open_memory_channel[bytes](MAX_EVENTS)
        self.is_cut = False

    def has_topic(self, topic: str) -> bool:
        """True if the client has subscribed to a topic; no topics stand for all of them."""
        return self._topics is None or topic in self._topics

    def queue_event(self, data: bytes | None) -> None:
        """Queues an event. Cuts the subscription if the queue is full, or for None: an event that
        no frame carries.
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
        """Ends the events; those that are queued can still be read. Closing twice is fine."""
        self._sender.close()


class EventHub:
    """Sends the events of the node to all subscribers, and waits for none of them."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def publish(self, topic: str, payload: Any = None) -> None:
        """Sends an event to the subscribers of `topic`. Never waits and never raises: a client
        whose queue is full, or an event that no frame carries, makes the client resync instead.
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
        """Subscribes to the events of `topics`, or to all, from now on. Unsubscribe when done."""
        subscription = Subscription(topics)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends a subscription; ending one that was cut is fine."""
        self._subscriptions.discard(subscription)
        subscription.close()


def _encode_event(topic: str, payload: Any) -> bytes | None:
    """The encoded event; None, and an error in the log, if no frame carries it or it is too long."""
    try:
        data = encode(Event(topic, payload))
    except Refused:
        _log.exception("The event %r cannot be told", topic)
        return None
    if len(data) > MAX_EVENT:
        _log.error("The event %r has %d bytes; at most %d are told", topic, len(data), MAX_EVENT)
        return None
    return data
