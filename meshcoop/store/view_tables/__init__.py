"""The tables of the fold's results: views, and the data by which views are found."""
