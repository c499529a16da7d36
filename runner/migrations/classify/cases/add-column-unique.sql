-- class: expand
-- verdict: refused
-- rules: constraint-builds-index
-- squawk: disallowed-unique-constraint

ALTER TABLE users ADD COLUMN slug text UNIQUE;
