"""One neighbourhood over the network: peers, sync conversations, gossip, joining, address delivery."""
