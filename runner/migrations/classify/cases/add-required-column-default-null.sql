-- class: breaking
-- verdict: refused
-- rules: required-column
-- squawk:
-- difference: squawk takes DEFAULT NULL for a default; it is none.

ALTER TABLE users ADD COLUMN tenant bigint DEFAULT NULL NOT NULL;
