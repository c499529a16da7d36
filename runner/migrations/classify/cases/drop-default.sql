-- class: contract
-- verdict: refused
-- rules: drop-default
-- squawk:
-- difference: squawk has no rule about it; an insert of live code that leaves the column out fails or writes NULL.

ALTER TABLE users ALTER COLUMN active DROP DEFAULT;
