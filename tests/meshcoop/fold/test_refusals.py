"""A record that a rule refuses costs nobody more than its own fold."""

import gc

from protocol.fold.thread import Thread
from tests.support.street_in_memory import street


def refused_records(ben, about):
    """Forges records that rules refuse in different ways. Ben's home stores them."""
    return [
        ben.put(ben.forge(kind, about, **fields))
        for kind, fields in (
            ("vote", {"choice": "yes"}),  # about something else than a proposal
            ("flag", {"reason": "odd"}),
            ("flag", {"reason": "odd"}),  # twice
            ("response", {"minutes": "sixty"}),  # malformed
            ("response", {"minutes": 60, "for": b"p" * 32}),  # by a proxy that is not here
            ("want_keys", {"lacks": b""}),
        )
    ]


def count_threads():
    return sum(isinstance(held, Thread) for held in gc.get_objects())


def test_refused_records_keep_no_folded_thread():
    """An error that is kept with its frames keeps the whole folded thread, in a circle or for as
    long as somebody remembers the error.
    """
    with street(homes=2) as (ada, ben):
        request = ada.post("request", title="Who has a ladder?", minutes="60")
        ben.take(request)
        wires = [record.wire for record in refused_records(ben, request)]
        gc.collect()
        gc.disable()
        try:
            before = count_threads()
            ada.feed(wires)
            after = count_threads()
        finally:
            gc.enable()

    assert after == before
