-- class: data
-- verdict: accepted
-- rules:
-- squawk:

UPDATE settings SET value = 'on' WHERE id = 7;
