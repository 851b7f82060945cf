"""Other wires: ways to the sites that do not end in this process."""
