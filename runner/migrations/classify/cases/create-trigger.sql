-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

CREATE TRIGGER stamp BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION stamp();
