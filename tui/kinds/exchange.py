"""Shows requests and offers, with their responses, agreements, receipts and thanks."""

from collections.abc import Iterator, Mapping

from textual.content import Content

from protocol import recurrence
from protocol.display_text import safe_line, safe_text
from protocol.local_clock import LocalClock
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds import addresses
from tui.kinds.face import Face, face, field_parts, thread_of
from tui.kinds.next_steps import NextStep, StepWords, given_person, way_of
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.connection import NodeConnection
from tui.node.shown import Person, Shown

_ROOTS = ("request", "offer")
_PLACES = {"request": 0, "offer": 1}
_LIVE = {"open", "agreed"}
_WAITING = {"waiting", "proposed"}
# The story of a request or an offer has a sentence for them.
_WITH_A_SENTENCE = frozenset(
    {"responses", "title", "text", "minutes", "starts", "area", "tags", "lang"}
)
_NOBODY = "0" * 64  # the common pot, in the place of a person


# (kind, the word that ends it) → the label of the step; `{who}` is the other person.
_CLOSINGS = {
    ("request", "withdrawn"): _("Withdraw this"),
    ("offer", "withdrawn"): _("Withdraw this"),
    ("response", "withdrawn"): _("Take back your proposal"),
    ("response", "declined"): _("Decline {who}'s proposal"),
    ("agreement", "cancelled"): _("Cancel what you agreed with {who}"),
    ("receipt", "disputed"): _("This is wrong"),
    ("correction", "disputed"): _("This correction is wrong"),
}


@face("request", "offer", "response", "agreement", "receipt", "correction", "confirm")
class ExchangeFace(Face):
    """How the screen shows a request or an offer, and all records in its thread."""

    def place_in_new(self, kind: str) -> int:
        """Puts requests and offers first, because people post them most."""
        return _PLACES.get(kind, super().place_in_new(kind))

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a request or an offer, with its terms."""
        if view.kind not in _ROOTS:
            return super().card(view, reader)
        responses = view.rows("responses")
        waiting = sum(response.state == "waiting" for response in responses)
        parts = [
            phrases.signer_names(view, reader.me),
            phrases.minutes(view.number("minutes")),
            phrases.moment(view.text("starts"), reader.clock),
            labels.state(view.state, view.kind) if view.state != "open" else "",
            plural("{n} response", "{n} responses", waiting).format(n=waiting) if waiting else "",
            safe_line(view.text("area") or "", 20),
        ]
        quiet = view.state not in _LIVE
        return Card(view.id, phrases.title(view), phrases.dotted(parts), quiet)

    def waiting_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of a record that waits for a step. The title of the card is the label of
        this step.
        """
        step = row.row("step") or Shown({})
        words = _words_about(step.kind, row, reader)
        detail = safe_line(row.text("title") or phrases.name(row.author, reader.me))
        return Card(thread_of(row), words.label, detail) if words else Card(thread_of(row), detail)

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes what somebody asks or offers, who responded, and what the parties signed."""
        if thread.root.kind not in _ROOTS:
            return super().story(thread, reader)
        return Content.assemble(*_story_parts(thread, reader))

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step in the thread of a request or an
        offer.
        """
        target = thread.find(row.about) or thread.root
        way = way_of(row)
        if way is not None:
            return _closing_words(target, way, reader)
        if row.kind == "response" and target.id == thread.root.id:
            return _response_words(target, reader)
        if row.kind == "receipt" and target.kind != "agreement":
            return _pot_words(row, thread, reader)
        if row.kind == "receipt" and _has_receipt(target, "proposed"):
            return None  # it waits for a confirm, and a second one would only confuse
        return _words_about(row.kind, target, reader) or super().step_words(row, thread, reader)

    async def fetch_beside(self, link: NodeConnection, thread: ThreadData) -> Mapping[str, Shown]:
        """Fetches the addresses that this home holds for the agreements of the thread."""
        return await addresses.fetch_addresses(link, thread.of_kind("agreement"))

    def beginnings(self, thread: ThreadData, reader: Reader) -> Iterator[NextStep]:
        """Yields the steps that give an address to the other party of an agreement, and the steps
        that forget an address again.
        """
        for agreement in thread.of_kind("agreement"):
            yield from addresses.address_steps(agreement, thread.beside.get(agreement.id), reader)


@face("thanks")
class ThanksFace(Face):
    """How the screen shows thanks for a gift of time."""

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes a card that says who thanks which person."""
        return Card(view.id, _thanks_line(view, reader), safe_line(view.text("text") or ""))

    def mixed_card(self, view: Shown, reader: Reader) -> Card:
        """Makes the same card as `card`. The name of the kind is not needed, because the title
        already says who thanks which person.
        """
        return self.card(view, reader)

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Shows who thanks which person, and for what."""
        parts: list[Part] = [(phrases.title(thread.root), "bold")]
        parts += ["\n", _thanks_line(thread.root, reader)]
        if text := thread.root.text("text"):
            parts += ["\n\n", safe_text(text).strip()]
        with_a_sentence = frozenset({"person", "text", "minutes"})
        return Content.assemble(*parts, *field_parts(thread.root, reader, with_a_sentence))


def balance_story(row: Shown, clock: LocalClock) -> Content:
    """Describes a person's hours: how much the person gave and received, then each receipt, newest
    first.
    """
    parts: list[Part] = [(_("Hours"), "bold"), "\n", phrases.sums(row)]
    lines = row.rows("history")
    if not lines:
        parts += ["\n", _("No hours are confirmed yet.")]
    for line in reversed(lines):
        parts += ["\n", _hours_line(line, clock)]
    return Content.assemble(*parts)


# -- the words of steps ---------------------------------------------------------------------------


def _words_about(kind: str, target: Shown, reader: Reader) -> StepWords | None:
    """Returns the label and the explanation of a step of this kind. `target` is the view that the
    step is about, or a row of `list waiting`.
    """
    match kind, target.kind:
        case "response", "response":
            return _other_terms_words(target)
        case "agreement", _any:
            return _agreement_words(target, reader)
        case "receipt", "agreement":
            return _receipt_words(target, reader)
        case "confirm", _any:
            return _confirm_words(target, reader)
        case "correction", _any:
            return _correction_words(target, reader)
    return None


def _response_words(root: Shown, reader: Reader) -> StepWords | None:
    """Returns the label and the explanation of the step that responds to a request or an offer.

    Returns None if there is already an open response that the reader wrote or has to answer. In
    this case nobody needs a second response.
    """
    is_open = any(
        response.is_by(reader.me) or _is_addressee(root, response, reader.me)
        for response in root.rows("responses")
        if response.state in {"waiting", "accepted"}
    )
    if is_open:
        return None
    meaning = _("Say what suits you. Nothing is agreed until {who} says yes.")
    return StepWords(
        label=_("Offer to help") if root.kind == "request" else _("Ask for this"),
        meaning=meaning.format(who=phrases.name(root.author)),
    )


def _agreement_words(response: Shown, reader: Reader) -> StepWords:
    who = phrases.name(response.author)
    terms = _terms(response, reader.clock)
    label = _("Agree with {who}").format(who=who)
    meaning = _("You and {who} will both have agreed to this: {terms}.")
    return StepWords(
        label=f"{label}: {terms}" if terms else label,
        meaning=meaning.format(who=who, terms=terms or _("no hours or day named")),
        fields=(),
    )


def _other_terms_words(response: Shown) -> StepWords:
    who = phrases.name(response.author)
    return StepWords(
        label=_("Propose other terms to {who}").format(who=who),
        meaning=_("Nothing is agreed until {who} says yes.").format(who=who),
    )


def _receipt_words(agreement: Shown, reader: Reader) -> StepWords:
    if agreement.state == "done":
        label = _("Write a receipt with {who} for another day")
    elif _has_receipt(agreement, "disputed"):
        label = _("Write another receipt with {who}: the last one is disputed")
    else:
        label = _("After it is done: confirm the hours with {who}")
    return StepWords(
        label=label.format(who=phrases.name(_other_party(agreement, reader.me))),
        meaning=_("It counts when the other person confirms."),
    )


def _has_receipt(agreement: Shown, state: str) -> bool:
    return any(receipt.state == state for receipt in agreement.rows("receipts"))


def _pot_words(row: Shown, thread: ThreadData, reader: Reader) -> StepWords:
    """Returns the label and the explanation of the step that gives hours from the common pot to
    somebody who came to an activity.
    """
    attendance = thread.find(row.about)
    who = phrases.name(given_person(row, "giver", thread))
    day = attendance.text("on") if attendance else None
    starts = thread.root.text("starts")
    begins = recurrence.occurrence_start(starts, day) if starts and day else day
    when = phrases.moment(begins, reader.clock)
    label = _("Give {who} hours from the common pot for {when}")
    return StepWords(
        label=label.format(who=who, when=when),
        meaning=_("It counts once {who} has confirmed it. Nobody owes it.").format(who=who),
    )


def _confirm_words(receipt: Shown, reader: Reader) -> StepWords:
    if receipt.kind == "correction":
        return _confirm_correction_words(receipt)
    minutes = phrases.minutes(receipt.number("minutes"))
    is_disputed = receipt.state == "disputed"
    label = (
        _("Confirm it after all: {minutes}") if is_disputed else _("Confirm the receipt: {minutes}")
    )
    if _is_pot(receipt.person("receiver")):
        meaning = _("You gave {minutes} on {on}; they come from the common pot once you confirm.")
    else:
        meaning = _("{giver} gave {minutes} on {on}. Once you confirm, it counts for both of you.")
    return StepWords(
        label=label.format(minutes=minutes),
        meaning=meaning.format(
            giver=phrases.name(receipt.person("giver")),
            minutes=minutes,
            on=phrases.moment(receipt.text("on"), reader.clock),
        ),
        fields=(),
    )


def _confirm_correction_words(correction: Shown) -> StepWords:
    minutes = phrases.minutes(correction.number("minutes")) or _("nothing")
    meaning = _(
        "{who} says that the right time is {minutes}. Once you confirm, it counts for both of you."
    )
    return StepWords(
        label=_("Confirm the correction: {minutes} instead").format(minutes=minutes),
        meaning=meaning.format(who=phrases.name(correction.author), minutes=minutes),
        fields=(),
    )


def _correction_words(receipt: Shown, reader: Reader) -> StepWords:
    meaning = _("The receipt stays. The new minutes count when {who} confirms them.")
    return StepWords(
        label=_("Correct the receipt: {minutes}").format(minutes=_counted_duration(receipt)),
        meaning=meaning.format(who=phrases.name(_other_party(receipt, reader.me))),
    )


def _closing_words(target: Shown, way: str, reader: Reader) -> StepWords:
    label = _CLOSINGS.get((target.kind, way))
    if label is None:
        label = f"{labels.kind(target.kind)}: {labels.state(way, target.kind)}"
    is_agreement = target.kind == "agreement"
    who = _other_party(target, reader.me) if is_agreement else target.author
    return StepWords(label.format(who=phrases.name(who)), fields=("why",))


# -- the story ------------------------------------------------------------------------------------


def _story_parts(thread: ThreadData, reader: Reader) -> Iterator[Part]:
    root = thread.root
    yield (phrases.title(root), "bold")
    yield "\n" + _first_line(root, reader)
    if tags := root.texts("tags"):
        yield "\n"
        yield (" ".join("#" + safe_line(tag) for tag in tags), "dim")
    if text := root.text("text"):
        yield "\n\n" + safe_text(text).strip()
    yield from field_parts(root, reader, _WITH_A_SENTENCE)
    for response in root.rows("responses"):
        yield "\n\n"
        yield from _response_parts(root, response, reader)
    for agreement in thread.of_kind("agreement"):
        yield "\n\n" + _agreement_line(agreement, reader)
        yield from addresses.address_parts(thread.beside.get(agreement.id), reader)
    for receipt in thread.of_kind("receipt"):
        yield "\n" + _receipt_lines(receipt, reader)
        for correction in thread.of_kind("correction"):
            if correction.about == receipt.id:
                yield "\n" + _correction_lines(correction, reader)


def _first_line(root: Shown, reader: Reader) -> str:
    if root.is_by(reader.me):
        sentence = _("You ask") if root.kind == "request" else _("You offer")
    else:
        sentence = _("{who} asks") if root.kind == "request" else _("{who} offers")
    parts = [
        sentence.format(who=phrases.name(root.author)),
        phrases.minutes(root.number("minutes")),
        phrases.moment(root.text("starts"), reader.clock),
        safe_line(root.text("area") or ""),
        labels.state(root.state, root.kind),
    ]
    return phrases.dotted(parts)


def _thanks_line(thanks: Shown, reader: Reader) -> str:
    who = phrases.capitalized(phrases.signer_names(thanks, reader.me))
    other = phrases.name(thanks.person("person"), reader.me)
    sentence = _("{who} thanks {other}").format(who=who, other=other)
    return phrases.dotted([sentence, phrases.minutes(thanks.number("minutes"))])


def _response_parts(root: Shown, response: Shown, reader: Reader) -> Iterator[Part]:
    terms = _terms(response, reader.clock)
    if response.about == root.id:
        sentence = _("{who} proposed: {terms}") if terms else _("{who} responded")
    else:
        sentence = _("{who} proposed instead: {terms}") if terms else _("{who} asked to talk first")
    who = phrases.capitalized(phrases.name(response.author, reader.me))
    is_answered = any(other.about == response.id for other in root.rows("responses"))
    if is_answered and response.state == "declined":
        state = _("answered with other terms")
    else:
        state = _standing(response, _addressee(root, response), reader)
    yield sentence.format(who=who, terms=terms)
    yield (f" · {state}", "dim")
    if text := response.text("text"):
        yield f"\n{_quoted(text)}"


def _agreement_line(agreement: Shown, reader: Reader) -> str:
    giver = agreement.person("giver")
    receiver = agreement.person("receiver")
    if _is_reader(giver, reader):
        sentence = _("Agreed: you help {who}").format(who=phrases.name(receiver))
    elif _is_reader(receiver, reader):
        sentence = _("Agreed: {who} helps you").format(who=phrases.name(giver))
    else:
        sentence = _("Agreed: {giver} helps {receiver}").format(
            giver=phrases.name(giver), receiver=phrases.name(receiver)
        )
    terms = _terms(agreement, reader.clock)
    return phrases.dotted([sentence, terms, _standing(agreement, None, reader)])


def _receipt_lines(receipt: Shown, reader: Reader) -> str:
    parts = [
        _("Receipt: {minutes} on {on}").format(
            minutes=phrases.minutes(receipt.number("minutes")),
            on=phrases.moment(receipt.text("on"), reader.clock),
        )
    ]
    if receipt.has("corrected"):
        parts.append(_("corrected to {minutes}").format(minutes=_counted_duration(receipt)))
    if receipt.flag("duplicate"):
        parts.append(_("a second receipt for the same hour; it does not count"))
    parts.append(_standing(receipt, _awaited_party(receipt), reader))
    note = receipt.text("note")
    return " · ".join(parts) + (f"\n{_quoted(note)}" if note else "")


def _correction_lines(correction: Shown, reader: Reader) -> str:
    sentence = _("{who} proposed a correction: {minutes}").format(
        who=phrases.signer_names(correction, reader.me),
        minutes=phrases.minutes(correction.number("minutes")) or "0",
    )
    standing = _standing(correction, _awaited_party(correction), reader)
    why = correction.text("why")
    return f"{sentence} · {standing}" + (f"\n{_quoted(why)}" if why else "")


def _standing(record: Shown, awaited: Person | None, reader: Reader) -> str:
    """Returns the state of a record in words, with the reason if its signer gave one.

    If the record waits for the person `awaited`, names that person instead.
    """
    if record.state in _WAITING and awaited is not None:
        if _is_reader(awaited, reader):
            return _("your turn")
        return _("waits for {who}").format(who=phrases.name(awaited))
    state = labels.state(record.state, record.kind)
    why = record.text("why")
    return f"{state}: “{safe_line(why)}”" if why else state


def _hours_line(line: Shown, clock: LocalClock) -> str:
    minutes = line.number("minutes") or 0
    direction = _("for {who}") if minutes >= 0 else _("from {who}")
    sorts = {"correction": _("corrected"), "thanks": _("a gift")}
    parts = [
        phrases.moment(line.text("on"), clock),
        phrases.signed_duration(minutes)
        + " "
        + direction.format(who=phrases.name(line.person("person"))),
        sorts.get(line.kind, ""),
        _("balance {balance}").format(balance=phrases.signed_duration(line.number("balance") or 0)),
    ]
    return phrases.dotted(parts)


# -- people and terms -----------------------------------------------------------------------------


def _terms(view: Shown, clock: LocalClock) -> str:
    """Writes the terms of a response or an agreement: how many minutes, and when."""
    when = phrases.moment(view.text("when"), clock)
    return phrases.dotted([phrases.minutes(view.number("minutes")), when])


def _counted_duration(receipt: Shown) -> str:
    """Writes how many minutes of a receipt count. If both parties signed corrections of the
    receipt, the minutes of the last such correction count.
    """
    corrected = receipt.number("corrected")
    return phrases.minutes(receipt.number("minutes") if corrected is None else corrected) or "0"


def _addressee(root: Shown, response: Shown) -> Person | None:
    """Returns the person who has to answer a response: the author of the record that the response
    is about.
    """
    answered = (view for view in [root, *root.rows("responses")] if view.id == response.about)
    view = next(answered, None)
    return view.author if view is not None else None


def _is_addressee(root: Shown, response: Shown, person_id: str | None) -> bool:
    person = _addressee(root, response)
    return person is not None and person_id is not None and person.id == person_id


def _awaited_party(record: Shown) -> Person | None:
    """Returns the party who did not write this receipt or correction."""
    giver = record.person("giver")
    is_by_giver = giver is not None and record.is_by(giver.id)
    return record.person("receiver") if is_by_giver else giver


def _other_party(view: Shown, me: str | None) -> Person | None:
    """Returns the party of an agreement or a receipt who is not `me`."""
    giver = view.person("giver")
    return view.person("receiver") if giver is not None and giver.id == me else giver


def _is_reader(person: Person | None, reader: Reader) -> bool:
    return person is not None and reader.me is not None and person.id == reader.me


def _is_pot(person: Person | None) -> bool:
    return person is not None and person.id == _NOBODY


def _quoted(text: str) -> str:
    return f"“{safe_text(text).strip()}”"
