-- class: breaking
-- verdict: refused
-- rules: required-column
-- squawk: adding-required-field

ALTER TABLE users ADD COLUMN tenant bigint NOT NULL;
