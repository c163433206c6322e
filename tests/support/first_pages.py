"""The first pages of an empty home, with a made-up program behind them."""

import asyncio
import tempfile
from pathlib import Path

from tests.support.fake_node import FakeNode, until
from tui.app import MeshcoopApp
from tui.first_run.welcome_screen import WelcomeScreen
from tui.node.program import Program

WORDS = ("abandon " * 23 + "art").split()


class FakeProgram(Program):
    """Writes down which commands the screen runs, and answers them. `refusal` is raised once."""

    def __init__(self, *, recovery=True):
        super().__init__(["meshcoop"])
        self.ran = []
        self.refusal = None
        self.recovery = " ".join(WORDS) if recovery else None

    async def run(self, *words, passphrase=None, secret_file=None):
        self.ran.append((words, passphrase, secret_file))
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        if words[:2] == ("relay", "ticket"):
            return {"ticket": "TICKET", "expires": "2026-12-06T16:24Z"}
        return {"state": "member", "recovery": self.recovery}


def on_first_pages(scenario, *, program=None, node=None, is_first_run=True):
    """Runs `scenario(pilot, program)` on the first pages of an empty home. With `is_first_run`
    false, the home has keys, and its node runs.
    """
    program = program or FakeProgram()
    node = node or FakeNode()

    async def run():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "api.sock"
            await node.start(path)
            app = MeshcoopApp(path, None, program, is_first_run=is_first_run)
            app.animation_level = "none"
            try:
                async with app.run_test(size=(80, 24)) as pilot:
                    if is_first_run:
                        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
                    await scenario(pilot, program)
            finally:
                await node.stop()
        return app

    return asyncio.run(run())


def answer(pilot, **answers):
    """Fills in answers on the page that is shown."""
    for name, text in answers.items():
        pilot.app.screen.query_one(f"#answer-{name}").fill(text)
