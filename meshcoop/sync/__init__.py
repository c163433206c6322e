"""Connects a node with the other nodes of one neighbourhood: peers, sync, gossip, joining and the
delivery of street addresses.
"""
