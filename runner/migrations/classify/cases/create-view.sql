-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

CREATE VIEW active_users AS SELECT * FROM users WHERE active;
