"""Who in the log is not a person: figures of behaviour, rules with reasons, and what they flag."""
