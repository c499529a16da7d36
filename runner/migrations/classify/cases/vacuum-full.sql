-- class: expand
-- verdict: refused
-- rules: concurrently-in-transaction table-rewrite
-- squawk:
-- difference: squawk has no rule about it.

VACUUM FULL users;
