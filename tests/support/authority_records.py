"""People and their devices, for tests. The devices sign open records that concern authority."""

import functools
import hashlib

import nacl.bindings

from protocol import kinds
from protocol.authority.record_index import AuthorityRecord
from protocol.record import root_statement as statement
from protocol.record import sealing as seal

assert kinds  # registers every kind
START = 1_795_000_000_000
HERE = b"h" * statement.PLACE_SIZE  # the beginning of every charter's id


def seed(*words):
    return hashlib.sha256(repr(words).encode()).digest()


def public(secret):
    return nacl.bindings.crypto_sign_seed_keypair(secret)[0]


BOX = seal.device_box_key(seed("box")).public


class Person:
    def __init__(self, name):
        self.name = name
        self.root = seed("root", name)
        self.key = public(self.root)
        self.devices = [seed("device", name, n) for n in range(8)]
        self.device = public(self.devices[0])
        self.statement = self.certify(0)
        self.founding = self.certify(0, statement.FOUNDING_PLACE)
        self.seq = 0

    def certify(self, n, place=HERE):
        box = seal.device_box_key(self.devices[n]).public
        return statement.certify_device(self.root, self.devices[n], box, place)

    def certify_for(self, other, n, place=HERE):
        """Signs a certificate that one of this person's devices belongs to another person."""
        box = seal.device_box_key(self.devices[n]).public
        return statement.certify_device(other.root, self.devices[n], box, place)

    def revokes(self, device, after, place=HERE):
        return statement.revoke_device(self.root, device, after, place)

    def leaves(self, n, cut, place=HERE):
        """Signs a statement that this person leaves. `cut` is the last number of the first device
        that counts, or a map from devices to such numbers.
        """
        cuts = cut if isinstance(cut, dict) else {self.device: cut}
        return statement.state_leave(self.root, n, cuts, place)

    def act(self, kind, fields, *, time=None, device=None, seq=None, parents=()):
        self.seq += 1
        seq = self.seq if seq is None else seq
        time = START + 1000 * self.seq if time is None else time
        device = self.device if device is None else device
        said = repr((self.name, device, seq, kind, fields, time, parents))
        one = hashlib.sha256(said.encode()).digest()
        content = hashlib.sha256(repr((kind, fields)).encode()).digest()
        return AuthorityRecord(one, device, seq, time, kind, fields, tuple(parents), content)

    def admits(self, other, *, certificate=None, **more):
        fields = {"person": other.key, "statement": certificate or other.statement}
        return self.act("admit", fields, **more)

    def carries(self, one, **more):
        return self.act("device", {"statement": one}, **more)

    def says(self, choice, target, **more):
        return self.act("vote", {"choice": choice}, parents=[target.id], **more)

    def accepts(self, term, *named, **more):
        parents = [term.id, *(one.id for one in named)]
        return self.act("accept", {}, parents=parents, **more)

    def removes(self, person, n=1, *, cut=0, cuts=None, **more):
        """Signs a record that removes a person. `cut` is the number of the last record of the
        person's first device that still counts.

        If `cuts` is given, it lists such a number for each of several devices, and `cut` is not
        used.
        """
        cuts = [[person.device, cut]] if cuts is None else cuts
        return self.act("remove", {"person": person.key, "n": n, "cuts": cuts}, **more)

    def proposes(self, what, key, n, value=None, *, newcomers=(), **more):
        fields = {"change": [what, key, n, value], "newcomers": ids(newcomers)}
        return self.act("proposal", fields, **more)

    def renews(self, parent, moderators, *, round=1, holds=(), parts=(), **more):  # noqa: A002
        """Proposes a term with these moderators. `joining` and `leaving` are lists of people."""
        fields = {
            "parent": parent.id,
            "round": round,
            "moderators": ids(moderators),
            "joining": ids(more.pop("joining", ())),
            "leaving": ids(more.pop("leaving", ())),
            "vouchers": more.pop("vouchers", 1),
            "share": more.pop("share", 50),
            "holds": [list(one) for one in holds],
            "parts": list(parts),
        }
        return self.act("renewal", fields, **more)


def charter(*founders, **fields):
    statements = [one.founding for one in founders]
    rules = {"name": "Lane", "founders": statements, "vouchers": 1, **fields}
    first = founders[0].act("charter", rules)
    return first._replace(id=HERE + first.id[:16])


def people(*names):
    return [Person(one) for one in names]


def ids(some):
    return [one.key for one in some]


# Cached, because many histories use the same keys and statements


@functools.cache
def person(name):
    return Person(name)


@functools.cache
def certificate(name, n, place=HERE):
    return person(name).certify(n, place)


@functools.cache
def certificate_for(name, other, n):
    return person(name).certify_for(person(other), n)


@functools.cache
def revocation(name, other, n, after, place=HERE):
    return person(name).revokes(device(other, n), after, place)


@functools.cache
def device(name, n):
    return public(person(name).devices[n])
