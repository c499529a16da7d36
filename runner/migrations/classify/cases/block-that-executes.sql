-- class: breaking
-- verdict: refused
-- rules: opaque-code
-- squawk:
-- difference: squawk does not look into DO.

DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables LOOP
    EXECUTE 'DROP TABLE ' || name;
  END LOOP;
END $$;
