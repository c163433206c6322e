import random
import string
import unicodedata

import pytest
from confusable_homoglyphs.confusables import confusables_data
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.spelling import (
    are_alike,
    fold_text,
    name_keys,
    query_terms,
    search_terms,
    split_words,
)

pytestmark = pytest.mark.quick

FOUND = {  # what somebody wrote → what others type to find it
    "Łódź": ["lodz", "ŁÓDŹ", "łódź", "lód"],
    "Straße": ["Strasse", "STRASSE", "straße", "STRAẞE"],
    "Μαθήματα χορού": ["ΜΑΘΗΜΑΤΑ", "μαθηματα χορου", "Μαθήματα"],
    "ΜΑΘΗΜΑΤΑ": ["μαθήματα"],
    "Όμηρος": ["ΟΜΗΡΟΣ", "ομηροσ"],
    "自転車修理できます": ["修理", "自転車", "車", "す", "修理でき", "自転車修理できます"],
    "중고 자전거수리": ["수리", "자전거", "거"],
    "ซ่อมจักรยาน": ["จักรยาน", "ซ่อม"],
    "カフェ": ["ｶﾌｪ", "フェ"],
    "がんばる会": ["がん", "会"],
    "C++ and Rust": ["C++", "c++", "rust", "c"],
    "C# for beginners": ["C#", "c# beg"],
    "🔧 tools and a ❤️": ["🔧", "❤", "❤️", "tools 🔧"],
    "👩🏽‍🔧 fixes it": ["👩", "👩🏽‍🔧", "🔧", "👩‍🔧"],
    "Cours de 🇫🇷": ["🇫🇷"],
    "Jörg bäckt Brötchen": ["Joerg", "jorg", "baeckt", "Broetchen", "brotch"],
    "Smørrebrød på Åsgård": ["smorrebrod", "smoerrebroed", "pa asgard", "Aasgaard"],
    "Þórður": ["thordur"],
    "Đà Nẵng": ["da nang", "Da"],
    "IŞIK ışık İstanbul": ["isik", "ışık", "istanbul", "İSTANBUL"],
    "Ёлка": ["елка", "ЁЛКА"],
    "O’Brien": ["O'Brien", "brien", "o’brien"],
    "مدرسة كبيرة": ["مدرسة", "کبيرة", "مَدرَسة"],
    "می\u200cخواهم": ["میخواهم"],
    "הַמְלָצָה": ["המלצה"],
    "हिन्दी की किताब": ["हिन्दी", "किताब", "हि"],
    "room ٣": ["room 3"],
    "Ｆｕｌｌ ｗｉｄｔｈ": ["full width"],
    "ﬁling cabinet": ["filing"],
    "lad\u200bder and lad\u00adder": ["ladder"],
    "a_snake and a-kebab": ["snake", "a-kebab", "kebab"],
    "3 € an hour": ["€", "3 €"],
    "\U00020bb7野家": ["\U00020bb7野", "野家"],
}
NOT_FOUND = {
    "C": ["C++", "C#"],
    "Clean the chimney": ["C++", "C#", "c+"],
    "C# for beginners": ["C++"],
    "ばら": ["はら", "がら"],
    "修 and 理": ["修理"],
    "理修": ["修理"],
    "🔧": ["🔨", "👩🏽‍🔧"],
    "🇫🇷": ["🇩🇪"],
    "कमल": ["कमला"],
    "bread": ["tea", "bread tea", "breads"],
}


def finds(text, typed):
    """Does with two lists of terms what the search table does."""
    terms = search_terms(text)
    groups = query_terms(typed)
    return bool(groups) and all(_has_group(terms, group) for group in groups)


def _has_group(terms, group):
    *first, last = group
    return any(
        tuple(terms[start : start + len(first)]) == tuple(first)
        and terms[start + len(first)].startswith(last)
        for start in range(len(terms) - len(first))
    )


@pytest.mark.parametrize(
    ("text", "typed"), [(text, typed) for text, many in FOUND.items() for typed in many]
)
def test_search_finds_a_text_as_people_type_it(text, typed):
    assert finds(text, typed)
    for form in ("NFC", "NFD"):
        assert finds(unicodedata.normalize(form, text), typed)
        assert finds(text, unicodedata.normalize(form, typed))


@pytest.mark.parametrize(
    ("text", "typed"), [(text, typed) for text, many in NOT_FOUND.items() for typed in many]
)
def test_search_finds_no_other_text(text, typed):
    assert not finds(text, typed)


@given(st.text(max_size=40))
@example("ǰ")
@example("ᾳ ΐ ŉ ẛ ﬅ ß ẞ ϔ ℡ ㎏")
def test_folding_a_text_again_changes_nothing(text):
    folded = fold_text(text)
    assert fold_text(folded) == folded
    for form in ("NFC", "NFD"):
        assert fold_text(unicodedata.normalize(form, text)) == folded


@given(
    st.text(
        # The line that joins Arabic letters is no word by itself.
        st.characters(categories=["L", "N", "So"], exclude_characters="\u0640"),
        min_size=1,
        max_size=12,
    )
)
def test_every_word_finds_itself_in_capitals_and_in_small_letters(word):
    for typed in (word, word.upper(), word.lower(), word.casefold()):
        assert finds(f"the {word} here", typed)


@given(st.text(max_size=60))
def test_a_term_has_no_space_and_no_quotation_mark(text):
    for terms in (search_terms(text), *query_terms(text)):
        assert all(terms)
        assert not set('" \t\n\0').intersection("".join(terms))


def test_every_beginning_of_every_run_without_spaces_is_found():
    dice = random.Random(7)
    for _ in range(200):
        run = "".join(dice.choice("自転車修理教室の") for _ in range(dice.randrange(1, 9)))
        start = dice.randrange(len(run))
        end = dice.randrange(start, len(run)) + 1
        assert finds(f"diy{run}!", run[start:end])


def test_words_of_matching_are_folded_as_search_folds_them():
    for text in ("Łódź", "Straße", "Μαθήματα", "Jörg"):
        (word,) = split_words(text)
        assert word.plain in search_terms(text)


ALIKE = [
    ("Zoë", "zoe"),
    ("Dee", "Dee "),
    ("Dee", "D\u200bee"),
    ("Anne-Marie", "Anne  Marie"),
    ("O’Brien", "o'brien"),
    ("Jörg", "Joerg"),
    ("Jörg", "Jorg"),
    ("Łukasz", "LUKASZ"),
    ("Émile", unicodedata.normalize("NFD", "émile")),
    ("Ada", "Аda"),  # the first letter is Cyrillic
    ("Том", "Tom"),
    ("Ada", "𝐀𝐝𝐚"),
    ("Ada", "Ａｄａ"),
    ("Ben.", "Ben"),
    ("…", "..."),
    ("Ian", "|an"),
    ("Bob", "B0b"),
    ("Ada", "Ꭺda"),  # Cherokee
    ("Ada", "ᗅda"),  # Canadian syllabics
    ("Sosa", "ՏօՏa"),  # Armenian
    ("Oleg", "𐐄leg"),  # Deseret
    ("Ada", "ꓮda"),  # Lisu
    ("Pep", "Рер"),
    ("Ната", "Hata"),
]


ALIKE_AS_WRITTEN = [  # in capitals, or typed, these are other names
    ("Ian", "lan"),
    ("IVAN", "lVAN"),
    ("Ben", "Ben (3f2a91b0)"),
    ("Ben", "Ben [3f2a91b0]"),
    ("Ben", "Ben （outside）"),
    ("Ben", "Вen ❨3f2a91bO❩"),
    ("Mona", "rnona"),
]


@pytest.mark.parametrize(("name", "other"), [*ALIKE, *ALIKE_AS_WRITTEN])
def test_names_that_people_take_for_one_have_a_key_in_common(name, other):
    assert name_keys(name) & name_keys(other)


def test_a_name_has_a_key_in_common_with_itself_in_letters_that_look_the_same():
    dice = random.Random(26)
    likenesses = {
        sign: [other["c"].strip("\u200e") for other in confusables_data.get(sign, ())]
        for sign in string.ascii_letters
    }
    for _ in range(500):
        name = "".join(dice.choice(string.ascii_letters) for _ in range(dice.randint(1, 8)))
        other = "".join(dice.choice([letter, *likenesses[letter]]) for letter in name)

        assert are_alike(name, other), (name, other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Ben", "Bea"),
        ("Ian", "Lan"),
        ("はら", "ばら"),
        ("Ada", "Ada 2"),
        ("🐙", "🐠"),
        ("…", "!"),
        ("Ada", "…"),
    ],
)
def test_other_names_have_not(name, other):
    assert not name_keys(name) & name_keys(other)
