-- class: contract
-- verdict: refused
-- rules: drop-object
-- squawk:
-- difference: squawk watches tables, columns and databases only; live code that calls the function fails.

DROP FUNCTION greet(text);
