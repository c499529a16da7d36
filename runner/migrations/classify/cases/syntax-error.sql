-- class: breaking
-- verdict: refused
-- rules: syntax-error
-- squawk: syntax-error

ALTER TABLE users ADDD COLUMN x int;
