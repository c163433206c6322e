"""Checks the node of a home, its network and its neighbours."""

from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.doctor.finding import Finding, Patient
from meshcoop.cli.plain_text import format_refusal
from meshcoop.home.machine_id import own_addresses
from protocol.local_clock import read_time

_DAY_MS = 86_400_000


def check_node(patient: Patient) -> Finding:
    """Checks that a node runs and answers."""
    if patient.status is not None:
        trouble = patient.status.get("trouble")
        if trouble:
            return Finding(
                "node", "wrong", f"The node runs, and signs nothing: {format_refusal(trouble)}."
            )
        return Finding("node", "fine", f"The node runs (process {patient.status['pid']}).")
    if patient.is_other_program:
        return Finding(
            "node",
            "wrong",
            "The node runs another version of the program than the one that is installed.",
            "`meshcoop down` and `meshcoop up` renew it.",
        )
    if patient.home.is_running():
        remedy = "Wait a moment. If that does not help: `meshcoop log` says where to look."
        return Finding("node", "wrong", "A node runs, and does not answer.", remedy)
    return Finding("node", "note", "No node runs in this home.", "`meshcoop up` starts it.")


def check_port(patient: Patient) -> Finding:
    """Says at which addresses the node listens. If no node runs, checks that the node's port is
    free.
    """
    if patient.status is not None:
        addresses = [address.split("/p2p/")[0] for address in patient.status["addresses"]]
        return Finding("port", "fine", f"The node listens at {', '.join(addresses)}.")
    if patient.home.is_running():
        return Finding("port", "unknown", "Only a node that answers says where it listens.")
    settings = patient.home.read_settings()
    if not settings.listen and settings.port is None:
        return Finding("port", "unknown", "No port has been chosen yet.")
    wanted = list(settings.listen) or patient.home.default_listen_addresses()
    taken = [address for address in wanted if not _is_free(address)]
    if taken:
        return Finding(
            "port",
            "wrong",
            f"The node cannot listen at {', '.join(taken)}: another program does, or the address is"
            " no longer this machine's.",
            "Stop that program, or name another address: `meshcoop up --listen /ip4/…/tcp/…`.",
        )
    return Finding("port", "fine", f"The node's port is free: {', '.join(wanted)}.")


def check_network(patient: Patient) -> Finding:
    """Compares two lists: the addresses of this machine, and the addresses from which relays see
    this machine.
    """
    own = [address for address in own_addresses() if not address.startswith("127.")]
    if not own:
        remedy = "Connect to the home network or the internet."
        return Finding("network", "wrong", "This machine is in no network.", remedy)
    status = patient.status or {}
    observed = status.get("seen_as") or []
    here = ", ".join(own)
    if not observed:
        return Finding("network", "unknown", f"This machine is {here}; no relay has seen it yet.")
    if set(observed) & set(own):
        return Finding("network", "fine", f"This machine is {here}, and others can dial it there.")
    sentence = f"This machine is {here}, behind a router that shows it as {', '.join(observed)}."
    relays = status.get("reserved", 0)
    if relays:
        sentence = f"{sentence} Neighbours reach it through {format_count(relays, 'relay')}."
        return Finding("network", "fine", sentence)
    return Finding(
        "network", "note", sentence, "A relay lets neighbours reach it: `meshcoop relay list`."
    )


def check_relays(patient: Patient) -> Finding:
    """Says how many relays are enrolled, and how many of these are connected."""
    status = patient.status
    if status is None:
        return Finding("relays", "unknown", "Only a running node knows which relays are reached.")
    if status.get("relay"):
        served = format_count(status["serves"], "neighbourhood")
        if status["unserved"]:
            return Finding(
                "relays",
                "wrong",
                f"This relay serves {served}, and cannot serve {len(status['unserved'])} more.",
                "`meshcoop log` says where to look; each is tried again every minute.",
            )
        return Finding("relays", "fine", f"This is a relay, and serves {served}.")
    enrolled = status.get("relays", 0)
    connected = sum(peer["person"] is None for peer in status["peers"])
    if not enrolled:
        remedy = "Fine on one street's network; else a technician's ticket: `meshcoop relay enrol`."
        return Finding("relays", "note", "The neighbourhood has no relay.", remedy)
    if not connected:
        remedy = "Ask its technician; see whether this machine reaches the internet."
        return Finding("relays", "wrong", f"No relay of {enrolled} is reached.", remedy)
    return Finding("relays", "fine", f"Relays that are connected: {connected} of {enrolled}.")


def check_peers(patient: Patient) -> Finding:
    """Says how many neighbours' homes are connected. If none is connected, says when this home last
    met another home.
    """
    if patient.status is not None:
        homes = [peer for peer in patient.status["peers"] if peer["person"]]
        if homes:
            met = format_count(len(homes), "home")
            return Finding("peers", "fine", f"This home is connected with {met} of neighbours.")
    last_meeting = patient.require_stored()["last_meeting"]
    if not last_meeting:
        sentence = "No neighbour's home has been met yet."
        return Finding("peers", "note", sentence, "Keep the node up; invite somebody.")
    days = (patient.now - last_meeting) / _DAY_MS
    when = f"{days:.0f} days ago" if days >= 1 else "today"
    return Finding("peers", "note", f"No neighbour's home is connected; one was met {when}.")


def check_sync(patient: Patient) -> Finding:
    """Says when the node last compared its records with the records of another node."""
    if patient.status is None:
        return Finding(
            "sync", "unknown", "Only a running node knows when notes were last compared."
        )
    settled = patient.status.get("settled")
    if settled is None:
        return Finding("sync", "note", "Notes have not been compared with anybody since the start.")
    seconds = max(0, (patient.now - read_time(settled)) // 1000)
    return Finding("sync", "fine", f"Notes were last compared with another node {seconds} s ago.")


def _is_free(address: str) -> bool:
    from meshcoop.network.interface import NetworkError
    from meshcoop.network.libp2p.address import check_listen

    try:
        check_listen(address)
    except NetworkError:
        return False
    return True
