"""One neighbourhood over the network: peers, sync, gossip, joining and the delivery of street
addresses.
"""
