-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

GRANT SELECT ON users TO reader;
