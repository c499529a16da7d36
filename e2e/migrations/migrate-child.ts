import { psql } from './command.ts';
import { migrate } from '../../runner/migrations/apply/migrate.ts';

/** A migration in a process of its own, to be killed: `migrate-child.ts URL STATEMENT…`. Its psql gets no signal and lives on. */
const [url = '', ...statements] = process.argv.slice(2);
await migrate({ url, run: psql(...statements), signal: AbortSignal.timeout(100_000) });
