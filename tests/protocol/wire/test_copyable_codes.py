"""Invitations and tickets as people copy and type them: what cannot be right is named at once."""

import random
import string

import pytest

from protocol.errors import Refused
from protocol.wire import invitation, relay_ticket
from protocol.wire.invitation import Invitation
from protocol.wire.relay_ticket import Ticket

DICE = random.Random(15)
ADDRESSES = ("/ip4/192.0.2.7/tcp/4001",)
INVITATION = Invitation(DICE.randbytes(32), DICE.randbytes(16), ADDRESSES)
TICKET = Ticket(DICE.randbytes(32), DICE.randbytes(16), ADDRESSES)
CODES = [
    (invitation.encode(INVITATION), invitation.decode, INVITATION),
    (relay_ticket.encode(TICKET), relay_ticket.decode, TICKET),
]
SIGNS = set(string.ascii_uppercase) | set("234567")
# Letters and digits that no code has: from other alphabets, with accents, and of other widths.
WRONG = [*"0189", *"ÉßıОΑＡ５٣字é"]


@pytest.mark.parametrize(("code", "decode", "value"), CODES)
def test_a_sign_that_no_code_has_is_named_with_its_place(code, decode, value):
    for place in range(len(code)):
        for wrong in WRONG:
            with pytest.raises(Refused) as refused:
                decode(f"> {code[:place]}{wrong}{code[place + 1 :]}.")
            told = refused.value.arguments
            assert (told["place"], told["sign"]) == (place + 1, wrong)
            assert told["before"] == code[max(0, place - 4) : place]
            assert str(place + 1) in refused.value.reason
            assert wrong in refused.value.reason


@pytest.mark.parametrize(("wrong", "meant"), [("8", "B"), ("0", "O"), ("1", "I or L")])
def test_a_digit_that_looks_like_a_letter_is_explained(wrong, meant):
    with pytest.raises(Refused, match=f"is it {meant}"):
        invitation.decode(f"AE{wrong}C")


@pytest.mark.parametrize(("code", "decode", "value"), CODES)
def test_signs_around_a_code_are_passed_over(code, decode, value):
    signs = [*string.punctuation, *string.whitespace, *"“”‘’«»–—…·•\u200b﻿\u00ad👋"]
    assert not SIGNS & set(signs)
    for sign in signs:
        assert decode(f"{sign}{code}{sign}") == value
        assert decode(sign.join(code)) == value
    lines = [code[at : at + 20].lower() for at in range(0, len(code), 20)]
    assert decode("> " + "\r\n> ".join(lines) + ".") == value


@pytest.mark.parametrize(("code", "decode", "value"), CODES)
def test_what_is_no_code_is_refused(code, decode, value):
    for text in ("", " ", "…", code[:-1], code[:20], code + code, "hello"):
        with pytest.raises(Refused):
            decode(text)
