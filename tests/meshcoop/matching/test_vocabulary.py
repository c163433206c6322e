"""The vocabulary decides which texts fit each other. The tests compare its decisions with the
judgement of people.
"""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshcoop.matching.topics import read_topics
from meshcoop.matching.vocabulary import Vocabulary
from tests.support.labelled_pairs import PAIRS, UNSEEN

VOCABULARY = Vocabulary()


def keys(text, vocabulary=VOCABULARY, **more):
    return set(read_topics(text, vocabulary, **more).written)


def judged(pairs):
    """Returns the precision and the recall of the vocabulary on these pairs of texts. Also returns
    the pairs on which people and the vocabulary disagree.
    """
    found, wrong = [], []
    for lang, text, listed, fits in pairs:
        listed_keys = {key for one in listed for key in keys(one)}
        fit = bool(keys(text, lang=lang) & listed_keys)
        found.append((fit, fits))
        if fit != fits:
            wrong.append((text, listed))
    right = found.count((True, True))
    precision = right / (right + found.count((True, False)))
    return precision, right / (right + found.count((False, True))), wrong


@pytest.mark.parametrize(
    ("name", "pairs", "precision", "recall"),
    [("seen", PAIRS, 0.95, 0.95), ("unseen", UNSEEN, 0.85, 0.7)],
)
def test_what_fits_is_what_people_say_fits(name, pairs, precision, recall):
    precise, recalled, wrong = judged(pairs)
    print(f"{name}: precision {precise:.3f}, recall {recalled:.3f} of {len(pairs)} pairs; {wrong}")  # noqa: T201 -- with -s
    assert precise >= precision, wrong
    assert recalled >= recall, wrong


def test_case_accents_and_endings_do_not_matter():
    assert keys("HEMMING") == keys("hem") == keys("hems") == {"sewing"}
    assert keys("jardineria") == keys("Jardinería") == {"gardening"}
    assert keys("Yorùbá") == keys("yoruba") == {"speaks:yo"}


def test_a_language_is_meant_where_one_speaks_it():
    assert "speaks:fr" in keys("French conversation", lang="en")
    assert "speaks:fr" not in keys("French toast for breakfast", lang="en")
    assert keys("French, Somali") == {"speaks:fr", "speaks:so"}


def test_what_changes_hands_asks_for_nobodys_time():
    assert "gardening" not in keys("Garden furniture to give away", lang="en")
    assert keys("A ladder to lend", lang="en") & keys("a ladder")


def test_days_are_read_in_every_language():
    assert read_topics("Thursdays", VOCABULARY).days == {3}
    assert read_topics("el jueves", VOCABULARY, lang="es").days == {3}
    assert read_topics("Donnerstag und Freitag", VOCABULARY, lang="de").days == {3, 4}


def test_words_that_mean_the_same_are_joined_in_any_order():
    same = [["okada", "boda boda"], ["lift", "okada"], ["kaftan", "gandoura"]]
    for order in permutations(same):
        vocabulary = Vocabulary(order)
        assert "driving" in keys("boda boda", vocabulary)
        assert keys("kaftan", vocabulary) & keys("gandoura", vocabulary)
        assert not keys("kaftan", vocabulary) & keys("okada", vocabulary)
    assert "driving" not in keys("okada")


def test_of_a_very_long_text_the_beginning_is_read():
    assert keys("mow the lawn " + "the " * 3000) == {"gardening"}
    assert keys("mow the lawn " + "x" * 2000) == {"gardening"}


@given(st.text(max_size=80), st.sampled_from([None, "en", "ar", "xx", "pt-BR", ""]))
def test_any_text_is_read(text, lang):
    assert read_topics(text, VOCABULARY, lang=lang) == read_topics(text, VOCABULARY, lang=lang)


@given(st.lists(st.lists(st.text(max_size=20), max_size=4), max_size=4), st.integers())
def test_any_words_are_learnt_whatever_their_order(same, seed):
    other = random.Random(seed).sample(same, len(same))
    for one in (word for group in same for word in group):
        assert keys(one, Vocabulary(same)) == keys(one, Vocabulary(other))
