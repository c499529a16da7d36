import { formatBytes } from './format-bytes.ts';
import type { TestCase } from '../../model/result.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import type { Palette } from '../terminal/palette.ts';
import { isWork } from './run-lines.ts';
import { endingWords } from './step-detail.ts';
import { isRed } from './step-mark.ts';
import { count, oneLine, testCounts, wordsIn } from './words.ts';

/** What is shown of a red step below the tree. */
export interface RedStep {
  readonly step: StepReport;
  /** Last lines of its log, safe for a terminal. */
  readonly tail: readonly string[];
  /** Some of its red test cases. */
  readonly cases: readonly TestCase[];
}

/** Why each red step is red: reason, next step, red tests, last lines. */
export function redLines({ step, tail, cases }: RedStep, palette: Palette): readonly string[] {
  // An exit code speaks through the last lines, red tests through their messages.
  const speaks = step.message === undefined || step.reason === 'exit_code' || cases.length > 0;
  const hint = speaks ? undefined : step.hint;
  return [
    `${palette.bad(palette.strong(step.id))} ${palette.bad(endingWords(step))}`,
    // The log has them too, where there is one.
    ...(tail.length > 0 ? [] : wordsIn(step.message ?? '').slice(1)).map((line) => `  ${palette.faint(line)}`),
    ...(hint === undefined ? [] : [`  ${palette.faint(hint)}`]),
    ...cases.flatMap((testCase) => [
      `  ${palette.bad('✗')} ${caseName(testCase)}`,
      ...(testCase.message === '' ? [] : [`    ${palette.faint(oneLine(testCase.message))}`]),
    ]),
    ...tail.map((line) => `  ${palette.faint('│')} ${line}`),
  ];
}

/** "api › login › refuses a wrong password". */
export function caseName({ suites, className, name }: TestCase): string {
  const path = suites.length > 0 ? suites : [className];
  return oneLine([...path.filter((part) => part !== '' && part !== name), name].join(' › '));
}

/** What the report of a run does not tell. */
export interface Surroundings {
  /** Nobody drives the run any more. */
  readonly abandoned: boolean;
  /** Its backend stays on this machine when it has ended. */
  readonly deployedHere: boolean;
}

/** Totals, and what to type next. */
export function summaryLines(report: RunReport, palette: Palette, surroundings: Surroundings): readonly string[] {
  const commands = nextCommands(report, surroundings);
  const next = commands.map((command, index) => [index === 0 ? 'next' : '', command] as const);
  return [...factLines(report, palette), ...pairLines(next, palette)];
}

/** Totals. */
export function factLines(report: RunReport, palette: Palette): readonly string[] {
  const { tests, artifacts } = report;
  const log = report.steps.reduce((sum, step) => sum + (step.attempts.at(-1)?.log?.bytes ?? 0), 0);
  const facts: readonly (readonly [string, string])[] = [
    ...(tests ? [['tests', testCounts(tests)] as const] : []),
    ...(artifacts > 0 ? [['artefacts', count(artifacts, 'file')] as const] : []),
    ...(log > 0 ? [['logs', formatBytes(log)] as const] : []),
  ];
  return pairLines(facts, palette);
}

function pairLines(pairs: readonly (readonly [string, string])[], palette: Palette): readonly string[] {
  return pairs.map(([name, value]) => `${palette.faint(name.padEnd(10))}${value}`);
}

function nextCommands(report: RunReport, { abandoned, deployedHere }: Surroundings): readonly string[] {
  const { runId, outcome, tests, artifacts, steps } = report;
  const red = steps.find((step) => isWork(step) && isRed(step));
  const wrote = steps.some((step) => step.attempts.some(({ log }) => log && log.bytes > 0));
  return [
    ...(abandoned ? [`sluice resume ${runId} --executor ${report.executor}`] : []),
    ...(outcome === undefined && !abandoned ? [`sluice show ${runId} --follow`] : []),
    ...(red && tests && tests.failures + tests.errors > 0 ? [`sluice tests ${runId}`] : []),
    ...(red && red.attempts.length > 0 ? [`sluice logs ${runId} ${red.id}`] : []),
    ...(red || (outcome === 'cancelled' && steps.length > 0) ? [`sluice rerun ${runId} --failed`] : []),
    ...(!red && artifacts > 0 ? [`sluice artifacts ${runId}`] : []),
    ...(outcome === 'succeeded' && artifacts === 0 && wrote ? [`sluice logs ${runId}`] : []),
    ...(outcome === 'succeeded' && deployedHere ? ['sluice environments list'] : []),
  ];
}
