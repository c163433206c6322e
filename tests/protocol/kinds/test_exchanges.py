"""Random exchanges: an hour that both people signed counts once and stays, in every order of
records.
"""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.fold import balance
from protocol.fold.thread import ids_in
from protocol.kinds.exchange.payments import Correction, Receipt
from tests.support.exchange_story import ADA, BEN, CHO, PEOPLE, Story, credits_of

DAYS = ("2026-12-01", "2026-12-08", "2026-12-15")


class Life(Story):
    """The life of a request or offer that Ada posts. Three people post records about it, some of
    which make no sense.
    """

    def __init__(self, seed):
        super().__init__()
        self.dice = random.Random(seed)
        repeats = self.dice.choice((None, None, "FREQ=WEEKLY"))
        self.terms = {"repeats": repeats} if repeats else {}
        kind = self.dice.choice(("offer", "request"))
        root = self.says(ADA, kind, title="x", starts=DAYS[0], places=2, **self.terms)
        self.said = {"intent": [root]}

    def go_on(self, steps):
        """Adds steps by two helpers and by Ada. Now and then a person posts a step that belongs to
        another person.
        """
        deeds = [self.respond, self.counter, self.agree, self.agree, self.close]
        deeds += [self.receipt, self.receipt, self.confirm, self.confirm, self.confirm]
        deeds += [self.correct, self.correct, self.keep, self.keep, self.retract]
        for _ in range(steps):
            self.dice.choice(deeds)()

    def add(self, name, who, kind, about, **fields):
        time = len(self.entries) + 1 + self.dice.choice((0, 0, 0, -3, 2))  # clocks differ
        times = {entry.id: entry.time for entry in self.entries}
        named = {about.id, *ids_in(fields)} & times.keys()
        time = max([time, *(times[record_id] for record_id in named)])  # R-01.13a
        one = self.says(who, kind, about, time=time, **fields)
        self.said.setdefault(name, []).append(one)

    def pick(self, *names):
        found = [one for name in names for one in self.said.get(name, ())]
        return self.dice.choice(found) if found else None

    def entry(self, one):
        return next(each for each in self.entries if each.id == one.about)

    def two(self, response):
        """Returns the two parties: Ada, who posted the request or offer, and the person who
        responded.
        """
        while response.about != self.said["intent"][0].id:
            response = self.entry(response)
        return ADA, response.person

    def other(self, one, two):
        wrong = self.dice.random() < 0.1
        return self.dice.choice(PEOPLE) if wrong else next(p for p in two if p != one.person)

    def respond(self):
        who = self.dice.choice((BEN, CHO))
        self.add("response", who, "response", self.said["intent"][0], minutes=60)

    def counter(self):
        if one := self.pick("response"):
            minutes = self.dice.choice((30, 45))
            who = self.other(one, self.two(one))
            # A response by a wrong person no longer has two parties, so nothing builds on it.
            name = "response" if who in self.two(one) and who != one.person else "noise"
            self.add(name, who, "response", one, minutes=minutes)

    def agree(self):
        if one := self.pick("response"):
            two = self.two(one)
            giver, receiver = two if self.said["intent"][0].kind == "offer" else two[::-1]
            between = {"giver": giver, "receiver": receiver, "minutes": one.fields["minutes"]}
            self.add("agreement", self.other(one, two), "agreement", one, **between, **self.terms)

    def receipt(self):
        if one := self.pick("agreement"):
            two = {name: one.fields[name] for name in ("giver", "receiver")}
            minutes, day = self.dice.choice((60, 90)), self.dice.choice(DAYS)
            who = self.dice.choice(tuple(two.values()))
            self.add("receipt", who, "receipt", one, minutes=minutes, on=day, **two)

    def correct(self):
        if one := self.pick("receipt"):
            who = self.dice.choice((one.fields["giver"], one.fields["receiver"]))
            self.add("correction", who, "correction", one, minutes=self.dice.choice((0, 45, 120)))

    def confirm(self):
        if one := self.pick("receipt", "correction"):
            self.add("confirm", self.other(one, self.parties(one)), "confirm", one)

    def keep(self):
        """Adds a confirm of a confirm, as the software of the receipt's author does."""
        if one := self.pick("confirm"):
            self.add("kept", self.entry(one).person, "confirm", one)

    def close(self):
        if one := self.pick("intent", "response", "agreement", "receipt", "correction"):
            word = self.dice.choice(("withdrawn", "declined", "cancelled", "disputed"))
            self.add("close", self.dice.choice(PEOPLE), "close", one, as_state=word)

    def retract(self):
        one = self.pick("response", "close", "receipt") if self.dice.random() < 0.5 else None
        if one:
            self.add("retract", one.person, "retract", one)

    # -- what is asked of it ----------------------------------------------------------------------

    def parties(self, one):
        receipt = one if one.kind == "receipt" else self.entry(one)
        return receipt.fields["giver"], receipt.fields["receiver"]

    def signed_by_both(self, one):
        """Returns whether the other party has confirmed this record.

        This is the plain model, for logs without a fork.
        """
        two = set(self.parties(one))
        if one.person not in two or len(two) < 2:
            return False
        return any(
            c.kind == "confirm" and c.about == one.id and {c.person} == two - {one.person}
            for c in self.entries
        )

    def hours(self, **more):
        """Returns two values: how many minutes each receipt that counts is worth, and all views."""
        folded = self.fold(**more)
        counted = {}
        for credit in credits_of(folded):
            view = folded.views[credit.id]
            receipt = view.about if isinstance(view, Correction) else view.id
            counted[receipt] = counted.get(receipt, 0) + credit.minutes
        return counted, folded.views

    def assert_sound(self, **more):
        counted, views = self.hours(**more)
        rows = balance.sum_balances(credits_of(self.fold(**more)))
        assert sum(row.balance for row in rows.values()) == 0
        hours = [self.hour(views[one]) for one in counted]
        assert len(hours) == len(set(hours)), "an hour is credited twice"
        values = self.values(**more)
        for _ in range(3):
            self.dice.shuffle(self.entries)
            assert self.values(**more) == values
        self.entries.sort(key=lambda one: one.seq)
        return counted, views

    def kept(self, one, who, fork):
        """Returns whether a receipt survives if the log of `who` forks at the number `fork`.

        The receipt survives if the other party's confirm is in another log or before the fork. It
        also survives if the author's confirm of that confirm is in another log or before the fork.
        """
        confirms = [c for c in self.entries if c.kind == "confirm" and c.about == one.id]
        good = [c for c in confirms if {c.person} == set(self.parties(one)) - {one.person}]
        for confirm in good:
            seconds = [c for c in self.entries if c.kind == "confirm" and c.about == confirm.id]
            keepers = [c for c in seconds if c.person == one.person]
            stands = confirm.person != who or confirm.seq < fork
            if stands or any(c.person != who or c.seq < fork for c in keepers):
                return True
        return False

    def hour(self, receipt):
        day = receipt.on if self.terms else None
        return receipt.about, receipt.giver, receipt.receiver, day


SEEDS = st.integers(0, 2**32)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(SEEDS)
def test_what_counts_is_the_last_that_both_signed(seed):
    life = Life(seed)
    life.go_on(40)
    counted, views = life.assert_sound()
    for receipt in life.said.get("receipt", ()):
        if receipt.id not in views or views[receipt.id].state != "confirmed":
            assert receipt.id not in counted
            continue
        assert life.signed_by_both(receipt)
        corrections = [one for one in life.said.get("correction", ()) if one.about == receipt.id]
        signed = [one for one in corrections if life.signed_by_both(one)]
        last = max(signed, key=lambda one: one.order, default=receipt)
        if not views[receipt.id].duplicate:
            assert counted[receipt.id] == last.fields["minutes"]


@settings(deadline=None, max_examples=25, derandomize=True)
@given(SEEDS)
def test_a_confirmed_receipt_never_vanishes_as_more_comes(seed):
    life = Life(seed)
    confirmed, known = set(), {}
    for _ in range(40):
        life.go_on(1)
        _, views = life.hours()
        receipts = [view for view in views.values() if isinstance(view, Receipt)]
        now = {receipt.id for receipt in receipts if receipt.state == Receipt.State.CONFIRMED}
        assert confirmed <= now
        for one in confirmed:
            if views[one].corrected != known[one]:
                about = [c for c in life.said["correction"] if c.about == one]
                assert any(life.signed_by_both(c) for c in about)
        confirmed, known = now, {one: views[one].corrected for one in now}


@settings(deadline=None, max_examples=60, derandomize=True)
@given(SEEDS)
def test_a_late_fork_takes_no_hour_that_was_kept(seed):
    """A receipt is confirmed, and the receipt's author confirms the confirm. No fork of one log
    undoes this.
    """
    life = Life(seed)
    life.go_on(45)
    counted, views = life.assert_sound()
    who = life.dice.choice(PEOPLE)
    fork = life.dice.randint(1, max(1, life.seqs[who]))
    forked, after = life.assert_sound(forks={who: fork})
    names = {one.id: one for one in life.entries}
    for receipt in counted:
        if life.kept(names[receipt], who, fork):
            assert after[receipt].state == "confirmed"
    assert set(forked) <= {one for one, view in views.items() if isinstance(view, Receipt)}
