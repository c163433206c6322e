"""One neighbourhood over the network: peers, sync, gossip, joining and address delivery."""
