-- class: contract
-- verdict: refused
-- rules: drop-object
-- squawk:
-- difference: squawk watches tables, columns and databases only; live code that casts to the type fails.

DROP TYPE mood;
