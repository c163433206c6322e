"""The method of the local API that posts a record for a person or a guest of this home."""

from meshcoop.api.credit_advice import CreditAdvisor
from meshcoop.api.methods.loops import LoopMethods
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import USAGE_ERROR, Params, read_pin, read_text
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import open_private
from meshcoop.api.resolver import Resolver
from meshcoop.api.server import Method
from meshcoop.author.signer import Signer
from meshcoop.errors import Mistake
from meshcoop.fold.private_threads import PrivateThreads
from meshcoop.home.key_file import Guest
from protocol.record import sealing as seal
from protocol.record.envelope import Record


class PostMethods:
    """Posts records at one node."""

    def __init__(self, node: NodeHandle, loops: LoopMethods) -> None:
        self._node = node
        self._loops = loops

    def table(self) -> dict[str, Method]:
        """Returns the API methods of this class, by name."""
        return {"post": self.post}

    async def post(self, params: Params) -> Params:
        """Signs one record, stores it and sends it to the neighbours."""
        membership = await self._node.wait_to_sign()
        resolver = Resolver(membership.state, Presenter(membership.state, self._node.now))
        fields = _read_fields(params)
        about = _resolve_about(resolver, params)
        represented = _resolve_represented(resolver, params)
        person = _resolve_signer(membership, resolver, params)
        guest = None if person is None else membership.guests.find(person)
        if params.get("kind") == "action" and about:
            fields = fields | self._loops.citation_for(about)
        signer: Signer | None = None  # None: any device of this home that may sign
        if guest is not None:
            signer = await _open_guest(membership, guest, params)
            # The guest may have been admitted while their PIN was not at hand. Then the guest
            # accepts the charter now.
            membership.guests.settle(guest, signer)
        else:
            await open_private(membership.author.private)
            if person is not None:
                signer = membership.author.signer_of(person)
        record = membership.author.post(
            read_text(params, "kind"),
            fields,
            signer=signer,
            about=about,
            represented=represented,
            resolve=resolver.resolve,
        )
        me = membership.author.person if guest is None else person
        return self._answer(membership, record, me)

    def _answer(self, membership: Membership, record: Record, me: bytes | None) -> Params:
        """Returns the answer to a call: the id of the new record, and advice about its signer's
        balance if there is any.
        """
        presenter = Presenter(membership.state, self._node.now)
        advice = CreditAdvisor(membership.state, presenter).advise(record, me)
        answer: Params = {"id": record.id.hex()}
        if advice:
            answer["advice"] = advice
        return answer


def _read_fields(params: Params) -> Params:
    fields: object = params.get("fields") or {}
    if type(fields) is not dict:
        raise Mistake("The fields of a record are a map of names and values.", USAGE_ERROR)
    return fields


def _resolve_about(resolver: Resolver, params: Params) -> bytes | None:
    """Finds the record that the new record is about. Returns None if the call names no such
    record.
    """
    about = params.get("about")
    return None if about is None else resolver.resolve_record(about)


def _resolve_represented(resolver: Resolver, params: Params) -> bytes | None:
    """Finds the person that the parameter `for` names. The signer acts for this person as a deputy.

    Returns None if `for` is missing.
    """
    represented = params.get("for")
    return None if represented is None else resolver.resolve_person(represented)


def _resolve_signer(membership: Membership, resolver: Resolver, params: Params) -> bytes | None:
    """Finds the signer that the parameter `as` names. Returns None if `as` is missing."""
    person = params.get("as")
    return None if person is None else membership.guests.resolve(person, resolver.resolve_person)


async def _open_guest(membership: Membership, guest: Guest, params: Params) -> Signer:
    """Opens a guest's device with the guest's PIN, for this call only. Raises Mistake if the PIN
    does not open it.
    """
    seed = await membership.guests.open_seed(guest, read_pin(params))
    private = await open_private(PrivateThreads(membership.state, [seal.device_box_key(seed)]))
    return Signer(guest.person, guest.device, seed, private)
