/** Tables in which migration tools remember what they applied; they are no part of the schema. In any schema, as each tool names them by default. */
export const bookkeepingTables: readonly string[] = [
  'sluice_migrations',
  'pgmigrations',
  '_prisma_migrations',
  'knex_migrations',
  'knex_migrations_lock',
  'SequelizeMeta',
  'alembic_version',
  'django_migrations',
  'flyway_schema_history',
  'schema_migrations',
];
