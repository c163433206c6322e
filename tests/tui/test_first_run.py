"""From nothing to a first neighbour, at two real homes whose people never see a shell: each types
into a real terminal.
"""

import re
import sys

from tests.support.pseudo_terminal import Terminal

MESHCOOP = [sys.executable, "-m", "meshcoop"]
F2, F3, F4, ESCAPE, DOWN = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b", "\x1b[B"


def screen(folder):
    env = {"MESHCOOP_MDNS": "0", "MESHCOOP_PASSPHRASE_FILE": "", "HOME": str(folder)}
    return Terminal([*MESHCOOP, "--home", str(folder / "home")], env=env)


def fill(terminal, help_text, answer):
    """Types an answer once the cursor is in its line. Keys that come earlier go to another line."""
    terminal.until(help_text)
    terminal.type(answer)
    terminal.until(answer[-10:])
    terminal.type("\r")


def test_two_neighbours_come_together_without_a_shell(tmp_path):
    folders = [tmp_path / "ada", tmp_path / "ben"]
    for folder in folders:
        folder.mkdir()
    try:
        with screen(folders[0]) as ada, screen(folders[1]) as ben:
            ada.until("What would you like to do?")
            ada.type(DOWN + "\r")
            ada.until("Street or block")
            fill(ada, "such as Elm Street", "Elm Street")
            fill(ada, "As your neighbours know you", "Ada")
            ada.type(F4)
            ada.until("Strong: a stranger")
            ada.type(F2)
            ada.until("Your recovery words", "They are on paper")
            ada.type(F3)
            ada.until("Elm Street · Ada", "Your recovery words are not on paper yet")
            ada.type("i")
            ada.until("let them in at once")
            ada.type("\r")
            ada.until("They start meshcoop")
            shown = ada.text.split("this:")[1].split("For one person")[0]
            code = "".join(re.findall(r"\b[A-Z2-7]{1,5}\b", shown))
            ben.until("What would you like to do?")
            ben.type("\r")
            fill(ben, "The letters that your neighbour sent", code)
            fill(ben, "As your neighbours know you", "Ben")
            ben.type(F4)
            ben.until("Strong: a stranger")
            ben.type(F2)
            ben.until("Your recovery words", "They are on paper")
            ben.type(F3)
            ben.until("Elm Street · Ben", "1 neighbour: Ada")
            ada.type(ESCAPE)
            ada.until("1 neighbour: Ben")
            for terminal in (ada, ben):
                terminal.type("q")
                assert terminal.wait() == 0
    finally:
        for folder in folders:
            with Terminal([*MESHCOOP, "--home", str(folder / "home"), "down"]) as ending:
                ending.wait()
