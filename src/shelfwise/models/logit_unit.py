"""In what unit numbers are stored that are logits themselves.

Adam moves an entry by about the learning rate a step, and a logit has to move by several units:
such numbers are stored this much smaller than what they stand for.
"""

LOGIT_UNIT = 10.0
