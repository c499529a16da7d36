import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, SluiceError } from '../model/errors.ts';
import { bytesPerSecond, residentBytes } from './memory-trend.ts';
import type { MemorySample } from './memory-trend.ts';
import { runTool, tools } from './run-tool.ts';
import type { CheckPlace, ToolEnd } from './run-tool.ts';
import { writeJUnit } from './write-junit.ts';
import type { CheckedCase } from './write-junit.ts';

export interface LoadCheck {
  /** What is asked, again and again. */
  readonly url: string;
  readonly durationMs: number;
  readonly connections: number;
  /** Requests a second by all connections together. */
  readonly rate: number;
  /** Limit of the 99th percentile of the latency, ms. */
  readonly p99Ms: number;
  /** Limit of the share of requests without an answer of 2xx, percent. */
  readonly errorPercent: number;
  /** Where memory is looked at, and how much it may grow with each request, bytes. */
  readonly memory?: { readonly url: string; readonly bytesPerRequest: number };
  /** Folder for the JUnit report and `load.json`. */
  readonly reports: string;
}

/** What a load came to. */
export interface LoadFigures {
  readonly requests: number;
  /** Of these, those that got an answer, whatever it says. */
  readonly answers: number;
  /** Requests without an answer of 2xx. */
  readonly errors: number;
  readonly seconds: number;
  readonly p99Ms: number;
  /** Whether it answered once more when the load was over. */
  readonly answersAfter: boolean;
  /** Missing where memory was not looked at; undefined where the app did not tell it. */
  readonly bytesPerRequest?: number | undefined;
}

const sampleMs = 250;
const askMs = 5_000;
const fewestSamples = 6;
/** Until then caches fill and compilers work, in every app. */
const warmShare = 1 / 3;

/**
 * Puts a load on an address, judges it by its limits, and answers whether all held. A request without an answer for twice the limit of the latency is an error, and the
 * address has to answer once more at the end: who hangs under load answers ever fewer requests, and those are quick. ERR_SERVICE when the tool is not there or says nothing.
 */
export async function checkLoad(check: LoadCheck, place: CheckPlace): Promise<boolean> {
  const figures = await measure(check, place);
  const cases = judgeLoad(check, figures);
  const reports = join(place.folder, check.reports);
  await mkdir(reports, { recursive: true });
  await writeFile(join(reports, 'load.json'), `${JSON.stringify(figures, null, 2)}\n`);
  await writeJUnit(join(reports, 'load.xml'), 'load', cases);
  for (const { name, failure } of cases) place.say(failure ?? `${name}: holds`);
  return cases.every(({ failure }) => failure === undefined);
}

async function measure(check: LoadCheck, place: CheckPlace): Promise<LoadFigures> {
  const { url, durationMs, connections, rate, memory } = check;
  const over = new AbortController();
  const watching = memory && sampleMemory(memory.url, AbortSignal.any([over.signal, place.signal]));
  const seconds = Math.max(1, Math.ceil(durationMs / 1_000));
  const patience = patienceSeconds(check);
  const limits = ['--connections', String(connections), '--overallRate', String(rate), '--duration', String(seconds)];
  const args = ['--json', '--no-progress', ...limits, '--timeout', String(patience), url];
  const end = await runTool('autocannon', args, place).finally(() => over.abort());
  const answersAfter = await answers(url, AbortSignal.any([AbortSignal.timeout(patience * 1_000), place.signal]));
  const figures = { ...readFigures(end), answersAfter };
  if (watching === undefined) return figures;
  const samples = (await watching).filter(({ at }) => at >= durationMs * warmShare);
  const growth = samples.length < fewestSamples ? undefined : bytesPerSecond(samples);
  const perRequest = growth === undefined ? undefined : (growth * figures.seconds) / figures.requests;
  return { ...figures, bytesPerRequest: perRequest };
}

/** As `autocannon --json` has it. */
interface Measured {
  readonly requests: { readonly total: number };
  readonly latency: { readonly p99: number };
  readonly duration: number;
  readonly errors: number;
  readonly non2xx: number;
}

/** For how long an answer is awaited: from then on it is none. autocannon knows whole seconds only. */
function patienceSeconds({ p99Ms }: LoadCheck): number {
  return Math.max(1, Math.ceil((2 * p99Ms) / 1_000));
}

/** Whether there is any answer. */
async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    await (await fetch(url, { signal, redirect: 'manual' })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

function readFigures({ exitCode, stdout, stderr }: ToolEnd): Omit<LoadFigures, 'answersAfter'> {
  try {
    const { requests, latency, duration, errors, non2xx } = JSON.parse(stdout) as Measured;
    const answered = requests.total;
    const told = [answered, latency.p99, duration, errors, non2xx];
    if (exitCode !== 0 || !told.every(Number.isFinite)) throw new Error(`it ended with exit code ${exitCode}`);
    return {
      ...{ requests: answered + errors, answers: answered, errors: errors + non2xx },
      ...{ seconds: duration, p99Ms: latency.p99 },
    };
  } catch (error) {
    throw new SluiceError('ERR_SERVICE', `autocannon says nothing of use: ${stderr.trim() || messageOf(error)}`, {
      cause: error,
      hint: `Sluice reads what autocannon ${tools.autocannon} says; another one may come from the repository's node_modules.`,
    });
  }
}

/** Each limit as a case of its own, red with the figure that broke it. */
export function judgeLoad(check: LoadCheck, figures: LoadFigures): readonly CheckedCase[] {
  const { p99Ms, errorPercent, memory, url } = check;
  const path = new URL(url).pathname;
  if (figures.answers === 0)
    return [{ name: `answers of ${path}`, failure: `${path} gave no answer in ${figures.seconds.toFixed(1)} s` }];
  const share = (figures.errors / figures.requests) * 100;
  const found = `${figures.requests} requests in ${figures.seconds.toFixed(1)} s`;
  const cases = [
    {
      name: `latency of ${path}`,
      failure:
        figures.p99Ms > p99Ms
          ? `p99 of ${path} is ${figures.p99Ms} ms, the limit is ${p99Ms} ms (${found})`
          : undefined,
    },
    {
      name: `errors of ${path}`,
      failure:
        share > errorPercent
          ? `${share.toFixed(2)} % of the requests to ${path} failed, the limit is ${errorPercent} % (${found})`
          : undefined,
    },
    {
      name: `answer of ${path} after the load`,
      failure: figures.answersAfter
        ? undefined
        : `${path} gave no answer within ${patienceSeconds(check)} s when the load was over (${found})`,
    },
  ];
  if (memory === undefined) return cases;
  return [...cases, { name: `memory under ${path}`, failure: memoryFault(memory, figures) }];
}

function memoryFault(
  { url, bytesPerRequest: limit }: NonNullable<LoadCheck['memory']>,
  figures: LoadFigures,
): string | undefined {
  const { bytesPerRequest: grown } = figures;
  if (grown === undefined)
    return `${url} does not say process_resident_memory_bytes often enough to judge it: is it there, and is the load long enough?`;
  if (grown <= limit) return undefined;
  return `memory grows by ${Math.round(grown)} bytes with each request, the limit is ${limit}`;
}

/** Until it is aborted. An answer that does not come is a sample less. */
async function sampleMemory(url: string, signal: AbortSignal): Promise<readonly MemorySample[]> {
  const began = performance.now();
  const samples: MemorySample[] = [];
  while (!signal.aborted) {
    const bytes = await askMemory(url, signal);
    if (bytes !== undefined) samples.push({ at: performance.now() - began, bytes });
    await sleep(sampleMs, undefined, { signal }).catch(() => undefined);
  }
  return samples;
}

async function askMemory(url: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(askMs)]) });
    const text = await answer.text();
    return answer.ok ? residentBytes(text) : undefined;
  } catch {
    return undefined;
  }
}
