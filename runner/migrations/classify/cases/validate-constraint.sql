-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TABLE orders VALIDATE CONSTRAINT orders_user;
