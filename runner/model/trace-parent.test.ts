import test from 'ava';
import { readTraceParent } from './trace-parent.ts';

const [traceId, parentId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

test('a traceparent names trace and span, and of its flags counts that it is sampled', (t) => {
  t.deepEqual(readTraceParent(`00-${traceId}-${parentId}-01`), { traceId, parentId, sampled: true });
  t.deepEqual(readTraceParent(`00-${traceId}-${parentId}-fe`), { traceId, parentId, sampled: false });
  t.true(readTraceParent(`00-${traceId}-${parentId}-03`)?.sampled);
});

test('a traceparent of a later version is read as far as it is known', (t) => {
  t.deepEqual(readTraceParent(`cc-${traceId}-${parentId}-01-what-comes-then`), { traceId, parentId, sampled: true });
  t.deepEqual(readTraceParent(`01-${traceId}-${parentId}-01`), { traceId, parentId, sampled: true });
});

test('a traceparent that is malformed counts as none', (t) => {
  const sound = `00-${traceId}-${parentId}-01`;
  for (const header of [
    undefined,
    '',
    sound.slice(0, -1),
    `${sound}-more`,
    `${sound}.`,
    `cc-${traceId}-${parentId}-01.what`,
    `ff-${traceId}-${parentId}-01`,
    `00-${'0'.repeat(32)}-${parentId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    sound.toUpperCase(),
    `00-${traceId.slice(1)}g-${parentId}-01`,
    ` ${sound}`,
    // As Node joins a header that came twice.
    `${sound}, ${sound}`,
    [sound],
  ])
    t.is(readTraceParent(header), undefined, String(header));
});
