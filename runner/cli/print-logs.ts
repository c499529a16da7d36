import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../model/errors.ts';
import type { StepId } from '../model/plan.ts';
import type { AttemptKey, LogSeal } from '../model/result.ts';
import type { StepReport } from '../results/report/step-report.ts';
import type { LogLine } from '../results/log/logs.ts';
import type { Services, Session } from './session.ts';
import { harmless } from './terminal/text.ts';
import { LineSplitter } from './view/line-splitter.ts';
import { endingWords } from './view/step-detail.ts';
import { count } from './view/words.ts';
import { runOfStep } from '../results/report/run-of-step.ts';
import { wholeReport } from '../results/report/whole-run.ts';

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

interface MeantLog extends AttemptKey {
  readonly seal?: LogSeal;
}

/** The attempts meant. ERR_USAGE when a step or attempt is named that has no log. */
async function selectLogs(
  { runId, step: id, attempt }: LogSelection,
  { engine }: Pick<Services, 'engine'>,
): Promise<readonly MeantLog[]> {
  const report = await wholeReport(runId, { engine });
  const { steps } = report;
  const meant =
    id === undefined ? steps.filter(({ attempts }) => attempts.length > 0) : steps.filter((step) => step.id === id);
  const found = meant.flatMap((step) => {
    if (hasAttempt(step, attempt)) {
      const number = attempt ?? step.attempts.length;
      const seal = step.attempts[number - 1]?.log;
      return { runId: runOfStep(report, step), step: step.id, attempt: number, ...(seal && { seal }) };
    }
    if (id === undefined) return [];
    throw withoutLog(step);
  });
  if (found.length > 0 || attempt === undefined) return found;
  throw new SluiceError('ERR_USAGE', `no step has an attempt ${attempt}`);
}

function withoutLog(step: StepReport): SluiceError {
  const { id, attempts, outcome } = step;
  if (attempts.length > 0)
    return new SluiceError('ERR_USAGE', `step "${id}" has only ${count(attempts.length, 'attempt')}`);
  return new SluiceError(
    'ERR_USAGE',
    `step "${id}" has not run${outcome === undefined ? ' yet' : `: ${endingWords(step)}`}`,
  );
}

function hasAttempt({ attempts }: StepReport, attempt: number | undefined): boolean {
  return attempts.length >= (attempt ?? 1);
}

/** How a terminal gets a line. */
type Show = (line: string) => string;

function sourceOf(
  { seal, ...key }: MeantLog,
  timestamps: boolean,
  { json, io, color }: Session,
  { logs }: Services,
): AsyncIterable<string | Uint8Array> {
  if (json) return jsonLines(key, logs.lines(key, seal));
  const isTerminal = io.stdout.isTTY === true;
  const shown = isTerminal ? (line: string) => harmless(line, color) : undefined;
  if (timestamps) return timedLines(logs.lines(key, seal), shown);
  const content = logs.read(key, undefined, seal);
  return shown ? shownLines(content, shown) : bytesOf(content);
}

async function* jsonLines({ step, attempt }: AttemptKey, lines: AsyncIterable<LogLine>): AsyncIterable<string> {
  for await (const { at, bytes } of lines) {
    yield `${JSON.stringify({ step, attempt, at, text: Buffer.from(bytes).toString('utf8') })}\n`;
  }
}

async function* timedLines(lines: AsyncIterable<LogLine>, shown?: Show): AsyncIterable<string | Uint8Array> {
  for await (const { at, bytes } of lines) {
    yield `${new Date(at).toISOString()} `;
    yield shown ? shown(Buffer.from(bytes).toString('utf8')) : bytes;
    yield '\n';
  }
}

async function* shownLines(content: Promise<AsyncIterable<Uint8Array>>, shown: Show): AsyncIterable<string> {
  const lines = new LineSplitter();
  for await (const chunk of await content) {
    yield lines
      .add(chunk)
      .map((line) => `${shown(line)}\n`)
      .join('');
  }
  const rest = lines.end();
  if (rest !== '') yield `${shown(rest)}\n`;
}

async function* bytesOf(content: Promise<AsyncIterable<Uint8Array>>): AsyncIterable<Uint8Array> {
  yield* await content;
}
