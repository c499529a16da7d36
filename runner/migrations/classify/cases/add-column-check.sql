-- class: expand
-- verdict: refused
-- rules: constraint-without-not-valid
-- squawk:
-- difference: squawk takes a CHECK on an added column for free; PostgreSQL reads every row to prove it.

ALTER TABLE users ADD COLUMN age integer CHECK (age > 0);
