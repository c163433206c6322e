"""The tables of the fold's results: views, and the data with which views are looked up."""
