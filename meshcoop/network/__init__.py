"""The boundary to other nodes: an interface, and an implementation of it over libp2p."""
