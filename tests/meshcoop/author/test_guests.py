"""What a guest of a home may do, and when (R-06.9)."""

from dataclasses import replace

import pytest

from meshcoop.author.guests import Guests
from meshcoop.errors import Mistake
from meshcoop.home.key_file import Guest
from tests.support.street_in_memory import street

GRACE = Guest(bytes(32), bytes(32), "Grace", b"", {})


def test_a_guest_who_waits_is_told_what_to_do(monkeypatch):
    with street(homes=1) as (ada,):
        guests = Guests(ada.author, None)
        vouchers = frozenset({ada.me.person})
        monkeypatch.setitem(ada.state.authority.candidates, GRACE.person, vouchers)
        with pytest.raises(Mistake, match=r"Grace still waits .* `meshcoop approve 00000000`"):
            guests.check_admitted(GRACE)


def test_a_guest_who_is_a_member_may_sign():
    with street(homes=1) as (ada,):
        Guests(ada.author, None).check_admitted(replace(GRACE, person=ada.me.person))
