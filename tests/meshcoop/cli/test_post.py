"""`meshcoop post` names the mistake in the kind, whatever options stand behind the kind."""

import pytest

from meshcoop.cli.post import post_app
from meshcoop.errors import Mistake
from protocol.fold.registry import KINDS, load_kinds


def refusal(*words):
    command, bound, _ = post_app.parse_args(words, exit_on_error=False, print_error=False)
    with pytest.raises(Mistake) as refused:
        command(*bound.args, context=None, **bound.kwargs)
    assert refused.value.code == 2
    return refused.value.sentence


@pytest.mark.parametrize("kind", ["witness", "admit", "offfer", "Bread"])
@pytest.mark.parametrize("options", [[], ["--about", "x"], ["--title", "Bread"], ["--title=a b"]])
def test_kind_that_nobody_posts_is_named(kind, options):
    sentence = refusal(kind, *options)
    assert sentence.startswith(f"There is no kind '{kind}' to post")
    assert ("perhaps you mean offer." in sentence) == (kind == "offfer")


def test_option_without_a_kind_is_named():
    assert refusal("--lines", "--abc", "1") == "Unknown option: --abc."


def test_first_line_of_a_kind_is_a_whole_sentence_because_help_shows_it_alone():
    load_kinds()
    helps = {
        name: (kind.view_type.__doc__ or "").split("\n", maxsplit=1)[0]
        for name, kind in KINDS.items()
    }

    assert {name: text for name, text in helps.items() if not text.endswith(".")} == {}
