"""The names of the record kinds that authority reads, and the name of the kind `retract`.

The kinds themselves are declared with these names in `protocol.kinds`, a layer above authority.
"""

CHARTER = "charter"
ADMIT = "admit"
ACCEPT = "accept"
DEVICE = "device"
EPOCH = "epoch"
WANT_KEYS = "want_keys"
GIVEN_KEYS = "given_keys"
RENEWAL = "renewal"
PART = "part"
PROPOSAL = "proposal"
VOTE = "vote"
REMOVE = "remove"
HIDE = "hide"
RELAY = "relay"

# Relays erase the content of the record that a retraction names. So the fold and the store need
# the name of this kind too.
RETRACT = "retract"
