"""Leads from an empty home into a neighbourhood: the pages one after another."""

from dataclasses import replace
from typing import Any

from textual.app import App

from tui.first_run import questions
from tui.first_run.answers_screen import PASSPHRASE, Answers, AnswersScreen, Sheet
from tui.first_run.notice_screen import NoticeScreen
from tui.first_run.welcome_screen import Way, WelcomeScreen
from tui.first_run.words_screen import WordsScreen
from tui.i18n import _
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection
from tui.node.program import Program


class FirstRun:
    """The first pages of an empty home. `program` runs the commands that make the home."""

    def __init__(self, app: App[Any], program: Program) -> None:
        self._app = app
        self._program = program
        self._passphrase: str | None = None  # kept until the recovery words are checked

    async def lead(self) -> Way | None:
        """Shows the pages until the reader has a home, or leaves. Returns what the reader chose.
        Returns None if the reader left.
        """
        while True:
            way: Way | None = await self._app.push_screen_wait(WelcomeScreen())
            if way is None or way is Way.DEMO:
                return way
            answer = await self._app.push_screen_wait(AnswersScreen(self._sheets()[way]))
            if answer is None:
                continue
            if way is Way.RELAY:
                await self._app.push_screen_wait(_relay_notice(answer))
            elif answer["recovery"]:
                await self._check_words(answer["recovery"].split())
            return way

    async def join_again(self) -> None:
        """Asks once more for an invitation, at a home that has keys already."""
        sheet = replace(self._sheets()[Way.JOIN], is_new=False, is_known=True)
        answer = await self._app.push_screen_wait(AnswersScreen(sheet))
        if answer is not None and answer["recovery"]:
            await self._check_words(answer["recovery"].split())

    async def write_words(self, node: NodeConnection) -> None:
        """Lets the reader copy the recovery words later, from the home screen."""
        sheet = Sheet(
            _("Your recovery words"),
            _("This home still keeps them. On paper, they outlive the machine."),
            (),
            _("Show the words"),
            _("One moment…"),
            self._fetch_words,
            is_known=True,
        )
        is_open = node.status is not None and node.status.flag("open_keys")
        try:
            answer = (
                await self._fetch_words({})
                if is_open
                else await self._app.push_screen_wait(AnswersScreen(sheet))
            )
        except Declined as declined:
            self._app.notify(declined.sentence, severity="warning", markup=False)
            return
        if answer is not None:
            await self._check_words(answer["recovery"].split())

    async def _fetch_words(self, answers: Answers) -> Any:
        self._passphrase = answers.get(PASSPHRASE)
        return await self._program.run("recovery", passphrase=self._passphrase)

    async def _check_words(self, words: list[str]) -> None:
        """Lets the reader copy the recovery words. If two of them are typed from the paper, this
        home forgets the words.
        """
        typed = await self._app.push_screen_wait(WordsScreen(words))
        if typed is None:
            return
        lines = "\n".join(f"{number} {word}" for number, word in typed.items())
        try:
            await self._program.run(
                "recovery", "--typed", passphrase=self._passphrase, secret_file=lines
            )
        except Declined as declined:
            self._app.notify(declined.sentence, severity="warning", markup=False)

    def _sheets(self) -> dict[Way, Sheet]:
        """Returns the page of questions of each way."""
        return {
            Way.JOIN: Sheet(
                _("Join your neighbours"),
                _(
                    "Your home asks the home of whoever invited you. If they said so beforehand, you"
                    " are in at once. Otherwise they are asked, and you wait."
                ),
                (questions.ask_invitation(), questions.ask_person()),
                _("Join"),
                _("Asking your neighbour's home… This may take a minute."),
                self._join,
                is_new=True,
            ),
            Way.BEGIN: Sheet(
                _("Begin a neighbourhood"),
                _("You are its first member, and can invite others at once."),
                (questions.ask_place(), questions.ask_person()),
                _("Begin"),
                _("Making your home…"),
                self._begin_neighbourhood,
                is_new=True,
            ),
            Way.RETURN: Sheet(
                _("Come back with your 24 words"),
                _("Ask a neighbour for an invitation. It need not be the one who let you in."),
                (questions.ask_invitation(), questions.ask_words()),
                _("Come back"),
                _("Asking your neighbour's home… This may take a minute."),
                self._return,
                is_new=True,
            ),
            Way.RESTORE: Sheet(
                _("Come back with a backup"),
                _("The backup is locked with the passphrase that your home had then."),
                (questions.ask_backup(),),
                _("Restore"),
                _("Reading the backup…"),
                self._restore,
                is_known=True,
            ),
            Way.RELAY: Sheet(
                _("This machine is a relay"),
                _("A relay carries the records of neighbourhoods, and reads none of them."),
                (questions.ask_relay(),),
                _("Make it a relay"),
                _("Making the relay…"),
                self._begin_relay,
            ),
        }

    async def _join(self, answers: Answers) -> Any:
        command = ("join", answers["invitation"], "--as", answers["person"])
        return await self._make_home(answers, *command)

    async def _begin_neighbourhood(self, answers: Answers) -> Any:
        return await self._make_home(answers, "found", answers["place"], "--as", answers["person"])

    async def _return(self, answers: Answers) -> Any:
        command = ("join", answers["invitation"], "--words")
        return await self._make_home(answers, *command, secret_file=answers[questions.PAPER_WORDS])

    async def _restore(self, answers: Answers) -> Any:
        answer = await self._make_home(answers, "restore", answers["file"])
        return {**answer, "recovery": None}

    async def _begin_relay(self, answers: Answers) -> Any:
        await self._program.run("relay", "found", answers[questions.RELAY_NAME])
        return await self._program.run("relay", "ticket")

    async def _make_home(
        self, answers: Answers, *command: str, secret_file: str | None = None
    ) -> Any:
        """Runs a command that makes the home, and then starts the home's node."""
        secret = answers[PASSPHRASE]
        answer = await self._program.run(*command, passphrase=secret, secret_file=secret_file)
        await self._program.run("up", passphrase=secret)
        self._passphrase = secret
        return answer


def _relay_notice(ticket: Any) -> NoticeScreen:
    return NoticeScreen(
        _("The relay is up"),
        _(
            "Give this ticket to a member of a neighbourhood. With it they enrol the relay, within"
            " seven days:"
        ),
        ticket["ticket"],
        _("The guide for technicians says how it starts with the machine."),
    )
