-- class: expand
-- verdict: refused
-- rules: constraint-without-not-valid
-- squawk: adding-foreign-key-constraint

ALTER TABLE users ADD COLUMN team_id bigint DEFAULT 1 REFERENCES teams (id);
