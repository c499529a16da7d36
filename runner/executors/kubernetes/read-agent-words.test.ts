import test from 'ava';
import fc from 'fast-check';
import { SluiceError } from '../../model/errors.ts';
import type { AgentState } from '../../agent/protocol.ts';
import { readAgentState, readWishQuestion } from './read-agent-words.ts';

const digest = 'a'.repeat(64);
const collected: AgentState = {
  phase: 'collected',
  startedAt: 1,
  finishedAt: 2,
  exitCode: 0,
  results: {
    files: [{ kind: 'artifact', path: 'dist/a.txt', sha256: digest, bytes: 3, mode: 0o644 }],
    output: 'a=1\n',
    handover: digest,
    caches: { npm: digest },
    problem: { reason: 'artifact_missing', message: 'nothing matches x' },
    notes: ['a remark'],
    log: { bytes: 5, sha256: digest, complete: true },
  },
};

test('every state of the protocol is read as it is', (t) => {
  const states: readonly AgentState[] = [
    { phase: 'waiting' },
    { phase: 'refused', reason: 'workspace_failed', message: 'no such blob', notes: [] },
    { phase: 'running', startedAt: 1 },
    { phase: 'ended', startedAt: 1, finishedAt: 2 },
    collected,
  ];
  for (const state of states) {
    t.deepEqual(readWishQuestion(JSON.parse(JSON.stringify({ state, obeyed: 'wait' }))).state, state);
  }
});

/** Every place in a JSON value with something else in it. */
function* distortions(value: unknown): Generator {
  for (const other of [null, -1, 1.5, 'x', [], {}, '../../etc/passwd', '/etc/passwd']) yield other;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    for (const other of distortions(item)) {
      yield Array.isArray(value) ? value.toSpliced(Number(key), 1, other) : { ...value, [key]: other };
    }
  }
}

test('what is not of the protocol is refused, whatever place it stands in', (t) => {
  let refused = 0;
  for (const value of distortions(collected)) {
    try {
      const state = readAgentState(value);
      // What passes keeps the promises that others build on.
      const paths = state.phase === 'collected' ? state.results.files.map(({ path }) => path) : [];
      t.false(paths.some((path) => path.startsWith('/') || path.includes('..')));
    } catch (error) {
      t.true(error instanceof SluiceError && error.code === 'ERR_USAGE');
      refused += 1;
    }
  }
  t.true(refused > 100);
});

test('any JSON is either read or refused, never an accident', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        readWishQuestion(value);
      } catch (error) {
        return error instanceof SluiceError;
      }
      return true;
    }),
  );
  t.pass();
});
