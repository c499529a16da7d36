-- class: contract
-- verdict: refused
-- rules: set-not-null
-- squawk:
-- difference: squawk sees the validated CHECK, so that no scan is needed; live code that writes NULL fails all the same.

-- sluice:no-transaction
ALTER TABLE users ADD CONSTRAINT users_email_present CHECK (email IS NOT NULL) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_email_present;
ALTER TABLE users ALTER COLUMN email SET NOT NULL;
