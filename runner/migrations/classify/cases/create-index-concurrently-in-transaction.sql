-- class: expand
-- verdict: refused
-- rules: concurrently-in-transaction
-- squawk: ban-concurrent-index-creation-in-transaction

BEGIN;
CREATE INDEX CONCURRENTLY users_email ON users (email);
COMMIT;
