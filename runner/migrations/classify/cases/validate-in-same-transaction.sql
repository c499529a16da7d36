-- class: expand
-- verdict: refused
-- rules: validate-in-same-transaction
-- squawk: constraint-missing-not-valid

BEGIN;
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_user;
COMMIT;
