import test from 'ava';
import { classifyResponse } from './classify-response.ts';

const now = Date.UTC(2026, 10, 28);
const classify = (status: number, headers: Record<string, string> = {}, text = '') =>
  classifyResponse({ status, headers, text }, now);

test('success is done; what somebody may put right is tried again; what will never be taken is given up', (t) => {
  for (const status of [200, 201, 202, 204]) t.is(classify(status).kind, 'done', `${status}`);
  for (const status of [301, 302, 307, 308, 401, 403, 404, 408, 425, 429, 500, 502, 503, 504])
    t.is(classify(status).kind, 'retry', `${status}`);
  for (const status of [400, 405, 409, 410, 413, 415, 422]) t.is(classify(status).kind, 'give-up', `${status}`);
});

test('the wait that it asks for counts, in seconds, as a date, and as the end of a limit', (t) => {
  t.like(classify(429, { 'retry-after': '7' }), { kind: 'retry', afterMs: 7_000 });
  t.like(classify(503, { 'retry-after': new Date(now + 90_000).toUTCString() }), { kind: 'retry', afterMs: 90_000 });
  t.like(classify(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1_000 + 60) }), {
    afterMs: 60_000,
  });
  t.like(classify(429, { 'retry-after': '999999999' }), { afterMs: 86_400_000 });
  t.like(classify(429, { 'retry-after': new Date(now - 1_000).toUTCString() }), { afterMs: 0 });
  for (const odd of ['', 'soon', '-1x'])
    t.is(Reflect.get(classify(429, { 'retry-after': odd }), 'afterMs'), undefined, odd);
});

test('the reason says what it answered, in one short line', (t) => {
  const answer = classify(422, {}, `no\n\tsuch ${'x'.repeat(1_000)}`);
  t.regex(answer.kind === 'give-up' ? answer.reason : '', /^it answered 422: no such x{50,200}$/);
});
