"""Changes of the program for the nodes of single homes. A test names one in `Home.env`."""
