-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TABLE users RENAME CONSTRAINT users_email TO users_email_unique;
