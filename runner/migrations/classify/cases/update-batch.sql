-- class: data
-- verdict: accepted
-- rules:
-- squawk:

UPDATE users SET active = true WHERE id IN (SELECT id FROM users WHERE active IS NULL LIMIT 1000);
