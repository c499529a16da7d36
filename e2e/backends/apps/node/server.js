import { createServer } from 'node:http';
import pg from 'pg';

const { DATABASE_URL, PORT } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL });
pool.on('error', ({ message }) => console.error(message));

/** Method and path to what answers them: a status and a body. */
const routes = {
  'GET /healthz': async () => {
    await pool.query('SELECT 1');
    return [200, { healthy: true }];
  },
  'GET /tasks': async () => {
    const { rows } = await pool.query('SELECT * FROM tasks ORDER BY id');
    return [200, rows];
  },
  'POST /tasks': async ({ title }) => {
    if (typeof title !== 'string' || title === '') return [400, { error: 'a task needs a title' }];
    const { rows } = await pool.query('INSERT INTO tasks (title) VALUES ($1) RETURNING *', [title]);
    return [201, rows[0]];
  },
};

async function answer(request) {
  const route = routes[`${request.method} ${request.url}`];
  if (route === undefined) return [404, { error: 'there is nothing here' }];
  const chunks = await Array.fromAsync(request);
  return route(chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString()));
}

const server = createServer((request, response) => {
  answer(request)
    .catch(({ message }) => [500, { error: message }])
    .then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
});
server.listen(Number(PORT));
process.once('SIGTERM', () => server.close(() => pool.end()));
