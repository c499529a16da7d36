-- class: contract
-- verdict: refused
-- rules: drop-column
-- squawk:
-- difference: squawk does not look into DO.

DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.columns WHERE column_name = 'nickname') THEN
    ALTER TABLE users DROP COLUMN nickname;
  END IF;
END $$;
