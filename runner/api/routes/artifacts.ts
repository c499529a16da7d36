import { posix } from 'node:path';
import { Type } from 'typebox';
import { wholeReport } from '../../results/report/whole-run.ts';
import { selectArtifacts } from '../../results/report/run-artifacts.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { rangeOf } from '../byte-range.ts';
import { numberOf, pageOf, pageQuery, pageSchema } from '../pages.ts';
import { notFound } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { nothing } from '../stream.ts';
import { artifactSchema, attemptParams, runParams } from '../schemas.ts';

const closed = { additionalProperties: false };

export function artifactRoutes(api: ApiDependencies): readonly Route[] {
  const { engine, store } = api;
  return [
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/artifacts',
      id: 'list-artifacts',
      summary: 'The files that the steps of a run kept',
      tag: 'artifacts',
      access: { verb: 'read-runs', on: 'run' },
      params: runParams,
      query: Type.Object(pageQuery, closed),
      answers: {
        200: {
          description: 'One page of files, of the last attempts.',
          schema: pageSchema('artifacts', artifactSchema),
        },
      },
      handle: async ({ run, query: { limit = 50, cursor } }) => {
        const first = numberOf(cursor);
        const all = await selectArtifacts(await wholeReport(run.runId, { engine }), [], store);
        return pageOf('artifacts', all.slice(first, first + limit + 1), limit, () => first + limit);
      },
    }),
    ...downloads(api),
  ];
}

function downloads({ store, blobs }: ApiDependencies): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/steps/{step}/attempts/{attempt}/artifacts/content',
      id: 'download-artifact',
      summary: 'The bytes of a file that an attempt kept',
      description:
        'Always as an attachment: what a step wrote is never shown as part of this site. A `range` header takes a part.',
      tag: 'artifacts',
      access: { verb: 'read-runs', on: 'run' },
      raw: true,
      params: attemptParams,
      query: Type.Object({ path: Type.String({ minLength: 1, maxLength: 4_096 }) }, closed),
      answers: {
        200: { description: 'The file.', type: 'application/octet-stream' },
        206: { description: 'A part of it.', type: 'application/octet-stream' },
        304: { description: 'The asker has it already.' },
      },
      handle: async ({ run, params: { step, attempt }, query: { path }, request, reply }) => {
        const entries = await store.artifacts({ runId: run.runId, step, attempt });
        // Looked up in what was recorded, so that no path of the asker ever meets a disk.
        const entry = entries.find((other) => other.path === path);
        if (!entry) throw notFound();
        const { sha256, bytes } = entry;
        const etag = `"${sha256}"`;
        reply
          .type('application/octet-stream')
          .header('etag', etag)
          .header('accept-ranges', 'bytes')
          .header('content-disposition', attachment(path));
        if (request.headers['if-none-match'] === etag) return reply.code(304).send();
        const condition = request.headers['if-range'];
        const range = condition === undefined || condition === etag ? rangeOf(request.headers.range, bytes) : undefined;
        if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end - 1}/${bytes}`);
        reply.header('content-length', range ? range.end - range.start : bytes);
        return request.method === 'HEAD' ? nothing() : blobs.open(sha256, range);
      },
    }),
  ];
}

/** RFC 6266: a plain name for old readers, and the real one. */
function attachment(path: string): string {
  const name = posix.basename(path);
  const plain = name.replaceAll(/[^\w.-]/g, '_');
  const exact = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
