-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

CREATE EXTENSION IF NOT EXISTS pg_trgm;
