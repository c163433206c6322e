"""Homes and relays in the lab of network namespaces."""

from tests.support.real_homes import eventually


def relay(folders, host="R", name="Surgery"):
    home = folders[host].home(name.lower())
    home("relay", "found", name, "--listen", folders[host].listen())
    home("up")
    return home


def street(folders):
    """Founds a street. Ada, at the host A, enrols the relay and invites Ben, at the host B. Ben's
    home can reach only that relay.
    """
    surgery = relay(folders)
    ada = folders["A"].home("ada")
    rules = ("--vouchers", "1")
    ada("found", "Rushey Lane", "--as", "Ada", *rules)  # listens at the machine's own addresses
    ada("up")
    ada("relay", "enrol", surgery("relay", "ticket")["ticket"])
    eventually(lambda: ada("list", "relays")[0]["state"] == "connected", "no relay")
    ben = folders["B"].newcomer(ada, "Ben")
    return surgery, ada, ben
