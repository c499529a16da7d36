-- class: expand
-- verdict: refused
-- rules: explicit-lock
-- squawk:
-- difference: squawk has no rule about it.

LOCK TABLE users IN ACCESS EXCLUSIVE MODE;
