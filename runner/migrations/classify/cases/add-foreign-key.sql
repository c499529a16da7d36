-- class: expand
-- verdict: refused
-- rules: constraint-without-not-valid
-- squawk: adding-foreign-key-constraint constraint-missing-not-valid

ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);
