"""The methods of the local API, and what each of them takes (specs/06).

Each method is declared once, as a class whose instances are calls of the method. The checks of the
node, the table in the specs and the types of the clients follow from this declaration. Python
reserves some names. If a param has such a name, the name ends with an underscore here, but not on
the wire.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from protocol.errors import Refused
from protocol.schema.fields import Field
from protocol.wire.local_rpc import SUBSCRIBE
from protocol.wire.param_fields import (
    Count,
    Flag,
    Hexadecimal,
    IdPrefix,
    ListOf,
    Number,
    RecordWire,
    Seconds,
    TypedFields,
    TypedText,
    TypedValue,
)

MOST_PIN = 1024  # characters
WAIT_SECONDS = 30
JOIN_SECONDS = 60
ALL_RESAMPLINGS = 1000

_RESAMPLINGS_A_STEP = 100

_RULE = "rule"  # the key of a rule in the metadata of a field
_MOST_SHOWN = 64  # characters of an unknown name that a refusal repeats

_AS = TypedText(help="the person of this home who makes the call")
_PIN = TypedText(max=MOST_PIN, help="the PIN of the guest whom `as` names")
_WILL_VOTE = Count(
    help="how many people will vote in the next term, as a person typed it (R-16.5m)"
)
_BEFORE = TypedText(help="only lines of the history before this one")
_MUTED = Flag(help="only what muted people posted")
_AGREEMENT = TypedText(help="the agreement to which the address belongs")


class Call:
    """A call of a method of the local API. Each subclass is one method."""

    METHOD: ClassVar[str]  # the name of the method
    RESULT: ClassVar[str]  # what the method returns, as the specs describe it

    @property
    def params(self) -> dict[str, Any]:
        """The params that a client sends. Params that have their default value are left out
        (R-06.7e).
        """
        return {
            name: getattr(self, field.name)
            for name, field in params_of(type(self)).items()
            if getattr(self, field.name) != field.default
        }

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Self:
        """Makes a call from the params that a client sent. A param that is nil is left out.

        Raises Refused if the method does not take a param or its value, or if a param is missing
        (R-06.15).
        """
        fields = params_of(cls)
        for name in params:
            if name not in fields:
                raise Refused(
                    "R-06.15",
                    "{method} takes no {name!r}; it takes: {names}",
                    method=cls.METHOD,
                    name=name[:_MOST_SHOWN],
                    names=", ".join(fields) or "nothing",
                )
        values = {}
        for name, field in fields.items():
            value = params.get(name)
            if value is not None:
                rule_of(field).check(name, value)
                values[field.name] = value
            elif field.default is dataclasses.MISSING:
                raise Refused("R-06.15", "{field} is missing", field=name)
        return cls(**values)


C = TypeVar("C", bound=Call)


def param(rule: Field, *, default: Any = dataclasses.MISSING) -> Any:
    """Declares a param. Without a `default`, a call needs the param."""
    return dataclasses.field(default=default, metadata={_RULE: rule})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(param,))
def method(name: str, *, result: str) -> Callable[[type[C]], type[C]]:
    """Declares a method of the local API. `result` describes what the method returns."""

    def declare(call_type: type[C]) -> type[C]:
        call_type.METHOD = name
        call_type.RESULT = result
        return dataclasses.dataclass(frozen=True, kw_only=True)(call_type)

    return declare


def params_of(call_type: type[Call]) -> dict[str, dataclasses.Field[Any]]:
    """Returns the params of a method, by their names on the wire."""
    fields = dataclasses.fields(call_type)  # type: ignore[arg-type]  # `method` makes it a dataclass
    return {field.name.rstrip("_"): field for field in fields}


def rule_of(field: dataclasses.Field[Any]) -> Field:
    """Returns the rule that says which values a param of a method takes."""
    rule: Field = field.metadata[_RULE]
    return rule


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listing(Call):
    """A call of a method that lists rows, and answers with a page of them (R-06.16)."""

    limit: int | None = param(Count(help="how many rows at most"), default=None)
    after: str | None = param(
        TypedText(help="only rows behind the one with this cursor"), default=None
    )


# -- the node -------------------------------------------------------------------------------------


@method("status", result="see below")
class Status(Call):
    """Shows whose home this is, which peers it is connected to, and what it stores."""


@method("examine", result="see below")
class Examine(Call):
    """Looks for damage in the stores of this home, and answers the doctor's questions."""


@method("stop", result="nil; the node ends")
class Stop(Call):
    """Stops the node."""


@method("wait", result="true once all of these are reached, false if the time runs out first")
class Wait(Call):
    """Waits until given records, peers and hashes are here. Returns false if the time runs out."""

    records: int = param(Count(help="at least this many are stored"), default=0)
    peers: int = param(Count(help="at least this many are connected"), default=0)
    state_hash: str | None = param(Hexadecimal(help="the state has this hash"), default=None)
    id: str | None = param(IdPrefix(help="this record is stored"), default=None)
    timeout: float = param(Seconds(help="how long to wait"), default=WAIT_SECONDS)


@method(SUBSCRIBE, result="`{}`, and then events (R-06.7g)")
class Subscribe(Call):
    """Asks for events."""

    topics: list[str] | None = param(
        ListOf(of=TypedText(), help="the topics that are wanted; all if left out"), default=None
    )


# -- records --------------------------------------------------------------------------------------


@method(
    "post",
    result="`{id, advice?}`, once the record is safely stored; `advice` is a remark (R-13.21); "
    "or `{id, already}` (R-06.14)",
)
class Post(Call):
    """Signs one record, stores it and sends it to the neighbours."""

    kind: str = param(TypedText(help="the kind of the record"))
    fields: dict[str, Any] | None = param(TypedFields(help="see 10"), default=None)
    about: str | None = param(TypedText(help="the record that it answers"), default=None)
    as_: str | None = param(_AS, default=None)
    for_: str | None = param(
        TypedText(help="the person for whom it is signed by proxy"), default=None
    )
    pin: str | None = param(_PIN, default=None)
    will_vote: int | None = param(_WILL_VOTE, default=None)


@method("next_steps", result="a page of steps (R-06.12a)")
class NextSteps(Listing):
    """Lists the records that a person could post now in the thread of a record."""

    id: str | None = param(
        TypedText(help="a record; without it, the steps that others await"), default=None
    )
    as_: str | None = param(_AS, default=None)
    pin: str | None = param(_PIN, default=None)


@method("list", result="a page of rows, newest first, with `newer` (R-10.8c); see below")
class List(Listing):
    """Lists the views of one kind, newest first. Can also list other things, such as people."""

    what: str = param(TypedText(help="the plural of a kind, or a list below"))
    about: str | None = param(TypedText(help="only answers to this record"), default=None)
    state: str | None = param(TypedText(help="only rows in this state"), default=None)
    muted: bool = param(_MUTED, default=False)
    as_: str | None = param(_AS, default=None)
    pin: str | None = param(_PIN, default=None)


@method(
    "show",
    result="the view with `history_total`, `earlier` and `history: [{id, kind, author, created, about, "
    "counted, note, automatic}]` (R-06.16c); `note` is nil, or `{rule, text, arguments}` of a record "
    "that does not count; `comments` are the comments on it, oldest first: at most 20, and then "
    "`comments_total` (R-14.9a); if `whole` is true, also `views`: the views of these records, "
    "oldest first",
)
class Show(Call):
    """Shows the view of one record with the history of its thread."""

    id: str = param(TypedText(help="the record, or a matter"))
    whole: bool = param(Flag(help="also show the views of the records"), default=False)
    before: str | None = param(_BEFORE, default=None)
    as_: str | None = param(_AS, default=None)
    pin: str | None = param(_PIN, default=None)


@method(
    "search",
    result="a page of views that have each word, or a word that begins with it (R-06.13), with "
    "`newer` (R-10.8c): `[{kind, records, package}]`",
)
class Search(Listing):
    """Searches for views that have all of the given words."""

    words: str = param(TypedText(help="the words"))
    muted: bool = param(_MUTED, default=False)


@method(
    "balance",
    result="`{person, given, received, balance, gifts_given, gifts_received}` with `history: [{id, "
    "kind, on, person, minutes, balance}]`, `history_total` and `earlier` (R-06.16c; minutes received "
    "have a minus); without `person`, a page of such maps without a history",
)
class Balance(Listing):
    """Shows the minutes that people gave and received. For one `person`, adds the history."""

    person: str | None = param(TypedText(help="whose; everybody's if left out"), default=None)
    before: str | None = param(_BEFORE, default=None)


@method(
    "diary",
    result="a page with `timezone` and rows `{id, created, title, starts, minutes, repeats, area, "
    "state}`: the events that this home's person has promised to attend, with nothing private; `state` is "
    "confirmed, tentative (the person waits for a place, or somebody has left) or cancelled; `timezone` is nil if the "
    "charter names none",
)
class Diary(Listing):
    """Shows the events that this home's person has promised to attend, and their times."""


@method(
    "written",
    result="a page of `{id, kind, created, about, device, number, fields, erased}`: the records in the logs of the "
    "person's devices; `fields` are what this home can read, `erased` says that the words are gone",
)
class Written(Listing):
    """Lists every record that a person of this home has written, whether it counts or not."""

    as_: str | None = param(_AS, default=None)
    pin: str | None = param(_PIN, default=None)


@method("mute", result="`{person, muted}`")
class Mute(Call):
    """Leaves a person's posts out of this home's lists. With `off`, shows the posts again."""

    person: str = param(TypedText(help="whose posts"))
    off: bool = param(Flag(help="show the posts again"), default=False)


# -- membership -----------------------------------------------------------------------------------


@method("join", result="true if this node's person is a member now")
class Join(Call):
    """Asks to join with an invitation. Returns true if this home's person is a member now."""

    invitation: str = param(TypedText(help="what the member gave"))
    name: str | None = param(
        TypedText(help="what neighbours will call the person; the start of the id if left out"),
        default=None,
    )
    seconds: float = param(Seconds(help="how long to wait for an answer"), default=JOIN_SECONDS)


@method("ask_place", result="`{place}`: the place for which a newcomer's device is certified")
class AskPlace(Call):
    """Asks the inviter's home which neighbourhood a newcomer's device must be certified for."""

    invitation: str = param(TypedText(help="what the member gave"))
    seconds: float = param(Seconds(help="how long to wait for an answer"), default=JOIN_SECONDS)


@method("invite", result="`{invitation, expires}`")
class Invite(Call):
    """Makes a new invitation."""

    approve: bool = param(Flag(help="vouch at once for whoever comes with it"), default=False)


@method("approve", result="`{person, state}`: `state` is member or waiting")
class Approve(Call):
    """Vouches for a person who asked to join."""

    person: str = param(TypedText(help="who asked to join"))


@method("renew", result="`{id}` of the renewal, or `{id, already}` (R-06.14)")
class Renew(Call):
    """Proposes the next term. The proposal also writes down everything that is in force."""

    joining: object = param(
        TypedValue(help="who joins the voters; without it, everybody who does not vote yet"),
        default=None,
    )
    moderators: object = param(TypedValue(help="as in a renewal (see 16)"), default=None)
    vouchers: object = param(TypedValue(help="as in a renewal"), default=None)
    share: object = param(TypedValue(help="as in a renewal"), default=None)
    title: object = param(TypedValue(help="as in a renewal"), default=None)
    as_: str | None = param(_AS, default=None)
    will_vote: int | None = param(_WILL_VOTE, default=None)


# -- devices and guests ---------------------------------------------------------------------------


@method(
    "devices",
    result="a page of `{device, person, state, records, after, here, place}`: `state` is live, revoked or "
    "forked; `after` is the last number that counts",
)
class Devices(Listing):
    """Lists the devices of `person` with their states. Without `person`, lists your own."""

    person: str | None = param(TypedText(help="whose"), default=None)


@method("device", result="one entry of the result of `devices`")
class Device(Call):
    """Shows the device whose key begins with the given digits."""

    device: str = param(IdPrefix(help="the start of its key"))


@method(
    "plan_leave",
    result="`{person, place, n, cuts: {device: number}}`: what the person's root key has to sign, so that they leave "
    "(R-03.34)",
)
class PlanLeave(Call):
    """Tells what a person has to sign to leave the neighbourhood."""

    person: str = param(TypedText(help="who leaves"))


@method("carry", result="`{id}` of the `device` record that carries it, or `{id, already}`")
class Carry(Call):
    """Posts a statement of a root key about a device, or about a person who leaves."""

    statement: str = param(Hexadecimal(help="the statement (see 03)"))


@method("guest", result="`{state, person}`")
class Guest(Call):
    """Adds a guest: a person without a machine. A PIN locks the guest's device at this home."""

    name: str = param(TypedText(help="what neighbours will call the guest"))
    statement: str = param(Hexadecimal(help="the certificate of the guest's device"))
    locked: dict[str, Any] = param(TypedFields(help="the locked seed of the device (R-06.9c)"))
    pin: str = param(TypedText(max=MOST_PIN, help="the PIN that opens it"))


@method("asks_pin", result="true if this person is a guest here and needs a PIN to post")
class AsksPin(Call):
    """Returns true if a person is a guest of this home. A guest needs a PIN to sign."""

    as_: str = param(_AS)


# -- addresses ------------------------------------------------------------------------------------


@method("give_address", result="`{agreement, state, to}`: `state` is delivered or waiting")
class GiveAddress(Call):
    """Gives an address to the other party of an agreement, directly from home to home."""

    agreement: str = param(_AGREEMENT)
    text: str = param(TypedText(help="the address (R-18.1)"))
    keep: bool = param(Flag(help="the other home may keep it after the agreement"), default=False)
    as_: str | None = param(_AS, default=None)
    pin: str | None = param(_PIN, default=None)


@method(
    "show_address",
    result="`{agreement, from, text, given, kept}`: the address received, or else the one given",
)
class ShowAddress(Call):
    """Shows the address that you got for an agreement. If you got none, shows what you gave."""

    agreement: str = param(_AGREEMENT)
    keep: bool = param(Flag(help="keep it after the agreement"), default=False)
    as_: str | None = param(_AS, default=None)
    pin: str | None = param(_PIN, default=None)


@method(
    "forget_address",
    result="`{agreement, state}`: `state` is forgotten or waiting; also `to`, if an address was "
    "taken back",
)
class ForgetAddress(Call):
    """Erases the addresses of an agreement here, and takes back the address that was given."""

    agreement: str = param(_AGREEMENT)
    as_: str | None = param(_AS, default=None)
    pin: str | None = param(_PIN, default=None)


# -- bundles and matching -------------------------------------------------------------------------


@method(
    "take",
    result="`{new, known, refused, waiting}`: numbers of records; `waiting` counts all records that "
    "wait at this node",
)
class Take(Call):
    """Stores records that came on a stick, after the same checks as for a peer's records."""

    wires: list[bytes] = param(ListOf(of=RecordWire(), help="records (see 01)"))


@method(
    "introductions",
    result="`{person, steps, ways: [{first, why: [{reason, one, other, on}], says}]}`: the reasons are `exchanged`, `vouched` and `admitted` (see 19)",
)
class Introductions(Call):
    """Shows who can introduce you to a person: the shortest ways through people you know."""

    person: str = param(TypedText(help="to whom"))
    as_: str | None = param(_AS, default=None)


# -- rehearsals -----------------------------------------------------------------------------------


@method(
    "rehearse",
    result="`{measure, target, share, window, points, source, assumed, rate, answers, resamplings, of, replayed, "
    "alarms, by_chance, detects}`, see below",
)
class Rehearse(Call):
    """Shows which matters a measure would have opened, before people vote on the measure."""

    measure: str = param(TypedText(help="the measure"))
    target: int | None = param(Count(help="another target"), default=None)
    share: int | None = param(
        Count(help="another percentage of answers that should be good"), default=None
    )
    window: int | None = param(Count(help="another number of days in a window"), default=None)
    rate: float | None = param(
        Number(help="assumes so many percent of good answers, or incidents in a window"),
        default=None,
    )
    answers: int | None = param(Count(help="assumes so many answers in a window"), default=None)
    resamplings: int = param(
        Count(min=1, help="how many resamplings at most"), default=ALL_RESAMPLINGS
    )


def rehearsal_steps() -> Iterable[int]:
    """Returns growing numbers of made-up streets. A client asks for a rehearsal with each number in
    turn.

    So the client can show the first figures early, and can stop early.
    """
    return range(_RESAMPLINGS_A_STEP, ALL_RESAMPLINGS + 1, _RESAMPLINGS_A_STEP)


# -- relays ---------------------------------------------------------------------------------------


@method("relay_enrol", result="`{id}` of the relay record")
class RelayEnrol(Call):
    """Enrols the relay that made a ticket, so that it serves the neighbourhood."""

    ticket: str = param(TypedText(help="the ticket (see 08)"))


@method("relay_end", result="`{id}` of the relay record, or `{id, already}` (R-06.14)")
class RelayEnd(Call):
    """Ends the enrolment of a relay. Only a person who enrolled the relay can end it."""

    relay: str = param(IdPrefix(help="the start of its key"))


@method(
    "relays",
    result="a page; at a home of `{id, key, peer_id, addresses, people, created, state}`, `state` is "
    "connected or away; at a relay of `{neighbourhood: {id, name}, since, connected, records}`",
)
class Relays(Listing):
    """Lists the neighbourhood's relays. On a relay, lists the neighbourhoods that it serves."""


@method("relay_ticket", result="`{ticket, expires}`")
class RelayTicket(Call):
    """Makes a ticket with which one neighbourhood can enrol this relay."""

    addresses: list[str] | None = param(
        ListOf(of=TypedText(), help="where neighbours reach the relay"), default=None
    )


@method("relay_leave", result="`{neighbourhood}`")
class RelayLeave(Call):
    """Stops serving a neighbourhood, and erases everything that the relay keeps for it."""

    neighbourhood: str = param(TypedText(help="its name, or the start of its id"))


@method("relay_limits", result="`{megabytes, days}`, as they are after the call")
class RelayLimits(Call):
    """Changes this relay's limits per neighbourhood, if any are given. Shows the limits."""

    megabytes: int | None = param(Count(min=1, help="the room of each neighbourhood"), default=None)
    days: int | None = param(Count(min=1, help="how long contents are kept at least"), default=None)


@method(
    "relay_storage",
    result="a page of `{neighbourhood, records, used, room, disk, let_go}`, in bytes; `let_go` is the "
    "number of records whose content the relay has let go",
)
class RelayStorage(Listing):
    """Lists how much space each neighbourhood uses at this relay."""
