"""A neighbour's address in a thread: a form gives it, the other party sees it, and it can be
erased.
"""

from tests.support.fake_node import MARIA, chooses, ident, on_screen, shows, street, until
from tui.widgets.card_list import CardList

AGREEMENT = ident(12)


def agreed():
    """Makes an agreement of Ada and Maria without a receipt. Maria has given her address."""
    node = street()
    node.addresses[AGREEMENT] = {
        "agreement": AGREEMENT,
        "from": MARIA,
        "text": "7 Xylophage Mews\x1b]0;title\x07\nring twice",
        "given": "2026-11-23T17:00:00.000Z",
        "kept": False,
    }
    return node


async def thread(pilot):
    await shows(pilot, "Confirm the receipt")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down", "enter")
    await shows(pilot, "An hour of weeding", "Give Maria my address")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


@on_screen
async def test_an_address_is_typed_into_a_form_and_never_posted(pilot, node):
    await thread(pilot)
    await chooses(pilot, "Give Maria my address")
    await shows(pilot, "Maria's home and yours hold it", "No other home ever holds it", "Address *")
    await pilot.press("f2")
    await shows(pilot, "Please fill this in.")
    await pilot.press(*"12 Oak")
    await pilot.press("f2")
    await until(pilot, lambda: node.given)
    assert node.given == [{"agreement": AGREEMENT, "text": "12 Oak"}]
    assert node.posted == []
    await until(pilot, lambda: "Maria has it." in [n.message for n in pilot.app._notifications])


@on_screen(node=agreed, size=(100, 40))
async def test_the_address_is_shown_to_the_party_and_can_be_forgotten(pilot, node):
    await thread(pilot)
    await shows(pilot, "The address of Maria · here until", "7 Xylophage Mews", "ring twice")
    await chooses(pilot, "Forget the address")
    await shows(pilot, "It is erased here.")
    await pilot.press("enter")
    await until(pilot, lambda: not node.addresses)
    node.tell()
    await shows(pilot, "What you can do (5)")
