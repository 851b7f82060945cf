"""Makes people: the plan of a network, its patients, and the database of each site."""
