"""Texts that could harm a reader's terminal: named cases, and generated ones."""

import random
import re
import unicodedata

NAMED = {
    "a closing tag": "[/] and [/b] and [",
    "an action": "[@click=app.quit]free bread[/]",
    "a link": "[link=file:///etc/passwd]here[/link]",
    "markup": "[urgent] [bold red]now[/bold red] [$primary]x",
    "the clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07copied",
    "the title": "\x1b]0;owned\x1b\\title",
    "a cleared screen": "\x1b[2J\x1b[Hgone",
    "one-byte controls": "\x9b31mred\x9d0;t\x9c",
    "right to left": "\u202etxt.exe\u202c",
    "isolates": "\u2066a\u2067b\u2068c",
    "marks": "e" + "\u0301" * 200,
    "marks on nothing": "\u0489" * 200,
    "zero width": "a\u200bb\u2060c\ufeffd",
    "tags": "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "joiners": "\u200d" * 50,
    "nothing to see": "\u3164\u2800\u115f",
    "NUL and DEL": "a\x00b\x7fc\x08d",
    "line ends": "a\rb\nc\u2028d\u2029e\x0bf\x0cg\x85h",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467 at home",
    "right-to-left letters": "שלום عليكم",
    "wide letters": "漢字かな",
    "braces": "{who} {0} %s %(x)s $HOME `id`",
    "private use": "\ue000\U000f0000\uffff",
}


def strings(seed, count):
    """Yields `count` strings, made of the named cases and of any other characters."""
    chance = random.Random(seed)
    pieces = [*NAMED.values(), "bread", " ", "é", "[", "]", "\\", "\x1b", "\x1b[", "\x1b]8;;"]
    for _ in range(count):
        parts = []
        for _ in range(chance.randint(1, 4)):
            if chance.random() < 0.7:
                parts.append(chance.choice(pieces))
            else:
                parts.append("".join(_character(chance) for _ in range(chance.randint(1, 6))))
        yield "".join(parts)


def _character(chance):
    return chr(chance.choice([chance.randrange(0x20), chance.randrange(0xD7FF), 0x1F600, 0x9F]))


_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])"
)
_ORDINARY = re.compile(rb"\x1b\[[0-9;]*[mH]")  # colours and places, which occur very often


def sequences(raw):
    """Returns the escape sequences that a terminal received. Leaves out sequences that only set
    colours or move the cursor.
    """
    return {one for one in _SEQUENCE.findall(raw) if not _ORDINARY.fullmatch(one)}


def leftovers(raw):
    """Returns the harmful characters that a terminal received outside of escape sequences."""
    text = _SEQUENCE.sub(b"", raw).decode("utf-8", "strict")
    harmful = {
        f"U+{ord(one):04X}"
        for one in set(text)
        if one not in "\r\n\t\u200c\u200d" and unicodedata.category(one).startswith("C")
    }
    if re.search(r"[\u0300-\u036f\u0483-\u0489]{5,}", text):
        harmful.add("a stack of marks")
    return harmful
