-- class: expand
-- verdict: refused
-- rules: constraint-without-not-valid
-- squawk: constraint-missing-not-valid

ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18);
