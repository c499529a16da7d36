-- class: none
-- verdict: accepted
-- rules:
-- squawk:

COMMENT ON TABLE users IS 'who may log in';
