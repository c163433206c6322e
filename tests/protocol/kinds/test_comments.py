"""Comments on records of any thread (specs/14-conversation.md)."""

from protocol.kinds.comments import Comment
from protocol.kinds.exchange.exchange import Request
from tests.support.exchange_story import ADA, BEN, CHO, Story


def asked():
    story = Story()
    request = story.says(ADA, "request", title="A lift")
    return story, request, story.says(BEN, "comment", request, text="Which day?")


def test_comment_changes_nothing_but_its_own_view():
    story, request, comment = asked()
    response = story.says(BEN, "response", request, minutes=60)
    with_comment = story.values()
    story.entries.remove(comment)

    assert with_comment == {**story.values(), comment.id: with_comment[comment.id]}
    assert with_comment[comment.id]["text"] == "Which day?"
    assert story.state(request) == Request.State.OPEN
    assert story.view(response) is not None


def test_comment_about_a_comment_does_not_count():
    story, request, comment = asked()
    reply = story.says(ADA, "comment", comment, text="Monday")
    beside = story.says(ADA, "comment", request, text="Monday")

    assert story.told(reply) == "R-14.9"
    assert story.state(beside) == Comment.State.STATED


def test_comment_counts_beside_a_flag_of_it():
    story, _, comment = asked()
    flag = story.says(CHO, "flag", comment, reason="rude")

    assert story.state(flag) == "open"
    assert story.state(comment) == Comment.State.STATED
