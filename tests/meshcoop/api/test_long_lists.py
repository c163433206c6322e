"""No list is cut without a word: a page says how many rows there are and how to go on (R-06.16)."""

import ast
import typing
from dataclasses import replace
from types import SimpleNamespace

import msgpack
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from meshcoop.api.list_pages import Rows, shown_rows, take_lines, take_page
from meshcoop.api.methods.method_table import Methods
from meshcoop.api.queries import _FURTHER_LISTS
from meshcoop.cli.plain_text import format_cut
from meshcoop.client import Client
from meshcoop.errors import Mistake
from protocol.fold.fold import MAX_A_DAY
from protocol.fold.registry import KINDS
from protocol.record.envelope import DAY_MS
from protocol.wire import calls
from protocol.wire.local_rpc import MAX_FRAME
from tests.support.api_in_memory import Asking
from tests.support.paths import ROOT
from tests.support.street_in_memory import Street, settle, street

ROW_NUMBERS = [{"id": f"{number:08x}"} for number in range(1, 61)]


def walk(method, **params):
    """Reads a list page by page. Returns its pages."""
    found = [trio.run(method, params)]
    while found[-1]["next"] is not None:
        found.append(trio.run(method, {**params, "after": found[-1]["next"]}))
    return found


# -- pages ----------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.integers(1, 70), st.booleans())
def test_pages_have_each_row_once(count, limit, is_counted):
    rows = ROW_NUMBERS[:count]

    async def method(params):
        call = calls.Listing(**params)
        return take_page(call, shown_rows(iter(rows), total=count if is_counted else None))

    found = walk(method, limit=limit)

    assert [row for page in found for row in page["rows"]] == rows
    assert {page["total"] for page in found} == {count}
    assert all(len(page["rows"]) == limit for page in found[:-1])


def test_a_page_has_at_most_500_rows_and_says_where_to_go_on():
    rows = [{"id": f"{number:08x}"} for number in range(3000)]

    page = take_page(calls.Listing(limit=99_999), shown_rows(rows))

    assert (len(page["rows"]), page["total"], page["next"]) == (500, 3000, "000001f3:500")


def test_a_page_fits_into_a_frame():
    rows = [{"id": f"{number:08x}", "text": "x" * 20_000} for number in range(100)]

    page = take_page(calls.Listing(), shown_rows(rows))

    assert len(msgpack.packb(page)) < MAX_FRAME
    assert page["next"].startswith(page["rows"][-1]["id"])


def test_no_rows_are_asked_for_to_learn_how_many_there_are():
    page = take_page(calls.Listing(limit=0), shown_rows(ROW_NUMBERS))

    assert page == {"rows": [], "total": 60, "next": None}


def test_a_row_that_is_gone_is_named_in_the_refusal():
    with pytest.raises(Mistake, match=r"No row of this list is 'deadbeef' now"):
        take_page(calls.Listing(after="deadbeef"), shown_rows(ROW_NUMBERS))


@given(st.integers(0, 9), st.integers(1, 9))
def test_any_list_goes_on_where_a_row_was_that_left_it(gone, limit):
    rows = [{"id": f"{number:08x}"} for number in range(10)]
    page = take_page(calls.Listing(limit=gone + 1), shown_rows(rows))
    left = [row for row in rows if row != rows[gone]]

    rest = take_page(calls.Listing(after=page["next"], limit=limit), shown_rows(left))

    if page["next"] is not None:
        assert rest["rows"] == rows[gone + 1 :][:limit]
        assert rest["next"] is None or rest["next"].endswith(f":{gone + limit}")


@pytest.mark.parametrize("state", ["open", None])
def test_a_list_goes_on_where_a_row_was_that_left_it(state):
    with Street(1) as here:
        home = here.found()
        offers = [home.post("offer", title=f"Offer {number}") for number in range(6)]
        listed = Methods(node_of(home)).table()["list"]
        call = {"what": "offers", "limit": 2} | ({"state": state} if state else {})
        page = trio.run(listed, call)

        home.post("close", offers[4], as_state="withdrawn")
        rest = trio.run(listed, {**call, "after": page["next"], "limit": 9})

        assert page["next"] == f"{offers[4].id.hex()}:2"
        assert [row["id"] for row in rest["rows"]] == [row.id.hex() for row in offers[3::-1]]


def test_a_search_goes_on_where_a_row_was_that_left_it():
    with Street(1) as here:
        home = here.found()
        for number in range(6):
            home.post("offer", title=f"A ladder {number}")
        search = Methods(node_of(home)).table()["search"]
        whole = trio.run(search, {"words": "ladder"})["rows"]
        page = trio.run(search, {"words": "ladder", "limit": 3})

        home.post("retract", home.store.records.find(bytes.fromhex(whole[2]["id"])).record)
        rest = trio.run(search, {"words": "ladder", "after": page["next"]})

        assert [row["id"] for row in rest["rows"]] == [row["id"] for row in whole[3:]]


def test_a_list_and_a_search_say_what_is_newer(monkeypatch):
    with Street(1) as here:
        home = here.found()
        home.post("offer", title="A ladder")
        monkeypatch.setattr(home.state.views, "newer_counts", lambda: {"lending": 3})
        newer = [{"kind": "lending", "records": 3, "package": None}]
        methods = Methods(node_of(home)).table()

        assert trio.run(methods["list"], {"what": "offers"})["newer"] == newer
        assert trio.run(methods["search"], {"words": "ladder"})["newer"] == newer


@given(st.integers(0, 1200))
def test_a_history_is_read_from_its_end(count):
    lines = [{"id": f"{number:08x}"} for number in range(count)]

    part = take_lines(None, lines)
    history = part["history"]
    while part["earlier"] is not None:
        part = take_lines(part["earlier"], lines)
        history = part["history"] + history

    assert history == lines
    assert part["history_total"] == count


def test_a_history_has_the_views_of_its_lines_if_they_fit():
    lines = [{"id": f"{number:08x}"} for number in range(400)]

    def show_views(ids):
        return [{"id": view_id, "text": "x" * 4000} for view_id in sorted(ids)]

    part = take_lines(None, lines, show_views)

    assert [view["id"] for view in part["views"]] == [line["id"] for line in part["history"]]
    assert part["history"][-1] == lines[-1]
    assert len(msgpack.packb(part)) < MAX_FRAME


def test_the_command_line_reads_as_many_pages_as_the_limit_needs():
    rows = [{"id": f"{number:08x}"} for number in range(1300)]
    client = SimpleNamespace(call=lambda call: take_page(call, shown_rows(rows)))

    assert Client.list_rows(client, calls.Listing(limit=99_999)).rows == rows
    cut = Client.list_rows(client, calls.Listing(limit=700))
    assert cut == (rows[:700], 1300, "000002bb:700", ())
    assert format_cut(cut).startswith("700 of 1300 are shown; add --limit 1300 for all")


# -- all methods ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node():
    """A home in memory that holds three posts of many kinds."""
    with street(homes=3) as homes:
        ada, ben, _ = homes
        for number in range(3):
            request = ada.post("request", title=f"Wood {number}", minutes="60")
            ben.post("offer", title=f"Wood {number}", minutes="60")
            ben.post("activity", title="Walk", starts="2030-11-17T12:30")
            ada.post("page", title="Wood", text="Oak, ash")
            ada.post("service", title="Bins", provider="The council")
            ada.post("circle", name="Choir", members=[ben.me.person.hex()])
            settle(*homes)
            response = ben.post("response", request)
            settle(*homes)
            ada.post("agreement", response)
            settle(*homes)
        yield node_of(ada)


def node_of(home):
    """Makes a stand-in for the node of a home: the parts that list methods use."""
    membership = Asking(home).membership
    device = next(iter(home.author.devices))
    credentials = SimpleNamespace(device=device)
    membership = replace(
        membership, mesh=SimpleNamespace(credentials=credentials, conversations={})
    )

    async def wait_to_sign():
        return membership

    return SimpleNamespace(
        now=home.now, relay=None, require_membership=lambda: membership, wait_to_sign=wait_to_sign
    )


@pytest.fixture(scope="module")
def table(node):
    return Methods(node).table()


def test_every_method_that_lists_rows_answers_with_pages(table):
    for name, method in table.items():
        answer = typing.get_origin(typing.get_type_hints(method.answer)["return"])
        assert answer is not list, f"{name} answers with a list that nobody can read in pages"
        if answer is Rows:
            assert hasattr(method.answer, "__wrapped__"), f"{name} makes no page"
            assert issubclass(method.call_type, calls.Listing), f"{name} takes no cursor"


def all_lists():
    kinds = [kind.plural for kind in KINDS.values() if kind.states]
    return sorted({*_FURTHER_LISTS, *kinds, "relays"} - {KINDS["profile"].plural})


def test_nobody_fills_all_places_for_the_responses_to_a_request():
    with street(homes=3, quota_records=1000) as (ada, ben, cleo):
        request = ada.post("request", title="Shelves", minutes="60")
        settle(ada, ben, cleo)
        first = ben.post("response", request, minutes="60")
        for number in range(130):
            if number % MAX_A_DAY == 0:  # R-03.10c: the same device goes on tomorrow
                cleo.street.clock += DAY_MS
            cleo.post("response", request, minutes="60", text=f"{number}")
        settle(ada, ben, cleo)

        (row,) = walk(Methods(node_of(ada)).table()["list"], what="requests")[0]["rows"]

    assert (len(row["responses"]), row["responses_total"]) == (100, 131)
    assert first.id.hex() in [response["id"] for response in row["responses"]]


@pytest.mark.parametrize("what", all_lists())
def test_every_list_is_read_page_by_page(table, what):
    whole = trio.run(table["list"], {"what": what})

    found = walk(table["list"], what=what, limit=1)

    assert [row for page in found for row in page["rows"]] == whole["rows"]
    assert {page["total"] for page in found} == {len(whole["rows"])}


# The methods with pages, and what else each of them needs. A home has no storage of a relay.
PARAMS = {"list": {"what": "people"}, "search": {"words": "wood"}}
LISTINGS = [
    call_type
    for call_type in vars(calls).values()
    if isinstance(call_type, type) and issubclass(call_type, calls.Listing)
    if call_type not in {calls.Listing, calls.RelayStorage}
]


@pytest.mark.parametrize("name", [call_type.METHOD for call_type in LISTINGS])
def test_every_method_with_pages_is_read_page_by_page(table, name):
    params = PARAMS.get(name, {})
    whole = trio.run(table[name], params)

    found = walk(table[name], **params, limit=1)

    assert [row for page in found for row in page["rows"]] == whole["rows"]
    assert {page["total"] for page in found} == {len(whole["rows"])}


def test_the_lists_of_the_test_have_rows(table):
    counts = {
        what: trio.run(table["list"], {"what": what, "limit": 0})["total"] for what in all_lists()
    }

    assert {what for what, count in counts.items() if count >= 3} >= {
        *("requests", "offers", "activities", "pages", "services", "circles", "responses"),
        *("agreements", "people", "board"),
    }


@pytest.mark.parametrize("state", ["open", "agreed", None])
@pytest.mark.parametrize("muted", [False, True])
def test_the_total_counts_the_rows_that_the_caller_wants(node, table, state, muted, monkeypatch):
    membership = node.require_membership()
    for people in (set(), set(membership.state.authority.members)):
        monkeypatch.setattr(membership.muted, "people", people)

        page = trio.run(table["list"], {"what": "offers", "state": state, "muted": muted})

        assert page["total"] == len(page["rows"])


# -- the whole tree -------------------------------------------------------------------------------

# Whoever cuts rows to a number calls one of these, which say how many there are.
SAYS_HOW_MANY = {"cut_note", "older_note", "plural"}
# With these begin the names of such numbers.
BOUNDS = ("MOST", "MAX", "limit", "read_limit")


def cuts_to_a_number(node):
    """Finds `rows[:_MOST]`, `rows[:limit]` and `islice(rows, _MOST)`."""
    bound = None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        bound = node.slice.upper or node.slice.lower
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "islice":
        bound = node.args[-1]
    name = ast.unparse(bound).lstrip("-") if bound is not None else ""
    return name.lstrip("_").startswith(BOUNDS)


def is_text(node):
    """Returns whether the cut value is a text: it is made of a text on the spot."""
    return isinstance(node, ast.Subscript) and not isinstance(node.value, ast.Name)


def test_whoever_cuts_rows_says_how_many_there_are():
    for folder in ("meshcoop/api", "meshcoop/cli", "meshcoop/export", "tui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            if not any(word in source for word in BOUNDS):
                continue
            functions = [
                node
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            for function in functions:
                cuts = [
                    node
                    for node in ast.walk(function)
                    if cuts_to_a_number(node) and not is_text(node)
                ]
                called = {
                    getattr(node.func, "attr", getattr(node.func, "id", ""))
                    for node in ast.walk(function)
                    if isinstance(node, ast.Call)
                }
                assert not cuts or called & SAYS_HOW_MANY, f"{path}: {function.name} cuts rows"
