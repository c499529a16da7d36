/** The server of the Node app with something wrong in it, each a change of its text. */
const broken =
  (from: string, to: string) =>
  (server: string): string => {
    if (!server.includes(from)) throw new Error(`the server has no ${from}`);
    return server.replace(from, to);
  };

/** Answers reads as it should, and forgets that a task needs a title. */
export const takesAnything = broken("typeof title !== 'string' || title === ''", 'false');

export const startsInTestingOnly = broken(
  'const pool =',
  `if (process.env.SLUICE_ENVIRONMENT === 'production' && !process.env.PAYMENT_KEY) throw new Error('PAYMENT_KEY is not set');
const pool =`,
);

/** Well when it starts, and in testing; twenty answers are fewer than any soak asks for. */
export const fallsIllInProduction = broken(
  "await pool.query('SELECT 1');",
  `await pool.query('SELECT 1');
    globalThis.asked = (globalThis.asked ?? 0) + 1;
    if (process.env.SLUICE_ENVIRONMENT === 'production' && globalThis.asked > 20) return [500, { error: 'out of connections' }];`,
);

/** Knows a column that no release before it wrote. */
export const needsOwner = broken(
  "'INSERT INTO tasks (title) VALUES ($1) RETURNING *', [title]",
  "'INSERT INTO tasks (title, owner) VALUES ($1, $2) RETURNING *', [title, 'ada']",
);
