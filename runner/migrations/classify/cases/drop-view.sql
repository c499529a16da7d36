-- class: contract
-- verdict: refused
-- rules: drop-object
-- squawk:
-- difference: squawk watches tables, columns and databases only; live code that reads the view fails.

DROP VIEW active_users;
