"""A network in memory, for tests. The network implements `meshcoop.network.interface`."""
