"""Search finds what people wrote, in every field that they can fill in, however they type it."""

from types import SimpleNamespace

import pytest

from meshcoop.dev.specs.kind_vectors import make_example
from meshcoop.fold.fold_version import fold_version
from meshcoop.fold.views import FoldedThread, FoldedView
from protocol.fold.registry import KINDS
from protocol.fold.thread import ViewResult
from protocol.record import codec
from protocol.schema.fields import Many, Map, PersonOrName, RecordOrText, Text
from tests.protocol.test_spelling import FOUND, NOT_FOUND
from tests.support.exchange_story import ADA, Story
from tests.support.street_in_memory import settle, street

# A field with text, by the name of its kind and its own name, and the word that stands in it.
TEXT_FIELDS = [
    (kind.name, name)
    for kind in KINDS.values()
    for name, field in kind.fields.items()
    if field.is_wording and not field.beside
]


def filled(field, word):
    """Returns a value of a field, in which every text is `word`."""
    if isinstance(field, Map):
        return {word: filled(field.of, word)}
    if isinstance(field, Many):
        return [filled(field.of, word)]
    if isinstance(field, Text | PersonOrName | RecordOrText):
        return word
    return make_example(word, field)


def view_with(kind, name, word):
    """Returns the view of a record whose field `name` has a word. If the record counts only as an
    answer to another record, returns its draft.
    """
    story = Story()
    fields = {**kind.view_type.example, name: filled(kind.fields[name], word)}
    entry = story.says(ADA, kind.name, **fields)
    return story.view(entry) or kind.draft(entry)


@pytest.fixture(scope="module")
def index():
    """The views of a home, in which tests put one view at a time."""
    with street() as (ada, _):

        def finds(view, words):
            with ada.store.transaction():
                result = ViewResult(codec.pack(vars(view)), tuple(view.texts()))
                ada.state.views.replace({1: FoldedThread({10_000: FoldedView(view, result)})})
                hits = ada.state.views.search(words)
                ada.state.views.replace({1: FoldedThread()})
            return 10_000 in hits

        yield SimpleNamespace(finds=finds)


@pytest.mark.parametrize(("kind_name", "name"), TEXT_FIELDS)
def test_search_finds_the_text_of_every_field_and_no_private_text(index, kind_name, name):
    kind = KINDS[kind_name]
    view = view_with(kind, name, "quincunx")

    assert index.finds(view, "QUINC") != kind.fields[name].private


def test_every_field_with_free_words_says_which_texts_people_wrote():
    for kind in KINDS.values():
        for name, field in kind.fields.items():
            texts = list(field.texts(filled(field, "quincunx")))
            assert ("quincunx" in texts) == field.is_wording, (kind.name, name)


@pytest.mark.parametrize(
    ("text", "typed"), [(text, typed) for text, many in FOUND.items() for typed in many]
)
def test_the_search_table_finds_a_text_as_people_type_it(index, text, typed):
    assert index.finds(view_with(KINDS["offer"], "title", text), typed)


@pytest.mark.parametrize(
    ("text", "typed"), [(text, typed) for text, many in NOT_FOUND.items() for typed in many]
)
def test_the_search_table_finds_no_other_text(index, text, typed):
    assert not index.finds(view_with(KINDS["offer"], "title", text), typed)


def test_a_role_is_found_by_its_name():
    with street() as (ada, ben):
        activity = ada.post("activity", title="Feast", starts="2026-12-24", roles={"Köchin": 2})
        settle(ada, ben)

        for home in (ada, ben):
            assert home.ids_found("koch") == [activity.id]


def test_every_text_that_stands_on_a_page_is_found():
    with street() as (ada, ben):
        page = ada.post("page", title="The shed", text="a rusty lock")
        settle(ada, ben)
        ada.post("revision", page, text="a brass padlock")
        ben.post("revision", page, text="a wooden bolt")
        settle(ada, ben)

        for words in ("brass", "bolt"):
            assert page.id in ada.ids_found(words)
        assert ada.state.views.search("rusty") == []


def test_removing_a_view_leaves_none_of_its_terms():
    with street() as (ada, _):
        words = " ".join(FOUND)
        offer = ada.post("offer", title="x", text=words)
        ada.post("retract", offer)

        ada.store.db.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search, row)")
        terms = [row[0] for row in ada.store.db.execute("SELECT term FROM temp.terms")]
        assert not {"lodz", "修理", "🔧"}.intersection(terms)


def test_a_home_folds_again_under_another_version_of_unicode(monkeypatch):
    before = fold_version.__wrapped__()
    monkeypatch.setattr("meshcoop.fold.fold_version.unidata_version", "99.0.0")

    assert fold_version.__wrapped__() != before
