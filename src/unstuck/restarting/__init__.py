"""Many initialisations of one network, trained at once."""
