"""People are named, compared, told apart and sorted in one way (R-12.7)."""

import ast
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest

from meshcoop.api.balances import Balances
from meshcoop.api.name_order import NameOrder
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Resolver
from meshcoop.cli.person_name import format_person
from meshcoop.cli.plain_text import format_balances
from meshcoop.errors import Mistake
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import COMMON_POT
from protocol.fold.registry import KINDS
from protocol.schema.fields import PersonName
from tests.protocol.test_spelling import ALIKE, ALIKE_AS_WRITTEN
from tests.support.paths import ROOT
from tests.support.street_in_memory import settle, street
from tests.support.work import count_calls

READ = {  # what a person types → the name that software writes
    "Dee ": "Dee",
    "  Anne \t Marie\n": "Anne Marie",
    "Ben\u00a0Ali": "Ben Ali",
    unicodedata.normalize("NFD", "Zoë"): "Zoë",
    "李小龙": "李小龙",
    "زهرا می\u200cنا": "زهرا می\u200cنا",
    "👩‍🔧 Ada": "👩‍🔧 Ada",
    "O’Brien": "O’Brien",
    "Decade": "Decade",  # hexadecimal digits, but too few for an id
}
UNREAD = [
    *("", "   ", "\u200b", "\ufe0f", "\u3164", "\u2800", "\u0301", "\u00ad"),
    *("D\u200bee", "Ada\u202e", "\ufeffAda", "Ad\u00ada", "A\x1b[2Jda", "Ada\ud800"),
    *("@Ben", " @Ben", "deadbeef", "DEADBEEF", "a" * 64, "x" * 81),
]


def read(name):
    rule = KINDS["profile"].fields["name"]
    value = rule.read("name", name, None)
    rule.check("name", value)
    return value


@pytest.mark.parametrize(("typed", "name"), READ.items())
def test_a_name_is_written_on_one_line_without_spaces_around_it(typed, name):
    assert read(typed) == name
    assert read(name) == name


@pytest.mark.parametrize("typed", UNREAD)
def test_a_name_that_nobody_can_see_or_that_stands_for_a_member_is_refused(typed):
    with pytest.raises(Refused, match=r"R-10\.3"):
        read(typed)


def test_every_field_for_the_name_of_a_person_reads_names():
    # Fields called `name` are names of people, of circles and of the neighbourhood.
    fields = [kind.fields["name"] for kind in KINDS.values() if "name" in kind.fields]

    assert {field.read("name", " a\u0308  b ", None) for field in fields} == {"ä b"}
    assert isinstance(KINDS["profile"].fields["name"], PersonName)


@pytest.fixture
def lane():
    """Makes three homes that hold each other's records."""
    with street(homes=3) as homes:
        yield homes


def rename(homes, *names):
    """Gives each person a name, in any form, as foreign software might."""
    for home, name in zip(homes, names, strict=True):
        with suppress(AlreadySo):
            home.write("profile", name=name)
    settle(*homes)


def presenter_of(home):
    return Presenter(home.state, home.now)


def resolver_of(home):
    return Resolver(home.state, presenter_of(home))


@pytest.mark.parametrize(("name", "typed"), ALIKE)
def test_a_person_is_named_however_the_name_was_written_and_typed(lane, name, typed):
    ada, ben, _ = lane
    rename(lane, "Wim", name, "Cho")

    for text in (
        typed,
        f" {typed} ",
        f"@{typed}",
        typed.upper(),
        f"{typed} ({ben.me.person.hex()[:8]})",
    ):
        assert resolver_of(ada).resolve("person", text) == ben.me.person


def test_two_people_with_one_name_are_named_by_the_start_of_the_id(lane):
    ada, ben, cho = lane
    rename(lane, "Ada", "Ben", "ben ")

    with pytest.raises(Mistake) as raised:
        resolver_of(ada).resolve("person", "Ben")
    for home in (ben, cho):
        digits = home.me.person.hex()[:8]
        assert digits in str(raised.value)
        for typed in (digits, digits.upper(), f"@{digits}", f"Ben ({digits})"):
            assert resolver_of(ada).resolve("person", typed) == home.me.person


def test_nobody_takes_the_id_of_another_person_as_a_name(lane):
    ada, _, cho = lane
    for taken in (cho.me.person.hex(), cho.me.person.hex()[:8]):
        rename(lane, "Ada", taken, "Cho")
        assert resolver_of(ada).resolve("person", taken) == cho.me.person


def test_a_member_who_takes_the_name_of_an_outsider_provides_nothing(lane):
    ada, _, cho = lane
    rename(lane, "Ada", "Ben", "Council")
    provider = KINDS["service"].fields["provider"]

    def read_provider(typed):
        return provider.read("provider", typed, resolver_of(ada).resolve)

    for typed in ("Council", "council ", "COUNCIL", "the  council".replace("the  ", "")):
        with pytest.raises(Refused, match=r"R-10\.3e"):
            read_provider(typed)
    assert read_provider("The council ") == "The council"
    for typed in ("@council", cho.me.person.hex(), cho.me.person.hex()[:8]):
        assert read_provider(typed) == cho.me.person


def test_an_outsider_with_the_name_of_a_member_is_marked(lane):
    ada, *_ = lane
    service = ada.post("service", title="Bins", provider="Council")
    assert presenter_of(ada).show_view(ada.view(service))["provider"] == {
        "id": None,
        "name": "Council",
    }

    rename(lane, "Ada", "Ben", "council")

    provider = presenter_of(ada).show_view(ada.view(service))["provider"]
    assert format_person(provider) == "Council (outside)"


@pytest.mark.parametrize(("name", "other"), [*ALIKE, *ALIKE_AS_WRITTEN])
def test_people_whose_names_are_alike_are_marked_and_others_are_not(lane, name, other):
    ada, ben, cho = lane
    rename(lane, "Wim", name, other)
    presenter = presenter_of(ada)

    assert "mark" not in presenter.show_person(ada.me.person)
    for home in (ben, cho):
        shown = presenter.show_person(home.me.person)
        assert shown["mark"] == home.me.person.hex()[:8]
        assert format_person(shown, 20).endswith(f"({shown['mark']})")
        assert presenter.name_person(home.me.person).endswith(f"({shown['mark']})")


@pytest.mark.parametrize("name", ["{id}", "@Wim"])
def test_a_name_that_stands_for_another_person_is_marked_where_foreign_software_signed_it(
    lane, name
):
    ada, ben, _cho = lane
    rename(lane, "Wim", name.format(id=ada.me.person.hex()[:8]), "Cho")

    mark = ben.me.person.hex()[:8]
    assert presenter_of(ada).name_person(ben.me.person).endswith(f"({mark})")


def test_a_newcomer_with_the_name_of_a_member_is_marked(lane):
    ada, *_ = lane
    rename(lane, "Wim", "Ben", "Cho")
    presenter = presenter_of(ada)

    assert presenter.show_named("BEN", b"n" * 32)["mark"] == (b"n" * 32).hex()[:8]
    assert "mark" not in presenter.show_named("Dan", b"n" * 32)


def test_the_common_pot_is_nobody(lane):
    ada, ben, _ = lane
    rename(lane, "Ada", "The Common Pot", "Cho")

    assert resolver_of(ada).resolve("person", "the common pot") == ben.me.person
    assert presenter_of(ada).show_person(ben.me.person)["mark"]
    assert presenter_of(ada).show_person(COMMON_POT)["mark"]


def test_a_name_that_nobody_can_see_is_no_name(lane):
    ada, ben, _ = lane
    rename(lane, "Ada", " ", "Cho")

    assert presenter_of(ada).show_person(ben.me.person)["name"] == ben.me.person.hex()[:8]


def test_lists_of_people_are_sorted_by_name(lane):
    ada, ben, _ = lane
    rename(lane, "Zoë", "Émile", "ada")
    presenter = presenter_of(ada)

    assert [person["name"] for person in presenter.list_people()] == ["ada", "Émile", "Zoë"]
    balances = Balances(ada.state, presenter).list_balances()
    assert [row["person"]["name"] for row in balances] == ["ada", "Émile", "Zoë"]
    rename(lane, "Ben", "Ben", "ada")
    lines = format_balances(Balances(ada.state, presenter_of(ada)).list_balances()).splitlines()
    assert {line.split()[1] for line in lines[2:]} == {
        f"({home.me.person.hex()[:8]})" for home in (ada, ben)
    }


def test_people_are_sorted_by_the_alphabet_of_the_charter():
    with street(homes=2, lang="sv") as homes:
        rename(homes, "Åsa", "Zoë")

        people = presenter_of(homes[0]).list_people()
        assert [person["name"] for person in people] == ["Zoë", "Åsa"]


# Names as the collation of ICU 78.2 sorts them, in each language that has letters of its own.
SORTED = {
    "az": "Ana, Cyril, Czesław, Émile, Ğani, Xenia, Işıl, Llewellyn, Lucy, Nina, Nyx, Örjan, Şule, Uwe, Ülo, Ümit, Wim",
    "bs": "Ana, Cyril, Čeněk, Ćiro, Džemal, Đạt, Đorđe, Émile, Lucy, Nina, Njord, Štěpán, Žofie",
    "cs": "Ana, Cyril, Čeněk, Džemal, Émile, Charlotte, Lucy, Nina, Řehoř, Štěpán, Žofie",
    "cy": "Ana, Cyril, Charlotte, Dung, Émile, Ngaio, Lucy, Llewellyn, Nina, Rhys, Thor",
    "da": "Ana, Cyril, Émile, Lucy, Nina, Ærø, Ødegård, Åsa",
    "eo": "Ana, Cyril, Émile, Lucy, Nina",
    "es": "Ana, Cyril, Émile, Lucy, Nina, Ñandú",
    "et": "Ana, Czesław, Cyril, Dzsenifer, Džemal, Émile, Lázár, Lucy, Łukasz, Nina, Szilvia, Štěpán, Zdeněk, Zenon, Zsófia, Žofie, Õie, Ägir, Örjan, Ülo, Ümit",
    "fi": "Ana, Cyril, Émile, Lucy, Nina, Þóra, Åsa, Ägir, Ødegård, Örjan",
    "fil": "Ana, Cyril, Dung, Émile, Lucy, Nina, Ñandú, Ngaio",
    "fo": "Ana, Cyril, Émile, Lucy, Nina, Ærø, Ødegård, Åsa",
    "gl": "Ana, Cyril, Émile, Lucy, Nina, Ñandú",
    "hr": "Ana, Cyril, Čeněk, Ćiro, Džemal, Đạt, Đorđe, Émile, Lucy, Nina, Njord, Štěpán, Žofie",
    "hu": "Ana, Cyril, Csaba, Dzsenifer, Émile, Gyula, Llewellyn, Lucy, Łukasz, Lynn, Nina, Nyx, Örjan, Szilvia, Tyra, Ülo, Ümit, Zsófia",
    "is": "Ana, Cyril, Ðóra, Émile, Lázár, Lucy, Ñandú, Nina, Óscar, Ósk, Štěpán, Tamás, Úc, Ýr, Ývar, Zsófia, Þóra, Ærø, Ødegård, Örjan, Åsa",
    "lt": "Ana, Cyril, Čeněk, Džemal, Émile, Lucy, Nina, Štěpán, Žofie",
    "lv": "Ana, Cyril, Čeněk, Džemal, Émile, Ērika, Gyula, Ģirts, Yr, Yvonne, Jānis, Ķirsis, Lynn, Llewellyn, Lucy, Nina, Nyx, Rhys, Štěpán, Tyra, Žofie",
    "nb": "Ana, Cyril, Émile, Lucy, Nina, Ærø, Ødegård, Åsa",
    "nn": "Ana, Cyril, Émile, Lucy, Nina, Ærø, Ødegård, Åsa",
    "no": "Ana, Cyril, Émile, Lucy, Nina, Ærø, Ødegård, Åsa",
    "pl": "Ana, Cyril, Czesław, Ćiro, Ðóra, Émile, Ęwa, Lucy, Łukasz, Nina, Óscar, Ósk, Zsófia, Źrebak, Żaneta, Þóra",
    "ro": "Ana, ăn, Ăna, Âna, Ânia, Cyril, Émile, Lucy, Nina, Șerban",
    "sk": "Ana, Ägir, Cyril, Čeněk, Džemal, Émile, Charlotte, Lucy, Nina, Ôi, Řehoř, Štěpán, Žofie",
    "sl": "Ana, Cyril, Čeněk, Ćiro, Džemal, Đạt, Đorđe, Émile, Lucy, Nina, Štěpán, Žofie",
    "sq": "Ana, Cyril, Émile, Lucy, Llewellyn, Nina, Njord, Thor, Zoe, Zoë",
    "sv": "Ana, Cyril, Émile, Lucy, Nina, Åsa, Ägir, Ødegård, Örjan",
    "tr": "Ana, Cyril, Émile, Ğani, Işıl, Lucy, Nina, Örjan, Şule, Ülo, Ümit",
    "vi": "Ana, ăn, Ăna, Âna, Ânia, Cyril, Đạt, Đorđe, Émile, Lucy, Nina, Ôi, Ơi, Ước",
    "de": "Ana, Cyril, Émile, Lucy, Nina, Ới, Ада, Галина, Ґанна, Дарья, Ђорђе, Елена, Ёлка, Єва, Жанна, Игорь, Іван, Їжак, Йосип, Лариса, Љубица, Николай, Њего, Тамара, Ћира, Ўладзь, Ульяна, Чарна, Џон, Яна",
    "ru": "Ада, Галина, Ґанна, Дарья, Ђорђе, Елена, Ёлка, Єва, Жанна, Игорь, Іван, Їжак, Йосип, Лариса, Љубица, Николай, Њего, Тамара, Ћира, Ўладзь, Ульяна, Чарна, Џон, Яна, Ana, Cyril, Émile, Lucy, Nina, Ới",
    "uk": "Ада, Галина, Ґанна, Дарья, Ђорђе, Елена, Ёлка, Єва, Жанна, Игорь, Іван, Їжак, Йосип, Лариса, Љубица, Николай, Њего, Тамара, Ћира, Ўладзь, Ульяна, Чарна, Џон, Яна, Ana, Cyril, Émile, Lucy, Nina, Ới",
    "be": "Ада, Галина, Ґанна, Дарья, Ђорђе, Елена, Ёлка, Єва, Жанна, Игорь, Іван, Їжак, Йосип, Лариса, Љубица, Николай, Њего, Тамара, Ћира, Ульяна, Ўладзь, Чарна, Џон, Яна, Ana, Cyril, Émile, Lucy, Nina, Ới",
    "sr": "Ада, Галина, Ґанна, Дарья, Ђорђе, Елена, Ёлка, Єва, Жанна, Игорь, Йосип, Іван, Їжак, Лариса, Љубица, Николай, Њего, Тамара, Ћира, Ўладзь, Ульяна, Чарна, Џон, Яна, Ana, Cyril, Émile, Lucy, Nina, Ới",
}


@pytest.mark.parametrize(("language", "names"), SORTED.items())
def test_names_are_sorted_by_the_alphabet_of_a_language(language, names):
    in_order = names.split(", ")

    assert sorted(set(in_order), key=NameOrder(language).key) == in_order


@pytest.mark.parametrize("tag", ["pl", "PL", "pl-PL", "pl_PL"])
def test_the_tag_of_a_language_may_name_a_region(tag):
    assert sorted(["Łukasz", "Lucyna"], key=NameOrder(tag).key) == ["Lucyna", "Łukasz"]


@pytest.mark.parametrize("tag", [None, "", "tlh", "…"])
def test_names_are_sorted_without_accents_in_other_languages(tag):
    names = ["Ada", "Émile", "Łukasz", "Lynn", "Zoë", "ада", "李"]

    assert sorted(set(names), key=NameOrder(tag).key) == names


def test_a_neighbourhood_can_have_each_language_that_has_an_order_of_its_own():
    rule = KINDS["charter"].fields["lang"]

    for language in SORTED:
        assert rule.read("lang", language.upper(), None) == language
    with pytest.raises(Refused, match=r"no language 'Polish'; name one such as pl"):
        rule.read("lang", "Polish", None)


# -- the whole tree -------------------------------------------------------------------------------

# Where a person may be written down as `{id, name}`, and what else has an id and a name.
WRITERS = {
    "meshcoop/api/presenter.py": 2,
    "meshcoop/api/methods/status.py": 2,  # the neighbourhood
    "meshcoop/api/methods/relays.py": 1,  # a neighbourhood
    "meshcoop/cli/backup.py": 1,  # the neighbourhood
    "meshcoop/cli/membership.py": 3,  # oneself, who is told apart from nobody; the neighbourhood
}
# Where the name of a person may be read for showing it.
READERS = {
    "meshcoop/api/presenter.py": 2,
    "meshcoop/cli/person_name.py": 1,
    "tui/format/phrases.py": 1,  # a title
    "tui/kinds/next_steps.py": 1,  # as people type somebody outside
    "tui/node/shown.py": 1,
}
OTHER_NAMES = re.compile(r"neighbourhood|charter|\b(field|kind)\b")  # of what is no person
SHOWING = ("meshcoop/api", "meshcoop/cli", "meshcoop/export", "tui")


def modules(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def writes_person(node):
    keys = [key.value for key in getattr(node, "keys", ()) if isinstance(key, ast.Constant)]
    return isinstance(node, ast.Dict) and {"id", "name"} <= set(keys)


def reads_name(node):
    """Finds `row["name"]` and `row.text("name")`, where `row` may be a person."""
    owner = key = None
    if isinstance(node, ast.Subscript):
        owner, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        owner, key = node.func.value, node.args[0] if node.func.attr == "text" else None
    is_name = isinstance(key, ast.Constant) and key.value == "name"
    return is_name and not OTHER_NAMES.search(ast.unparse(owner))


@pytest.mark.parametrize(("finds", "allowed"), [(writes_person, WRITERS), (reads_name, READERS)])
def test_people_are_named_in_one_place_only(finds, allowed):
    counts = {path: sum(map(finds, ast.walk(tree))) for path, tree in modules(*SHOWING)}

    assert {path: count for path, count in counts.items() if count} == allowed


def test_names_are_compared_and_sorted_in_one_place_only():
    for path, tree in modules("meshcoop", "tui", "protocol"):
        if Path(path).stem in {"spelling", "name_order"}:
            continue
        for node in ast.walk(tree):
            is_folding = isinstance(node, ast.Attribute) and node.attr == "casefold"
            assert not is_folding, f"{path}:{node.lineno} folds a text by itself"


def test_the_place_of_a_letter_is_worked_out_once():
    order = NameOrder("pl")
    first, again = (count_calls(lambda: order.key("Łucja Żuławska")) for _ in range(2))

    assert again < first / 2
