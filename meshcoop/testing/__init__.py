"""A network in memory, for tests. It implements `meshcoop.network.interface`."""
