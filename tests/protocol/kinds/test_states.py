"""The states that a kind declares are exactly the states that its views have."""

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest

from protocol import kinds
from protocol.authority.admission import Device, Member
from protocol.authority.authority import Authority
from protocol.authority.charter_rules import CHARTER_RULES
from protocol.authority.register_change import LogCuts, RegisterChange
from protocol.authority.registers import Outcome
from protocol.authority.terms import Ballot, Chain, Holding, Term
from protocol.errors import Refused
from protocol.fold import fold as thread
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import KINDS, DeclaredKind, kind
from protocol.fold.thread import Entry
from protocol.fold.view import States
from protocol.schema import fields as schema
from protocol.schema.bounds import Bound
from protocol.schema.register_names import HIDDEN, MEASURE, STANDING, TRIAL
from tests.support.clocks import clock_at
from tests.support.service_chain import CONTRACTOR, COUNCIL, OTHER, RESIDENTS, SUB, Story, bins

assert kinds  # registers every kind
VECTORS = Path(__file__).resolve().parents[3] / "specs" / "vectors" / "threads.json"
PEOPLE = [name * 32 for name in (b"a", b"b", b"c")]
DAYS = ["2026-11-02", "2026-11-09", "2026-11-16"]
START = 1_793_577_600_000  # 2026-11-02, in ms
HOUR = 3_600_000
CHARTER = b"n" * 32
THREADS = 350  # 5 s of the processor
MANY = 3_000
LONGEST = 40  # entries
FAR_AHEAD = clock_at("2199-12-31")
TRIES = 6  # how often a record is drawn until one counts

# Only `meshcoop.api.loop_views` gives these states, because it looks at a clock and at other threads.
SHOWN_LATER = {
    *(("action", "overdue"), ("idea", "on trial"), ("idea", "adopted"), ("idea", "dropped")),
    ("measure", "ended"),
}
# These states are declared because other programs rely on the lists of states. No view has
# them: an action that is partly fixed is reopened, and an answer has no view.
NEVER = {("action", "partly")}


class RandomThread:
    """A thread of random records, most of which count, under a random authority."""

    folded = None, (), None  # a fold, and the entries and the authority of which it is

    def __init__(self, number):
        self.dice = random.Random(f"thread {number}")
        self.entries = []
        self.authority = self.draw_authority()
        self.write(self.draw_root(), None)
        for _ in range(self.dice.randrange(LONGEST)):
            if self.entries:
                self.answer()
        self.authority = self.draw_authority()

    def fold(self):
        """Folds the entries. Folds them only once as long as they and the authority stay."""
        folded, entries, authority = self.folded
        if authority is not self.authority or entries != self.entries:
            folded = thread.fold_thread(self.entries, self.authority)
            self.folded = folded, list(self.entries), self.authority
        return folded

    def draw_root(self):
        """Chooses a kind of root at random. Prefers kinds that other kinds can be about."""
        answered = {about for declared in KINDS.values() for about in declared.about}
        roots = [declared for declared in KINDS.values() if declared.is_root]
        weights = [5 if declared.name in answered else 1 for declared in roots]
        return self.dice.choices(roots, weights)[0]

    def answer(self):
        target = self.dice.choice(self.entries[self.dice.choice([0, -3]) :])
        answers_anything = self.dice.random() < 0.1
        fitting = [
            declared
            for declared in KINDS.values()
            if declared.answers_anything == answers_anything
            and declared.can_answer(KINDS[target.kind])
        ]
        if fitting:
            self.write(self.dice.choice(fitting), target)

    def write(self, declared, target):
        """Draws records at random until one counts, and adds this record to the thread. Now and
        then also adds a record that does not count.
        """
        for _ in range(TRIES):
            entry = self.draw_entry(declared, target)
            if entry is not None:
                self.entries.append(entry)
                if self.counts(entry) or self.dice.random() < 0.05:
                    return
                self.entries.pop()

    def counts(self, entry):
        lines = self.fold().history
        return next(line.refusal is None for line in lines if line.entry.id == entry.id)

    def draw_entry(self, declared: DeclaredKind, target):
        """Returns a record as its author's software completes it. Returns None if the software
        would write no such record.
        """
        number = len(self.entries) + 1
        who = self.dice.choice(PEOPLE)
        fields = {
            name: self.value(field, target)
            for name, field in declared.fields.items()
            if self.fills(field) and not (declared.posted and field.filled)
        }
        entry = Entry(
            # No two records have the same id.
            CHARTER if declared.name == "charter" and number == 1 else number.to_bytes(32, "big"),
            who,
            number,
            START + number * HOUR,
            target and target.id,
            who,
            declared.name,
            fields,
            lasting=declared.lasting,
            key=bytes(32),
        )
        try:
            fields = self.complete_fields(declared, entry)
            declared.check_fields(fields)
        except Refused:
            return None
        return entry._replace(fields=fields)

    def complete_fields(self, declared: DeclaredKind, entry):
        folded = self.fold()
        draft = declared.draft(entry)
        folded.entries[entry.id] = entry
        folded.drafts[entry.id] = draft
        folded.clock = clock_at(self.dice.choice(DAYS))
        try:
            draft.complete(folded)
        finally:
            del folded.entries[entry.id], folded.drafts[entry.id]
        values = vars(draft)
        return {name: values[name] for name in declared.fields if values[name] is not None}

    def fills(self, field):
        if field.private or field.beside:
            return False
        return field.required or self.dice.random() < 0.3

    def record_near(self, target):
        """Returns the id of a record beside `target` or about it. If there is none, returns the id
        of any record. A root may name a record in another thread.
        """
        near = [
            entry for entry in self.entries if target and entry.about in {target.id, target.about}
        ]
        return self.dice.choice(near or self.entries).id if self.entries else CHARTER

    def value(self, field, target):
        """Draws one of a few values that the field may hold."""
        if isinstance(field, schema.RecordId):
            return self.record_near(target)
        if isinstance(field, schema.Map):
            return {self.dice.choice(["cook", "host"]): self.value(field.of, target)}
        if isinstance(field, schema.Many):
            return [self.value(field.of, target) for _ in range(self.dice.randint(1, 2))]
        for field_type, draw in VALUES.items():
            if isinstance(field, field_type):
                return draw(self.dice, field)
        raise TypeError(f"no value for a field of type {field.type_name}")

    def draw_authority(self):
        """Draws an authority with random registers, votes and terms."""
        people = {person: Member(person, 0, ()) for person in PEOPLE}
        first = term(CHARTER)
        later = [term(entry.id) for entry in self.entries if entry.kind == "renewal"]
        passed = [renewal for renewal in later if self.dice.random() < 0.7]
        in_chain = [first, *(held for held in passed if self.dice.random() < 0.7)]
        if self.dice.random() < 0.3:
            in_chain.append(term(bytes(32)))
        registers = {
            (which, key): Holding(number, [0, 1] if which == MEASURE and number % 2 else None)
            for which, key, number in self.draw_registers()
        }
        return Authority(
            neighbourhood=CHARTER,
            charter={name: rule.default for name, rule in CHARTER_RULES.items()},
            chain=Chain(tuple(in_chain), (True,) * len(in_chain)),
            terms={held.id: held for held in [first, *passed]},
            registers=registers,
            outcomes={entry.id: self.draw_outcome() for entry in self.entries},
            renewals={renewal.id: ballot(renewal) for renewal in later},
            members=dict(list(people.items())[: self.dice.choice([0, 3, 3, 3])]),
            people=people,
            devices={person: Device(person, person, person, None, CHARTER) for person in PEOPLE},
            forks={self.dice.choice(PEOPLE): 8} if self.dice.random() < 0.2 else {},
        )

    def draw_registers(self):
        for entry in self.entries:
            yield MEASURE, entry.id, self.dice.randrange(3)
            yield TRIAL, entry.id, self.dice.randrange(3)
            yield HIDDEN, entry.id, self.dice.choice([0, 0, 0, 1, 2])
        for person in PEOPLE:
            yield STANDING, person, self.dice.randrange(3)

    def draw_outcome(self):
        return Outcome(self.dice.random() < 0.5, frozenset(PEOPLE[:2]), frozenset())


VALUES = {
    schema.Choice: lambda dice, field: dice.choice(field.words),
    schema.Person: lambda dice, _: dice.choice(PEOPLE),
    schema.PersonOrName: lambda dice, _: dice.choice(PEOPLE),
    schema.RecordOrText: lambda *_: "x",
    schema.Moment: lambda dice, _: dice.choice(DAYS),
    schema.Integer: lambda dice, field: max(dice.randrange(4), field.min),
    schema.Bytes: lambda _, field: bytes(field.min),
    schema.Text: lambda _, field: "FREQ=WEEKLY" if "RRULE" in field.help else "x",
    Bound: lambda *_: ["share", 60, 99],
    RegisterChange: lambda dice, _: [STANDING, dice.choice(PEOPLE), None, dice.random() < 0.5],
    LogCuts: lambda *_: [],
}


def term(record_id):
    everybody = frozenset(PEOPLE)
    return Term(record_id, None, 1, START, everybody, everybody, 1, 50)


def ballot(renewed):
    nobody = frozenset()
    return Ballot(CHARTER, 1, frozenset(PEOPLE), nobody, nobody, len(PEOPLE), renewed)


def states_of(views):
    """Yields (kind, state) of each view after folding. If a clock may later show the view in
    another state, yields that state too.
    """
    for view in views:
        if isinstance(view, Kind):
            yield view.kind, view.state
            yield view.kind, view.state_at(FAR_AHEAD)


def states_of_vectors():
    """Yields (kind, state) of each record in the threads of the specs."""
    for case in json.loads(VECTORS.read_text()):
        names = {entry["id"]: entry["kind"] for entry in case["entries"]}
        for record, state in case["states"].items():
            if state != "retracted":
                yield names[record], state


def states_of_stories():
    """Yields (kind, state) of each view of an exchange and of a service. Then yields the states of
    an action, as the loop of its measure shows the action.
    """
    story = Story()
    offer = story.says(COUNCIL, "offer", title="A lift")
    response = story.says(OTHER, "response", offer, minutes=30)
    parties = {"giver": COUNCIL, "receiver": OTHER}
    agreement = story.says(COUNCIL, "agreement", response, minutes=30, **parties)
    receipt = story.says(COUNCIL, "receipt", agreement, minutes=30, on=DAYS[0], **parties)
    story.says(OTHER, "confirm", receipt)
    correction = story.says(COUNCIL, "correction", receipt, minutes=20)
    story.says(COUNCIL, "close", correction, as_state="withdrawn")
    yield from states_of(story.fold().views.values())

    story, service, _, link, measure = bins()
    yield from states_of(story.fold().views.values())
    story.says(SUB, "close", link, as_state="declined")
    reports = [story.says(who, "feedback", measure, day=1, value=1) for who in RESIDENTS[:6]]
    story.says(RESIDENTS[1], "same_as", reports[1], day=2, other=reports[0].id)
    for ending in (None, "adopted", "adapted", "dropped", "stopped"):
        fields = {"what": "x", "expect": "y", "starts": "2025-09-01", "ends": "2025-10-26"}
        trial = story.says(OTHER, "trial", service, day=2, measures=[measure.id], **fields)
        story.adopted[TRIAL, trial.id] = Holding(2 if ending else 1, ending)
    action = story.says(CONTRACTOR, "action", measure, day=3, what="A lorry", due="2025-08-10")
    story.says(CONTRACTOR, "done", action, day=4)
    yield from states_of(story.fold().views.values())
    for day, word, seen in ((5, "no", 6), (6, "yes", 12)):
        for who in RESIDENTS[:6]:
            story.says(who, "verdict", action, day=day, fixed=word)
        (matter,) = story.loop(measure, seen).matters
        yield "action", matter.leading.state
    yield from states_of(story.fold().views.values())


def declared_states():
    return {(declared.name, word) for declared in KINDS.values() for word in declared.states}


@pytest.fixture(scope="module")
def by_chance():
    """Counts how often the views of random threads have each state."""
    counts = Counter()
    for number in range(THREADS):
        counts.update(states_of_thread(number))
    return counts


def states_of_thread(number):
    """Yields (kind, state) of the views of one random thread."""
    yield from states_of(RandomThread(number).fold().views.values())


def test_views_of_random_threads_have_only_declared_states(by_chance):
    assert by_chance.total() > THREADS
    assert by_chance.keys() <= declared_states()


@pytest.mark.long
def test_views_of_many_random_threads_have_only_declared_states():
    for number in range(THREADS, MANY):
        assert {*states_of_thread(number)} <= declared_states(), number


def test_views_of_vectors_and_stories_have_only_declared_states():
    assert {*states_of_vectors(), *states_of_stories()} <= declared_states()


def test_every_declared_state_is_reached_by_some_thread_or_by_the_clock(by_chance):
    reached = {*by_chance, *states_of_vectors(), *states_of_stories(), *SHOWN_LATER}

    assert declared_states() - reached == NEVER


def test_sentences_name_only_kinds_and_fields():
    for declared in KINDS.values():
        for state in declared.states:
            named = set(re.findall("`(.*?)`", state.sentence))
            assert named <= {*KINDS, *declared.fields}, declared.name


class Loan(Kind):
    """The part that the loan kinds of these tests share."""

    wording = Words("Loan", happened="{who} lends something")
    example: ClassVar = {}


class Lent(States):
    """The state of a loan."""

    LENT = "lent", "Always."


class Unsaid(States):
    """A state without a sentence that says when a view has it."""

    LENT = "lent", ""


class Silent(Loan):
    """A kind that declares no states."""


class Wordless(Loan):
    """A kind with a state, but without a sentence that says when a view has this state."""

    State = Unsaid


class Elsewhere(Loan):
    """A kind whose views end in a state that the kind does not declare."""

    State = Lent
    deadline = ("until", "over")


@pytest.mark.parametrize(
    ("view_type", "fault"),
    [
        (Silent, "declares no State"),
        (Wordless, "when a view is lent"),
        (Elsewhere, "none of its states"),
    ],
)
def test_a_kind_whose_states_are_not_said_fails_when_it_is_declared(view_type, fault):
    with pytest.raises(ValueError, match=fault):
        kind("loan")(view_type)

    assert "loan" not in KINDS
