import getpass
import io
import os
import sys

import pytest

from meshcoop.errors import Mistake
from meshcoop.home.passphrase import (
    OFFERED_WORDS,
    PASSPHRASE_VARIABLE,
    obtain_passphrase,
    offer_words,
)
from meshcoop.home.recovery_words import word_list


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def from_file(monkeypatch, tmp_path):
    def obtain_from(data):
        path = tmp_path / "passphrase"
        path.write_bytes(data)
        monkeypatch.setenv(PASSPHRASE_VARIABLE, str(path))
        return obtain_passphrase(new=True)

    return obtain_from


@pytest.fixture
def typed(monkeypatch):
    def obtain_typed(*lines, new=False):
        answers = iter(lines)

        def prompt(text):
            line = next(answers)
            if line is None:
                raise EOFError
            return line

        monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(getpass, "getpass", prompt)
        passphrase = obtain_passphrase(new=new)
        assert next(answers, None) is None
        return passphrase

    return obtain_typed


@pytest.mark.parametrize(
    ("data", "passphrase"),
    [
        (b"four words", "four words"),
        (b"four words\nsecond line\n", "four words"),
        (b"four words\r\n", "four words"),
        (b"  spaces stay \n", "  spaces stay "),
        ("h\u00f6lzerner Kessel\n".encode(), "h\u00f6lzerner Kessel"),
    ],
)
def test_the_first_line_of_the_file(from_file, data, passphrase):
    assert from_file(data) == passphrase


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\nsecond", b"\xff\xfe\n"])
def test_a_file_without_a_passphrase_is_a_mistake(from_file, data):
    with pytest.raises(Mistake) as caught:
        from_file(data)
    assert caught.value.code == 2


def test_a_file_that_is_missing_is_a_mistake(monkeypatch, tmp_path):
    for path in (tmp_path / "none", tmp_path):
        monkeypatch.setenv(PASSPHRASE_VARIABLE, str(path))
        with pytest.raises(Mistake, match="correct the path") as caught:
            obtain_passphrase()
        assert caught.value.code == 2


def test_a_pipe_serves_as_the_file(monkeypatch):
    reading, writing = os.pipe()
    os.write(writing, b"four words\n")
    os.close(writing)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, f"/dev/fd/{reading}")
    try:
        assert obtain_passphrase() == "four words"
    finally:
        os.close(reading)


@pytest.mark.parametrize("stdin", [None, io.StringIO("typed\n")])
def test_without_a_terminal_nobody_is_asked(monkeypatch, stdin):
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(getpass, "getpass", lambda text: pytest.fail("asked"))
    with pytest.raises(Mistake, match=PASSPHRASE_VARIABLE) as caught:
        obtain_passphrase()
    assert caught.value.code == 2


def test_a_terminal_is_asked_once(typed):
    assert typed("four words") == "four words"


@pytest.mark.parametrize("short", ["abc", "nine char", "   ten      ", "e\u0301" * 9])
def test_a_short_passphrase_is_refused_when_it_is_new_and_read_when_it_is_not(typed, short):
    with pytest.raises(Mistake, match="10 characters or more") as caught:
        typed(short, short, new=True)
    assert caught.value.code == 2
    assert typed(short) == short


def test_a_new_passphrase_is_offered_of_six_words(typed, capsys):
    typed("four words", "four words", new=True)
    offered = capsys.readouterr().err.split("\n\n")[1].split()
    assert len(offered) == OFFERED_WORDS
    assert set(offered) <= set(word_list())
    assert offered != offer_words().split()


def test_a_new_passphrase_is_asked_for_twice(typed):
    assert typed("four words", "four words", new=True) == "four words"


@pytest.mark.parametrize(
    ("lines", "new"), [(("a", "b"), True), (("",), False), ((None,), False), (("\udcff",), False)]
)
def test_what_is_typed_wrong_is_a_mistake(typed, lines, new):
    with pytest.raises(Mistake) as caught:
        typed(*lines, new=new)
    assert caught.value.code == 2
