import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { isOverdue, parseTask } from './task.js';

const notFound = { status: 404, body: { error: 'not found' } };

/** The HTTP API of the tasks; `clock` answers the present time. */
export function createApi(tasks, clock = () => new Date()) {
  const view = (task) => ({ ...task, overdue: isOverdue(task, clock()) });
  const orNotFound = (task) => (task ? { status: 200, body: view(task) } : notFound);

  const collection = {
    async GET({ query }) {
      const limit = Number(query.get('limit') ?? 50);
      const after = query.get('after') ?? '0';
      if (!Number.isInteger(limit) || limit < 1 || limit > 200)
        return invalid(['limit must be a number from 1 to 200']);
      if (!/^\d{1,18}$/.test(after)) return invalid(['after must be the id of a task']);
      const rows = await tasks.list({ after, limit });
      return { status: 200, body: { tasks: rows.map(view), next: rows.length === limit ? rows.at(-1).id : null } };
    },
    async POST({ body }) {
      const { fields, mistakes } = parseTask(await body());
      return mistakes ? invalid(mistakes) : { status: 201, body: view(await tasks.create(fields)) };
    },
  };
  const member = {
    async GET({ id }) {
      return orNotFound(await tasks.get(id));
    },
    async PATCH({ id, body }) {
      const { fields, mistakes } = parseTask(await body(), { partial: true });
      return mistakes ? invalid(mistakes) : orNotFound(await tasks.change(id, fields));
    },
    async DELETE({ id }) {
      return (await tasks.remove(id)) ? { status: 204 } : notFound;
    },
  };

  return createServer(async (request, response) => {
    const { status, body } = await answer(request, { collection, member }).catch((error) => {
      console.error(error);
      return { status: 500, body: { error: 'internal error' } };
    });
    response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body));
  });
}

async function answer(request, { collection, member }) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://localhost');
  if (pathname === '/healthz') return { status: 200, body: { ok: true } };
  const [, id] = /^\/tasks(?:\/(\d{1,18}))?$/.exec(pathname) ?? [null, null];
  if (id === null) return notFound;
  const handler = (id === undefined ? collection : member)[request.method];
  if (!handler) return { status: 405, body: { error: 'method not allowed' } };
  return handler({ id, query, body: () => json(request).catch(() => undefined) });
}

function invalid(mistakes) {
  return { status: 400, body: { error: 'invalid request', mistakes } };
}
