/**
 * The trace is in the database itself: an event trigger sees every statement of DDL, however short, before it begins and when it
 * has all its locks. What is written is part of the user's transaction.
 */
const traceSchema = 'sluice_trace';

export const beginTrace = `
  CREATE SCHEMA ${traceSchema};
  CREATE TABLE ${traceSchema}.steps (
    id bigserial, at timestamptz NOT NULL DEFAULT clock_timestamp(), pid int NOT NULL DEFAULT pg_backend_pid(),
    event text NOT NULL, tag text NOT NULL, objects text[] NOT NULL, locks jsonb NOT NULL);
  CREATE FUNCTION ${traceSchema}.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE
      objects text[] := '{}';
    BEGIN
      IF tg_event = 'ddl_command_end' THEN
        SELECT coalesce(array_agg(DISTINCT object_identity), '{}') INTO objects FROM pg_event_trigger_ddl_commands()
          WHERE object_identity IS NOT NULL;
      END IF;
      INSERT INTO ${traceSchema}.steps (event, tag, objects, locks)
        SELECT tg_event, tg_tag, objects, coalesce(jsonb_agg(jsonb_build_object('table', relation::int8, 'mode', mode)), '[]')
        FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted;
    END $$;
  CREATE EVENT TRIGGER sluice_trace_start ON ddl_command_start EXECUTE FUNCTION ${traceSchema}.note();
  CREATE EVENT TRIGGER sluice_trace_end ON ddl_command_end EXECUTE FUNCTION ${traceSchema}.note();`;

export const endTrace = `
  DROP EVENT TRIGGER sluice_trace_start;
  DROP EVENT TRIGGER sluice_trace_end;`;

export const removeTrace = `DROP SCHEMA ${traceSchema} CASCADE`;

export const readSteps = `SELECT pid, event, tag, objects, locks, (extract(epoch FROM at) * 1000)::float8 AS at
  FROM ${traceSchema}.steps ORDER BY pid, id`;
