"""A home folds authority only if a record has come from which authority is folded."""

import pytest
import trio

from meshcoop.author.folding import fold_in_steps
from meshcoop.author.key_giving import give_by_record
from protocol.authority import authority
from protocol.authority.record_index import KEY_KINDS, AuthorityIndex
from protocol.kinds.neighbourhood import GivenKeys
from tests.support.council import council
from tests.support.street_in_memory import by_id, settle, street
from tests.support.work import most_in_one_step


@pytest.fixture
def folds(monkeypatch):
    """The authorities that were folded in this test."""
    folded = []
    fold_authority = authority.fold_authority

    def note(*arguments):
        folded.append(fold_authority(*arguments))
        return folded[-1]

    monkeypatch.setattr(authority, "fold_authority", note)
    return folded


@pytest.fixture
def asked_kinds(monkeypatch):
    """The kinds of records that were looked for in an index in this test."""
    kinds = set()

    def watch(name):
        method = getattr(AuthorityIndex, name)

        def note(index, *arguments):
            kinds.update(argument for argument in arguments if isinstance(argument, str))
            return method(index, *arguments)

        monkeypatch.setattr(AuthorityIndex, name, note)

    for name in ("of_kinds", "with_subject", "subjects"):
        watch(name)
    return kinds


def test_records_of_keys_fold_no_authority(folds):
    with street() as (ada, ben):
        folds.clear()
        give_by_record(ada.author, ben.me.device, ada.state.ring.all())
        ada.put(ada.forge("want_keys", lacks=bytes(32)))

        assert len(ada.state.authority_fold.records_of(GivenKeys)) == 2
        assert not folds


def test_authority_looks_for_no_records_of_keys(folds, asked_kinds):
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        for moderator in (ada, ben):
            moderator.post("remove", person=dan.me.person.hex())
        settle(ada, ben, cho)
        charter = next(iter(ada.state.authority_fold._index.of_kinds("charter")))
        asked_kinds.clear()
        again = authority.fold_authority(charter, ada.state.authority_fold._index, {})

        assert again == ada.state.authority
        assert asked_kinds
        assert not asked_kinds & KEY_KINDS


async def test_a_removal_folds_authority_once_and_stores_its_words_in_a_step_of_their_own(folds):
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        ada.post("remove", person=dan.me.person.hex())
        settle(ada, ben, cho)
        folds.clear()
        posting = ben.author.posting(
            "remove", {"person": dan.me.person.hex(), "why": "a flood"}, resolve=by_id
        )
        before = ben.store.records.count()
        with most_in_one_step(ben.store.records.count) as stored:
            await fold_in_steps(ben.state, posting)
            await trio.lowlevel.checkpoint()

        assert dan.me.person not in ben.state.authority.members
        assert len(folds) == 1
        assert ben.store.records.count() - before == 3  # with a new group key, and the words
        assert stored.count == 2
