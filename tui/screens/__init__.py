"""What fills the terminal: the tabs of the home screen, and what opens over them."""
