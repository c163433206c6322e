"""Says when a record was seen and where it stands, by spec 24."""

from functools import cached_property

HOUR = 3_600_000
OVERLAP = 72 * HOUR


def half(people):
    return -(-len(people) // 2)


class Witnesses:
    """What the witnesses of a street say. `street` is the street of spec 03."""

    def __init__(self, street):
        self.street, self.terms = street, street.chain
        self.lists = [self.list_of(number) for number in range(len(self.terms))]
        # Open and lasting, whether software signed them by itself or not.
        self.acts = [act for act in street.of("witness") if act.audience in {4, 12}]
        self.settle = street.charter.fields.get("settle_hours", 72) * HOUR

    def list_of(self, number):
        """R-24.1."""
        term = self.terms[number]
        named = self.street.act(term.id).fields.get("witnesses") or []
        return term.roll.intersection(named) if number else set()

    def number_of(self, term):
        """Returns the number of a term, or of the last one before it in the chain (R-24.3d)."""
        numbers = {one.id: number for number, one in enumerate(self.terms)}
        while term not in numbers:
            if term not in self.street.passed:
                return None
            term = self.street.act(term).fields["parent"]
        return numbers[term]

    @cached_property
    def seen_renewals(self):
        """For each term, when its witnesses saw the renewal that follows it (R-24.4)."""
        seen = []
        for number, term in enumerate(self.terms[1:]):
            seen.append(None)
            seen[-1] = self.seen_in(number, self.lists[number], term.id, term.time, seen)
        return [*seen, None]

    def start(self, number, seen):
        """R-24.4a."""
        return max([0, *(time or 0 for time in seen[:number])])

    def has_ended(self, number, time, seen):
        """R-24.4."""
        end = seen[number] if number < len(seen) else None
        return end is not None and time > end + OVERLAP

    def counts_in(self, act, number, seen):
        """R-24.3c: in the term that it names and in the earlier ones, back to one that has ended."""
        last = self.number_of(act.fields["term"])
        return (
            last is not None
            and number <= last
            and not any(self.has_ended(one, act.time, seen) for one in range(number, last + 1))
        )

    def seen_in(self, number, left, record, claimed, seen):
        """Returns when half of the people `left` of a list had named a record (R-24.3)."""
        first = {}
        for act in self.acts:
            if record in act.fields["ids"] and self.counts_in(act, number, seen):
                time = max(act.time, claimed, self.start(number, seen))
                for person in self.street.signers(act) & left:
                    first[person] = min(time, first.get(person, time))
        times = sorted(first.values())
        needed = half(left)
        return times[needed - 1] if 0 < needed <= len(times) else None

    def begin(self, number):
        """Returns when half of a list had signed in its term or a later one (R-24.5a)."""
        first = {}
        for act in self.acts:
            at = self.number_of(act.fields["term"])
            if at is not None and at >= number:
                for person in self.street.signers(act) & self.lists[number]:
                    first[person] = min(act.time, first.get(person, act.time))
        times = sorted(first.values())
        return (
            times[half(self.lists[number]) - 1] if times[half(self.lists[number]) - 1 :] else None
        )

    def unwitnessed(self, lefts, claimed):
        """Returns when a record counts as seen because a term leaves nobody (R-24.5)."""
        for number, left in enumerate(lefts):
            if left:
                continue
            start = self.start(number, self.seen_renewals)
            if number and lefts[number - 1] and self.seen_renewals[number - 1] is None:
                start = self.terms[number].time
            later = [one for one in range(number + 1, len(lefts)) if lefts[one]]
            end = self.begin(later[0]) if later else None
            if end is None or claimed < end:
                return max(start, claimed)
        return None

    def times(self, record, claimed, author, parties, now):
        """Returns when a record was seen, whether that is unwitnessed, and where it stands."""
        lefts = [people - {author} - set(parties) for people in self.lists]
        alone = self.unwitnessed(lefts, claimed)
        times = [
            self.seen_in(number, left, record, claimed, self.seen_renewals)
            for number, left in enumerate(lefts)
        ]
        seen = min((time for time in [alone, *times] if time is not None), default=None)
        if seen is None:
            return None, False, claimed if now <= claimed + self.settle else None
        is_late = seen - claimed > self.settle
        return seen, seen == alone, seen if is_late else claimed
