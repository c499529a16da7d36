-- class: breaking
-- verdict: refused
-- rules: column-type-change
-- squawk: changing-column-type

ALTER TABLE users ALTER COLUMN name TYPE varchar(200);
