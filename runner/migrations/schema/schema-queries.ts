/**
 * One query per kind of object: `name` is unique within the kind, `definition` all that matters of it. Nothing here may depend on
 * oids, owners, the order of creation or the search path. `$1` are the tables that are not looked at.
 */
export const schemaQueries = {
  schema: `SELECT n.nspname AS name, '{}'::jsonb AS definition FROM ours n`,

  extension: `SELECT e.extname AS name, jsonb_build_object('schema', n.nspname) AS definition
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'`,

  table: `SELECT r.name, jsonb_build_object('kind', r.relkind, 'persistence', r.relpersistence,
      'partitionedBy', pg_get_partkeydef(r.oid), 'partition', pg_get_expr(c.relpartbound, c.oid), 'parents', (
        SELECT jsonb_agg(p.oid::regclass::text ORDER BY p.oid::regclass::text)
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = r.oid),
      'rowSecurity', c.relrowsecurity, 'forcedRowSecurity', c.relforcerowsecurity) AS definition
    FROM relations r JOIN pg_class c ON c.oid = r.oid WHERE r.relkind IN ('r', 'p', 'f')`,

  column: `SELECT r.name || '.' || a.attname AS name, jsonb_build_object('type', format_type(a.atttypid, a.atttypmod),
      'notNull', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity,
      'generated', a.attgenerated, 'collation', (
        SELECT l.collname FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid
        WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)) AS definition
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')`,

  constraint: `SELECT coalesce(r.name, t.name) || '.' || k.conname AS name, jsonb_build_object('type', k.contype,
      'definition', pg_get_constraintdef(k.oid)) AS definition
    FROM pg_constraint k LEFT JOIN relations r ON r.oid = k.conrelid LEFT JOIN types t ON t.oid = k.contypid
    WHERE k.contype <> 'n' AND coalesce(r.name, t.name) IS NOT NULL`,

  index: `SELECT r.name || '.' || c.relname AS name, jsonb_build_object('definition', pg_get_indexdef(c.oid),
      'unique', i.indisunique, 'valid', i.indisvalid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN relations r ON r.oid = i.indrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))`,

  enum: `SELECT t.name, jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) AS definition
    FROM types t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.name`,

  domain: `SELECT t.name, jsonb_build_object('type', format_type(d.typbasetype, d.typtypmod), 'notNull', d.typnotnull,
      'default', d.typdefault) AS definition
    FROM types t JOIN pg_type d ON d.oid = t.oid WHERE d.typtype = 'd'`,

  range: `SELECT t.name, to_jsonb(format_type(g.rngsubtype, NULL)) AS definition
    FROM types t JOIN pg_range g ON g.rngtypid = t.oid`,

  sequence: `SELECT r.name, jsonb_build_object('type', format_type(s.seqtypid, NULL), 'start', s.seqstart,
      'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cycle', s.seqcycle) AS definition
    FROM relations r JOIN pg_sequence s ON s.seqrelid = r.oid`,

  function: `SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
      CASE p.prokind WHEN 'a' THEN (
        SELECT jsonb_build_object('step', g.aggtransfn::regprocedure::text, 'final', g.aggfinalfn::regproc::text,
          'result', pg_get_function_result(p.oid), 'initial', g.agginitval)
        FROM pg_aggregate g WHERE g.aggfnoid = p.oid)
      ELSE to_jsonb(pg_get_functiondef(p.oid)) END AS definition
    FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace WHERE NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))`,

  trigger: `SELECT r.name || '.' || g.tgname AS name, jsonb_build_object('definition', pg_get_triggerdef(g.oid),
      'enabled', g.tgenabled) AS definition
    FROM pg_trigger g JOIN relations r ON r.oid = g.tgrelid WHERE NOT g.tgisinternal`,

  view: `SELECT r.name, jsonb_build_object('kind', r.relkind, 'query', pg_get_viewdef(r.oid),
      'options', to_jsonb(c.reloptions)) AS definition
    FROM relations r JOIN pg_class c ON c.oid = r.oid WHERE r.relkind IN ('v', 'm')`,

  rule: `SELECT r.name || '.' || w.rulename AS name, to_jsonb(pg_get_ruledef(w.oid)) AS definition
    FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'`,

  policy: `SELECT r.name || '.' || p.polname AS name, jsonb_build_object('command', p.polcmd,
      'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid),
      'check', pg_get_expr(p.polwithcheck, p.polrelid), 'roles', (
        SELECT jsonb_agg(coalesce(o.rolname, 'public') ORDER BY o.rolname)
        FROM unnest(p.polroles) AS role(id) LEFT JOIN pg_roles o ON o.oid = role.id)) AS definition
    FROM pg_policy p JOIN relations r ON r.oid = p.polrelid`,

  statistics: `SELECT n.nspname || '.' || s.stxname AS name, to_jsonb(pg_get_statisticsobjdef(s.oid)) AS definition
    FROM pg_statistic_ext s JOIN ours n ON n.oid = s.stxnamespace`,
} as const satisfies Readonly<Record<string, string>>;

/** What the queries stand on: schemas, relations and types that neither the system, nor an extension, nor a tool made for itself. */
export const schemaPrelude = `WITH ours AS (
    SELECT oid, nspname FROM pg_namespace n WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
  ), relations AS (
    SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind, c.relpersistence
    FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
    WHERE c.relname <> ALL ($1) AND c.relpersistence <> 't' AND NOT EXISTS (
      SELECT FROM pg_depend d LEFT JOIN pg_class o ON o.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND (d.deptype = 'e' OR (d.deptype IN ('a', 'i') AND o.relname = ANY ($1))))
  ), types AS (
    SELECT t.oid, n.nspname || '.' || t.typname AS name FROM pg_type t JOIN ours n ON n.oid = t.typnamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
  )`;
