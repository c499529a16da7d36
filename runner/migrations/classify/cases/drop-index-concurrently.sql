-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

-- sluice:no-transaction
DROP INDEX CONCURRENTLY users_email;
