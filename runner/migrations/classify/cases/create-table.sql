-- class: expand
-- verdict: accepted
-- rules:
-- squawk: require-concurrent-index-creation
-- difference: the table is made by the same script, so that nobody waits; squawk wants CONCURRENTLY outside a transaction.

CREATE TABLE invoices (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, total numeric NOT NULL);
CREATE INDEX invoices_total ON invoices (total);
