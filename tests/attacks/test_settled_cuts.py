"""What a settled cut lets go of: an expelled person fills no store, whatever they go on writing."""

from meshcoop.author.founding import Identity
from tests.support.council import by_software, council, propose, renew, vote
from tests.support.street_in_memory import HOUR, exchange, settle, street

DAY = 24 * HOUR


def expel(pat, *council_homes):
    """Two of three moderators remove Pat, with the cuts that they know of."""
    for home in council_homes[:2]:
        home.post("remove", person=pat.me.person.hex())
    settle(*council_homes)


def write_down(*others):
    """A renewal writes the cut down, and two thirds accept it."""
    renewal = renew(others[0].author)
    settle(*others)
    vote(renewal, others[1:], others)
    by_software(*others)
    assert all(home.state.authority.chain.is_settled for home in others)


def numbers(home, device):
    return [one.header.seq for one in home.store.records.of_log(device, 1, 10_000)]


def let_settle(*homes):
    """Gives everything to everybody until it rests, also what a store has let go of before."""
    seen = {}
    for _ in range(3):
        for home in homes:
            seen |= dict.fromkeys(home.wires())
        for home in homes:
            home.feed(seen)
    settle(*homes)


def test_vector_27_of_trust_only_what_another_names_and_votes_stay_beyond_a_settled_cut():
    """Attacker: an expelled member. Asset: everybody's disk (R-03.35)."""
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, pat = homes
        rule = propose(ada, "charter answer_days=5")
        settle(*homes)
        cut = pat.head.seq
        *_, receipt, confirm = exchange(ben, pat)  # Ada and Cho do not have it yet
        lonely = pat.post("offer", title="nobody names this")
        voted = pat.post("vote", rule, choice="no")
        expel(pat, ada, cho)
        settle(*homes)
        write_down(ada, ben, cho)
        let_settle(*homes)
        kept = {one.header.seq for one in (receipt, confirm) if one.header.device == pat.me.device}
        for home in (ada, ben, cho):
            beyond = {number for number in numbers(home, pat.me.device) if number > cut}
            assert voted.header.seq in beyond
            assert kept <= beyond
            assert lonely.header.seq not in beyond
            assert home.view(receipt).state == "confirmed"
        before = ada.ids()

        back = propose(ada, f"restore {pat.me.person.hex()}")
        settle(ada, ben, cho)
        vote(back, [ada, ben, cho], [ada, ben, cho])
        let_settle(*homes)
        assert pat.me.person in ada.state.authority.members
        assert not ada.store.records.has(lonely.id)
        assert set(before) <= set(ada.ids())
        assert ada.ids() == ben.ids() == cho.ids()


def test_nothing_of_an_expelled_persons_new_device_is_stored():
    """Attacker: an expelled member with their root key. Asset: everybody's disk (R-03.35c)."""
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, pat = homes
        expel(pat, ada, ben, cho)
        write_down(ada, ben, cho)
        for _ in range(3):
            extra = Identity.of(pat.me.root_seed, pat.street.dice.randbytes, pat.street.place)
            phone = pat.street.home(pat, extra)
            phone.feed(ada.wires())
            first = phone.forge("device", statement=extra.statement)
            second = phone.forge("device", seq=2, prev=first.id, statement=pat.me.statement)
            taken = ada.take(first, second)
            assert taken.stored == []
            assert ada.store.logs.find(extra.device) is None


def test_what_an_expelled_person_goes_on_writing_is_let_go_by_every_home():
    """Attacker: an expelled member. Asset: everybody's disk (R-03.35)."""
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, pat = homes
        away = pat.street.home(pat, *pat.who)
        away.feed(pat.wires())
        for n in range(30):
            away.put(away.forge("offer", title=f"spam {n}"))
        expel(pat, ada, ben, cho)
        settle(ada, ben, cho, away)
        known = len(numbers(ada, pat.me.device))
        write_down(ada, ben, cho)
        for home in (ada, ben, cho):
            home.feed(away.wires())
            assert len(numbers(home, pat.me.device)) == known - 30
        late = ada.street.home(ada, *ada.who)
        late.feed(away.wires())
        late.feed(ada.wires())
        settle(late, ada)
        assert late.ids() == ada.ids()
        assert late.state_hash() == ada.state_hash()


def test_until_a_term_is_settled_a_day_takes_one_quota_of_an_expelled_person():
    """Attacker: an expelled member who claims past days. Asset: everybody's disk (R-03.35d)."""
    with street(homes=4, quota_records=30) as homes:
        council(*homes)
        ada, ben, cho, pat = homes
        pat.street.clock += 50 * DAY
        away = pat.street.home(pat, *pat.who)
        away.feed(pat.wires())
        start = away.head.time
        for n in range(120):  # thirty a day
            away.put(away.forge("offer", title="spam", time=start + n * DAY // 30))
        expel(pat, ada, ben, cho)
        before = len(numbers(ada, pat.me.device))
        ada.feed(away.wires())
        assert len(numbers(ada, pat.me.device)) == before + 30
        ada.feed(away.wires())
        assert len(numbers(ada, pat.me.device)) == before + 30
        assert not ada.view(away.records()[-1])

        ada.street.clock += DAY
        assert ada.inbox.has_awaited()
        ada.inbox.ingest([])
        assert len(numbers(ada, pat.me.device)) == before + 60
        wanted = ben.post("offer", title="bread")
        ada.feed([*away.wires(), *ben.wires()])
        assert ada.view(wanted)
