-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18) NOT VALID;
