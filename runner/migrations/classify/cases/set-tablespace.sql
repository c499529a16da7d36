-- class: expand
-- verdict: refused
-- rules: table-rewrite
-- squawk:
-- difference: squawk has no rule about it; every row is copied.

ALTER TABLE users SET TABLESPACE fast;
