"""The program of somebody who gives a group key to nobody."""

from meshcoop.author import key_giving

key_giving.seal_wanted = lambda *_: None
key_giving.answer_requests = lambda *_: None
