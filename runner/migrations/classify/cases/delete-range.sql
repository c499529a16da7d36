-- class: data
-- verdict: accepted
-- rules:
-- squawk:

DELETE FROM sessions WHERE id BETWEEN 1 AND 1000;
