import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../model/errors.ts';
import type { StepId } from '../model/plan.ts';
import type { AttemptKey } from '../model/result.ts';
import { reportOf } from '../results/report/run-report.ts';
import type { StepReport } from '../results/report/step-report.ts';
import type { LogLine } from '../results/log/logs.ts';
import type { Services, Session } from './session.ts';
import { harmless } from './terminal/text.ts';
import { LineSplitter } from './view/line-splitter.ts';
import { endingWords } from './view/step-detail.ts';

export interface LogSelection {
  readonly runId: string;
  /** Undefined for all. */
  readonly step?: StepId;
  /** Undefined for the last. */
  readonly attempt?: number;
}

/** Writes stored logs: the bytes as they are into a pipe, harmless text to a terminal, one object per line as JSON. */
export async function printLogs(
  selection: LogSelection & { readonly timestamps?: boolean },
  session: Session,
  services: Services,
): Promise<void> {
  const { stdout } = session.io;
  const keys = await selectLogs(selection, services);
  for (const key of keys) {
    if (keys.length > 1 && !session.json) session.print(`==> ${key.step} <==`);
    await pipeline(sourceOf(key, selection.timestamps ?? false, session, services), stdout, { end: false });
  }
}

/** The attempts meant. ERR_USAGE when a step or attempt is named that has no log. */
async function selectLogs(
  { runId, step: id, attempt }: LogSelection,
  { engine }: Pick<Services, 'engine'>,
): Promise<readonly AttemptKey[]> {
  const { steps } = reportOf(await engine.state(runId));
  const meant =
    id === undefined ? steps.filter(({ attempts }) => attempts.length > 0) : steps.filter((step) => step.id === id);
  return meant.flatMap((step) => {
    if (hasAttempt(step, attempt)) return { runId, step: step.id, attempt: attempt ?? step.attempts.length };
    if (id === undefined) return [];
    const why = step.attempts.length === 0 ? `has not run: ${endingWords(step)}` : `has only ${step.attempts.length}`;
    throw new SluiceError('ERR_USAGE', `${attempt === undefined ? '' : `attempt ${attempt} of `}step "${id}" ${why}`);
  });
}

function hasAttempt({ attempts }: StepReport, attempt: number | undefined): boolean {
  return attempts.length >= (attempt ?? 1);
}

function sourceOf(
  key: AttemptKey,
  timestamps: boolean,
  { json, io }: Session,
  { logs }: Services,
): AsyncIterable<string | Uint8Array> {
  if (json) return jsonLines(key, logs.lines(key));
  const isTerminal = io.stdout.isTTY === true;
  if (timestamps) return timedLines(logs.lines(key), isTerminal);
  return isTerminal ? harmlessLines(logs.read(key)) : bytesOf(logs.read(key));
}

async function* jsonLines({ step, attempt }: AttemptKey, lines: AsyncIterable<LogLine>): AsyncIterable<string> {
  for await (const { at, bytes } of lines) {
    yield `${JSON.stringify({ step, attempt, at, text: Buffer.from(bytes).toString('utf8') })}\n`;
  }
}

async function* timedLines(lines: AsyncIterable<LogLine>, isTerminal: boolean): AsyncIterable<string | Uint8Array> {
  for await (const { at, bytes } of lines) {
    yield `${new Date(at).toISOString()} `;
    yield isTerminal ? harmless(Buffer.from(bytes).toString('utf8'), true) : bytes;
    yield '\n';
  }
}

async function* harmlessLines(content: Promise<AsyncIterable<Uint8Array>>): AsyncIterable<string> {
  const lines = new LineSplitter();
  for await (const chunk of await content) {
    yield lines
      .add(chunk)
      .map((line) => `${harmless(line, true)}\n`)
      .join('');
  }
  const rest = lines.end();
  if (rest !== '') yield `${harmless(rest, true)}\n`;
}

async function* bytesOf(content: Promise<AsyncIterable<Uint8Array>>): AsyncIterable<Uint8Array> {
  yield* await content;
}
