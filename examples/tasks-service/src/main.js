import pg from 'pg';
import { createApi } from './server.js';
import { createTasks } from './tasks.js';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const server = createApi(createTasks(pool)).listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`listening on port ${server.address().port}`);
});

process.once('SIGTERM', () => server.close(() => pool.end()));
