-- class: breaking
-- verdict: refused
-- rules: column-type-change
-- squawk: changing-column-type

ALTER TABLE users ALTER COLUMN id TYPE bigint;
