-- class: expand
-- verdict: refused
-- rules: index-without-concurrently
-- squawk: require-concurrent-index-creation

CREATE TABLE IF NOT EXISTS invoices (id bigint PRIMARY KEY, total numeric);
CREATE INDEX invoices_total ON invoices (total);
