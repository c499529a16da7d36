-- class: expand
-- verdict: refused
-- rules: constraint-builds-index
-- squawk: constraint-missing-not-valid disallowed-unique-constraint

ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email);
