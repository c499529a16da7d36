-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

-- sluice:no-transaction
CREATE INDEX CONCURRENTLY users_email ON users (email);
