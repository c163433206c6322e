"""Homes behind two NATs and a public relay: real nodes in network namespaces."""

import time

from tests.support.nat_homes import relay, street
from tests.support.real_homes import agree, eventually

CIRCUIT = "/p2p-circuit/"
SECONDS = 15  # a home must recover within this time


def linked(home):
    """Returns the address over which this home is connected to the home of a member. Returns None
    if the two homes are not connected.
    """
    found = [one["address"] for one in home("status")["peers"] if one["person"]]
    return found[0] if found else None


def exchanged(ada, ben):
    """Sends one record each way. Returns how many seconds that took."""
    began = time.monotonic()
    one = ada.post("request", "--title", "A lift", "--minutes", "30")
    other = ben.post("offer", "--title", "A loaf", "--minutes", "30")
    ben.has(one)
    ada.has(other)
    return time.monotonic() - began


def test_a_nat_that_keeps_ports_lets_homes_come_to_a_direct_connection(hosts):
    _, folders = hosts()
    _, ada, ben = street(folders)
    assert exchanged(ada, ben) < 10
    eventually(
        lambda: (where := linked(ada)) and CIRCUIT not in where and linked(ben),
        "no direct connection",
    )
    assert CIRCUIT not in linked(ben)
    assert exchanged(ada, ben) < 10
    agree(ada, ben)


def test_a_nat_that_shuffles_ports_leaves_the_circuit_and_all_recovers(hosts):
    made, folders = hosts(keeps_ports=False)
    surgery, ada, ben = street(folders)
    assert exchanged(ada, ben) < 10
    where = eventually(lambda: linked(ada), "no circuit")
    assert CIRCUIT in where
    # The relay is restarted.
    surgery("down")
    surgery("up")
    began = time.monotonic()
    one = ada.post("request", "--title", "After a restart", "--minutes", "30")
    ben.has(one)
    assert time.monotonic() - began < SECONDS
    # A home's address changes. With the old address the connections of the home are gone.
    made.move("A", "10.81.1.77")
    began = time.monotonic()
    one = ben.post("offer", "--title", "After a move", "--minutes", "30")
    ada.has(one)
    assert time.monotonic() - began < SECONDS
    agree(ada, ben)


def test_two_relays_cut_apart_and_a_stick_before_the_network(hosts, tmp_path):
    """Steps 5 and 11 of the week in Rushey Lane: from Tuesday to Thursday each home reaches only
    one relay.
    """
    made, folders = hosts(keeps_ports=False, relays=("R", "S"))
    surgery, ada, ben = street(folders)
    library = relay(folders, "S", "Library")
    ada("relay", "enrol", library("relay", "ticket")["ticket"])
    nurse = folders["A"].newcomer(ada, "Nurse")
    homes = (ada, nurse, ben)
    for home in homes:
        eventually(
            lambda home=home: [one["state"] for one in home("list", "relays")] == ["connected"] * 2,
            "a home does not find both relays",
        )
        eventually(lambda home=home: home("status")["reserved"] == 2, "it has no two reservations")
    agree(*homes)
    # Tuesday: the nurse and Ada reach only the relay of the surgery. Ben reaches only the relay of
    # the library.
    made.part("B", "S")
    asked = ada.post("request", "--title", "Yoruba with a patient", "--minutes", "90")
    nurse.has(asked)
    said = nurse.post("response", "--about", asked, "--text", "on Tuesday at ten")
    ada.has(said)
    agreed = ada.post("agreement", "--about", said)
    nurse.has(agreed)
    receipt = nurse.post("receipt", "--about", agreed, "--minutes", "90")
    ada.has(receipt)
    ada.post("confirm", "--about", receipt)
    there = ben.post("offer", "--title", "A loaf", "--minutes", "30")
    eventually(
        lambda: sorted(one["balance"] for one in nurse("balance")) == [-90, 0, 90], "not counted"
    )
    assert [one["balance"] for one in ben("balance")] == [0, 0, 0]
    eventually(
        lambda: library("status")["served"][0]["set_hash"] == ben("status")["set_hash"], "it waits"
    )
    # Thursday: a stick arrives before the network does.
    stick = tmp_path / "stick"
    nurse("bundle", "write", str(stick))
    told = ben("bundle", "read", str(stick))
    assert told["new"] > 0
    assert sorted(one["balance"] for one in ben("balance")) == [-90, 0, 90]
    again = ben("bundle", "read", str(stick))
    assert again["new"] == 0
    made.join()
    ada.has(there)
    # The homes' software may still sign something. So all homes are asked until they agree.
    eventually(
        lambda: (
            len(
                {home("status")["set_hash"] for home in homes}
                | {at("status")["served"][0]["set_hash"] for at in (surgery, library)}
            )
            == 1
        ),
        "a relay or a home lacks something",
    )
    agree(*homes)
    for home in homes:
        assert sum(one["balance"] for one in home("balance")) == 0
        assert len(home("list", "receipts")) == 1
