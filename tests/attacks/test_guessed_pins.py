"""A housemate guesses the PIN of a guest, and restarts the node in between."""

from contextlib import closing

from meshcoop.author import guests
from meshcoop.store.store import Store
from meshcoop.store.wrong_pins import WrongPins
from tests.support.stores import STORE_KEY

GRACE, HUGO = b"g" * 32, b"h" * 32


def test_wrong_pins_are_counted_on_the_disk(tmp_path):
    """Attacker: a housemate. Asset: a guest's device (R-01.29b)."""
    for count in range(1, 6):
        with closing(Store(tmp_path / "store.db", STORE_KEY)) as store:
            pins = WrongPins(store)
            assert pins.add(GRACE, 1000 * count) == count
            assert pins.of(GRACE) == (count, 1000 * count)
            assert pins.of(HUGO) == (0, 0)
    with closing(Store(tmp_path / "store.db", STORE_KEY)) as store:
        WrongPins(store).forget(GRACE)
        assert WrongPins(store).of(GRACE) == (0, 0)


def test_a_guest_is_locked_out_for_five_minutes_at_most():
    """Attacker: a housemate. Asset: a guest's availability (R-01.29b)."""
    waits = [guests._wait_after(wrong) for wrong in range(10_000)]
    assert waits[:5] == [0, 0, 0, 10_000, 20_000]
    assert waits == sorted(waits)
    assert waits[-1] == 300_000
