-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

CREATE FUNCTION greet(name text) RETURNS text LANGUAGE sql AS $$ SELECT 'hello ' || name $$;
