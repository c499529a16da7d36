import test from 'ava';
import type { BlobAccess } from '../../workspace/blob-access.ts';
import { AgentDesk } from './agent-desk.ts';

const blobs: BlobAccess = {
  open: () => Promise.reject(new Error('nothing is read')),
  put: () => Promise.reject(new Error('nothing is stored')),
};

test('output that comes before the attempt was taken up is asked for again, and is no failure of it', async (t) => {
  const desk = new AgentDesk();
  const chunk = Buffer.from('a line\n');
  await t.throwsAsync(desk.log(0, chunk), { code: 'ERR_UNSUPPORTED' });
  t.is(desk.failure, undefined);
  const kept: string[] = [];
  const write = (piece: Uint8Array): Promise<void> => {
    kept.push(Buffer.from(piece).toString());
    return Promise.resolve();
  };
  desk.open({ blobs, logOffset: 2, write });
  t.is(await desk.log(0, chunk), 7);
  t.deepEqual(kept, ['line\n']);
});

test('output that cannot be stored is a failure', async (t) => {
  const desk = new AgentDesk();
  desk.open({ blobs, logOffset: 0, write: () => Promise.reject(new Error('the disk is full')) });
  await t.throwsAsync(desk.log(0, Buffer.from('a')), { message: 'the disk is full' });
  t.is(desk.failure?.message, 'the disk is full');
});

const collected = {
  phase: 'collected',
  startedAt: 1,
  finishedAt: 2,
  exitCode: 0,
  results: { files: [], output: '', caches: {}, notes: [], log: { bytes: 7, sha256: 'f'.repeat(64), complete: true } },
} as const;

test('a question that is held back is answered by what its agent tells beside it: output that this runner lacks', async (t) => {
  const desk = new AgentDesk();
  desk.open({ blobs, logOffset: 3, write: () => Promise.resolve() });
  const { signal } = new AbortController();
  const answer = desk.answer({ state: { phase: 'running', startedAt: 1 }, obeyed: 'run' }, signal);
  desk.hear(collected);
  t.deepEqual(await answer, { do: 'resend', offset: 3 });
});

test('a question is held back until something else is wanted than its agent does', async (t) => {
  const desk = new AgentDesk();
  desk.want({ do: 'stop', graceMs: 1 });
  const answer = desk.answer(
    { state: { phase: 'running', startedAt: 1 }, obeyed: 'stop' },
    new AbortController().signal,
  );
  desk.hear({ phase: 'ended', startedAt: 1, finishedAt: 2 });
  desk.want({ do: 'leave' });
  t.deepEqual(await answer, { do: 'leave' });
});
