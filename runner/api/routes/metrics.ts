import { Readable } from 'node:stream';
import type { ApiDependencies } from '../dependencies.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { nothing } from '../stream.ts';

/** Version of the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const format = 'text/plain; version=0.0.4; charset=utf-8';

export function metricsRoute({ metrics }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/metrics',
    id: 'metrics',
    summary: 'Figures of this process for Prometheus',
    description:
      'They tell how much is going on, so that they need a token for all repositories; the least role will do.',
    tag: 'operation',
    access: { verb: 'read-metrics', on: 'installation' },
    raw: true,
    answers: { 200: { description: 'Counters and histograms.', type: 'text/plain' } },
    handle: async ({ request, reply }) => {
      reply.type(format);
      return request.method === 'HEAD' ? nothing() : Readable.from([await metrics()], { objectMode: false });
    },
  });
}
