-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
