"""The words of the field: what the other packages hand to each other."""
