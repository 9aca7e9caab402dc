"""A service under watch: clients, troubles, and what became of each answer."""
