"""The tables of what was folded: views, and what is looked up about them."""
