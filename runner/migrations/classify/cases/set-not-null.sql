-- class: contract
-- verdict: refused
-- rules: not-null-scan set-not-null
-- squawk: adding-not-nullable-field

ALTER TABLE users ALTER COLUMN email SET NOT NULL;
