import type { DatabaseUrls } from './database-roles.ts';

/** What an operation has to know of the place it works in, as JSON. */
export const siteVariable = 'SLUICE_SITE';

/** The variable with the name of the database whose copies a preview begins with. */
export const originVariable = 'SLUICE_DATABASE_ORIGIN';

/** Variables in which an operation finds the URL of a database, by whose rights it gives. */
export const databaseVariables: Readonly<Record<keyof DatabaseUrls, string>> = {
  app: 'SLUICE_DATABASE_APP',
  migrator: 'SLUICE_DATABASE_MIGRATOR',
  admin: 'SLUICE_DATABASE_ADMIN',
};
