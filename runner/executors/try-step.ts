import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';
import type { Verdict } from '../model/outcome.ts';
import type { RunStep } from '../model/plan.ts';
import type { Executor, StopReason } from './executor.ts';

/** How it went. */
interface Trial {
  readonly verdict: Verdict;
  /** Where the step ran; undefined when it never came to a place. */
  readonly place: Readonly<Record<string, Json>> | undefined;
  /** What it waited for last. */
  readonly waitedFor: string | undefined;
  readonly milliseconds: number;
}

const trialMs = 60_000;

/** Runs a step that does nothing, to prove that steps can run there: everything is real but its results. */
export async function tryStep(executor: Executor, image: string): Promise<Trial> {
  const spec = {
    runId: randomUUID(),
    step: nothingStep(image),
    attempt: 1,
    secrets: {},
    env: {},
    layers: [],
    caches: [],
  };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort('run_timeout' satisfies StopReason), trialMs);
  const began = performance.now();
  let place: Trial['place'];
  let waitedFor: string | undefined;
  try {
    const { outcome, reason, message } = await executor.execute(spec, {
      blobs: { put: refuse, open: refuse },
      render: String,
      log: { offset: 0, write: () => Promise.resolve() },
      maxLogBytes: 1_000_000,
      maxUploadBytes: 0,
      placed: (where) => {
        place = where;
        return Promise.resolve();
      },
      waiting: (lacks) => {
        waitedFor = lacks?.message;
        return Promise.resolve();
      },
      reported: () => Promise.resolve(),
      conceal: () => undefined,
      note: () => undefined,
      signal: late.signal,
    });
    const verdict = { outcome, ...(reason && { reason }), ...(message !== undefined && { message }) };
    return { verdict, place, waitedFor, milliseconds: Math.round(performance.now() - began) };
  } finally {
    clearTimeout(timer);
    executor.release({ runId: spec.runId, step: spec.step.id, attempt: spec.attempt });
  }
}

function nothingStep(image: string): RunStep {
  return {
    kind: 'run',
    id: 'doctor',
    name: 'doctor',
    needs: [],
    scope: {},
    finally: false,
    location: { file: '', line: 1, column: 1 },
    script: 'true',
    shell: 'sh',
    image,
    workdir: '',
    env: {},
    secrets: [],
    services: [],
    junit: { paths: [], allowEmpty: false },
    artifacts: [],
    outputs: { paths: [], values: [] },
    caches: [],
    resources: {},
    timeoutMs: trialMs,
    retry: { max: 0, on: [], backoffMs: 0 },
    infraRetries: 0,
    requires: [],
  };
}

function refuse(content: Readable | string): Promise<never> {
  if (content instanceof Readable) content.destroy();
  return Promise.reject(new SluiceError('ERR_UNSUPPORTED', 'a step that does nothing has no files'));
}
