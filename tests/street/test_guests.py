"""A guest has a device on a neighbour's node. Only the guest's own PIN opens this device
(R-06.9).
"""

import json

import pytest

from meshcoop.home import key_file as keystore
from tests.support.real_homes import PASSPHRASE, agree, eventually, folder


@pytest.fixture(scope="module")
def household():
    """Makes Ada's home with the guests Grace and Hugo, and Ben's home."""
    with folder() as one:
        ada = one.founder("Ada")
        ben = one.newcomer(ada, "Ben")
        pins = {name: one.path / f"pin of {name}" for name in ("Grace", "Hugo", "nobody")}
        for name, pin in (("Grace", "4711"), ("Hugo", "0815"), ("nobody", "1234")):
            pins[name].write_text(pin + "\n")
        made = {}
        for name in ("Grace", "Hugo"):
            ada.env["MESHCOOP_PIN_FILE"] = str(pins[name])
            made[name] = ada("guest", "--as", name)
        del ada.env["MESHCOOP_PIN_FILE"]
        yield one, ada, ben, pins, made


def by(home, pin, *words):
    """Runs a command at the home as the guest who has this PIN. Returns the answer."""
    home.env["MESHCOOP_PIN_FILE"] = str(pin)
    try:
        return home(*words)
    finally:
        del home.env["MESHCOOP_PIN_FILE"]


def test_guests_are_members_like_everybody(household):
    _, ada, ben, _, made = household
    agree(ada, ben)
    assert [one["name"] for one in ben("list", "people")] == ["Ada", "Ben", "Grace", "Hugo"]
    for one in made.values():
        assert one["state"] == "member"
        assert len(one["recovery"].split()) == 24
    assert made["Grace"]["person"]["id"] != made["Hugo"]["person"]["id"]
    assert {one["state"] for one in ada("devices", "Grace")} == {"live"}


def test_each_posts_as_themselves_with_their_own_pin(household):
    _, ada, ben, pins, made = household
    posted = {
        name: by(ada, pins[name], "post", "offer", "--title", f"by {name}", "--as", name)["id"]
        for name in made
    }
    own = ada.post("offer", "--title", "by Ada")
    ben.has(own, *posted.values())
    for name, one in posted.items():
        assert ben("show", one)["author"]["name"] == name
    assert ben("show", own)["author"]["name"] == "Ada"


def test_no_other_pin_opens_it_and_none_is_not_enough(household):
    _, ada, _, pins, _ = household
    offer = ("post", "offer", "--title", "forged", "--as", "Grace")
    assert "MESHCOOP_PIN_FILE" in ada.refused(*offer, code=2)
    ada.env["MESHCOOP_PIN_FILE"] = str(pins["Hugo"])
    assert "not Grace's PIN; try again" in ada.refused(*offer)
    assert "try again" in ada.refused(*offer)
    assert "wait 10 s" in ada.refused(*offer)
    ada.env["MESHCOOP_PIN_FILE"] = str(pins["Grace"])
    assert "Too many wrong PINs; try again in" in ada.refused(*offer)  # even the right PIN
    del ada.env["MESHCOOP_PIN_FILE"]
    by(ada, pins["Hugo"], "post", "offer", "--title", "not locked out", "--as", "Hugo")
    eventually(
        lambda: _posted(ada, pins["Grace"]), "the right PIN is never listened to again", within=60
    )
    assert not any("forged" in one["title"] for one in ada("list", "offers"))


def _posted(home, pin):
    home.env["MESHCOOP_PIN_FILE"] = str(pin)
    try:
        done = home.run("post", "offer", "--title", "patience", "--as", "Grace")
    finally:
        del home.env["MESHCOOP_PIN_FILE"]
    return done.returncode == 0


def test_what_is_private_to_a_guest_opens_with_their_pin_only(household):
    _, ada, ben, pins, _ = household
    request = by(ada, pins["Grace"], "post", "request", "--title", "A lift", "--as", "Grace")["id"]
    ben.has(request)
    response = ben.post("response", "--about", request, "--text", "ring twice, softly")
    ada.has(response)
    assert ada("show", response)["text"] is None  # Ada's own node, and Ada cannot read it
    assert by(ada, pins["Grace"], "show", response, "--as", "Grace")["text"] == "ring twice, softly"
    (listed,) = by(ada, pins["Grace"], "list", "responses", "--as", "Grace")
    assert listed["text"] == "ring twice, softly"
    assert by(ada, pins["Hugo"], "show", response, "--as", "Hugo")["text"] is None
    assert ben("show", response)["text"] == "ring twice, softly"
    agreement = by(ada, pins["Grace"], "post", "agreement", "--about", response, "--as", "Grace")
    ben.has(agreement["id"])
    assert ben("show", agreement["id"])["state"] == "agreed"
    ada("down")
    assert ada.holds("ring twice") == []
    guests = keystore.unlock_key_file(ada.path / "keys", PASSPHRASE).keys.guests
    assert [one.name for one in guests] == ["Grace", "Hugo"]
    ada("up")
    again = by(ada, pins["Grace"], "show", response, "--as", "Grace")
    assert again["text"] == "ring twice, softly"


def test_a_script_posts_for_a_guest_line_by_line(household):
    _, ada, ben, pins, _ = household
    ada.env["MESHCOOP_PIN_FILE"] = str(pins["Hugo"])
    lines = [
        {"kind": "offer", "as": name, "fields": {"title": f"line of {name}"}}
        for name in ("Hugo", "Ada", "Hugo")
    ]
    done = ada.run("post", "--lines", said="".join(json.dumps(one) + "\n" for one in lines))
    del ada.env["MESHCOOP_PIN_FILE"]
    assert done.returncode == 0, done.stderr
    ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    ben.has(*ids)
    assert [ben("show", one)["author"]["name"] for one in ids] == ["Hugo", "Ada", "Hugo"]


def test_the_neighbour_posts_for_the_elder_by_her_proxy(household):
    _, ada, ben, pins, made = household
    grace = made["Grace"]["person"]["id"]
    asked = ("post", "request", "--title", "A lift on Thursday", "--for", grace)
    assert "given you no proxy" in ada.refused(*asked)
    proxy = ("post", "proxy", "--person", "Ada", "--matters", "request", "--until", "2099-01-01")
    given = by(ada, pins["Grace"], *proxy, "--as", "Grace")["id"]
    request = ada(*asked)["id"]  # without her PIN
    ben.has(request)
    view = ben("show", request)
    assert (view["author"]["name"], view["by"]["name"]) == ("Grace", "Ada")
    assert "Ada for Grace" in ben.text("show", request)
    assert "not for offer" in ada.refused("post", "offer", "--title", "Hemming", "--for", "Grace")
    assert "R-14.2" in ada.refused("post", "close", "--about", given, "--as-state", "ended")
    end = ("post", "close", "--about", given, "--as-state", "ended", "--as", "Grace")
    ben.has(by(ada, pins["Grace"], *end)["id"])
    assert "who gave the proxy has ended it" in ada.refused(*asked)
    assert [one["state"] for one in ben("list", "proxies")] == ["ended"]
    assert ben("show", request)["by"]["name"] == "Ada"
    agree(ada, ben)


def test_a_guest_moves_out_with_their_words(household):
    one, ada, ben, pins, made = household
    words = one.path / "words of Grace"
    words.write_text(made["Grace"]["recovery"])
    ben.env["MESHCOOP_PIN_FILE"] = str(pins["nobody"])
    answer = ben("guest", "--as", "Grace", "--words", str(words))
    del ben.env["MESHCOOP_PIN_FILE"]
    assert answer["state"] == "member"
    assert answer["recovery"] is None
    assert answer["person"]["id"] == made["Grace"]["person"]["id"]
    offer = by(ben, pins["nobody"], "post", "offer", "--title", "from Ben's", "--as", "Grace")["id"]
    ada.has(offer)
    assert ada("show", offer)["author"]["name"] == "Grace"
    assert len(ada("devices", "Grace")) == 2
    agree(ada, ben)


def test_a_bad_pin_or_name_makes_no_guest(household):
    one, ada, _, pins, _ = household
    assert "MESHCOOP_PIN_FILE" in ada.refused("guest", "--as", "Ivy", code=2)
    short = one.path / "short"
    short.write_text("123\n")
    ada.env["MESHCOOP_PIN_FILE"] = str(short)
    assert "4 characters or more" in ada.refused("guest", "--as", "Ivy", code=2)
    ada.env["MESHCOOP_PIN_FILE"] = str(pins["nobody"])
    assert "--as must be" in ada.refused("guest", "--as", " ", code=2)
    del ada.env["MESHCOOP_PIN_FILE"]
    assert "Ivy" not in [one["name"] for one in ada("list", "people")]


@pytest.mark.long
def test_with_two_vouchers_a_guest_waits_and_is_let_in(household):
    with folder() as one:
        cleo = one.founder("Cleo", "--vouchers", "2")
        dan = one.newcomer(cleo, "Dan")
        cleo("renew", "--will-vote", "2")
        eventually(lambda: len(dan("status")["term"]["roll"]) == 2, "the roll does not grow")
        eve = one.home("eve")
        waits = eve("join", cleo.invite(), "--as", "Eve", "--listen", one.listen())
        eventually(lambda: dan("status")["waiting"]["vouched"], "nobody hears of Eve")
        dan("approve", waits["person"]["id"])
        eventually(lambda: eve("status")["person"], "Eve does not come in")
        agree(cleo, dan, eve)
        pin = one.path / "pin"
        pin.write_text("2468\n")
        made = by(dan, pin, "guest", "--as", "Grace")
        assert made["state"] == "waiting"
        person = made["person"]["id"]
        dan.env["MESHCOOP_PIN_FILE"] = str(pin)
        for words in (("post", "offer", "--title", "Bread"), ("next",)):
            refused = dan.refused(*words, "--as", "Grace")
            assert (
                f"Grace still waits for a voucher: another voter has to type `meshcoop approve {person[:8]}`"
                in refused
            )
        del dan.env["MESHCOOP_PIN_FILE"]
        eventually(lambda: cleo("status")["waiting"]["vouched"], "nobody hears of her")
        assert cleo("approve", person[:8])["state"] == "member"
        agree(cleo, dan, eve)
        offer = by(dan, pin, "post", "offer", "--title", "patience", "--as", person)["id"]
        eve.has(offer)
        assert eve("show", offer)["author"]["name"] == "Grace"
