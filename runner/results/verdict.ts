import { verdictOf } from '../model/outcome.ts';
import type { Reason, Verdict } from '../model/outcome.ts';
import { becauseValue, refusalCode } from '../model/operations.ts';
import type { RunStep } from '../model/plan.ts';
import type { ArtifactEntry, TestSummary } from '../model/result.ts';
import { parseOutputs } from './parse-outputs.ts';

/** What the executor saw and collected, as far as the verdict needs it. */
export interface AttemptFacts extends Verdict {
  readonly exitCode?: number;
  readonly files: readonly ArtifactEntry[];
  /** Raw text of $SLUICE_OUTPUT. */
  readonly output: string;
}

interface Judgement {
  readonly verdict: Verdict;
  /** Declared values; none unless the verdict is `succeeded`. */
  readonly outputs: Readonly<Record<string, string>>;
}

type Subject = Pick<RunStep, 'junit' | 'artifacts' | 'outputs' | 'operation'>;

/** Reasons with which the command ended by itself, so that its reports and files have a say. */
const ownEnds: ReadonlySet<Reason | undefined> = new Set([
  undefined,
  'exit_code',
  'artifact_missing',
  'output_missing',
  'output_invalid',
  'unsafe_path',
]);

/**
 * Green needs proof: exit code 0, readable reports with a test that ran and nothing red, required artefacts, declared
 * values. The first of these reasons against it counts: an end from outside, red tests, the exit code, reports that prove
 * nothing, files that are missing, values that are missing. `tests` is needed for a step with `junit`.
 */
export function judgeAttempt(step: Subject, facts: AttemptFacts, tests: TestSummary | undefined): Judgement {
  const { values, problem } = parseOutputs(facts.output, step.outputs.values);
  const against =
    endFromOutside(facts) ??
    redTests(tests) ??
    refusedByGate(step, facts) ??
    wrongExit(facts) ??
    unprovenTests(step, tests) ??
    missingFiles(step, facts) ??
    problem;
  return against ? { verdict: against, outputs: {} } : { verdict: { outcome: 'succeeded' }, outputs: values };
}

function endFromOutside(facts: AttemptFacts): Verdict | undefined {
  return facts.outcome === 'succeeded' || (facts.outcome === 'failed' && ownEnds.has(facts.reason))
    ? undefined
    : verdictAlone(facts);
}

function redTests(tests: TestSummary | undefined): Verdict | undefined {
  if (!tests) return undefined;
  const red = tests.failures + tests.errors;
  if (red === 0) return undefined;
  return verdictOf('tests_failed', `${red} of ${tests.tests} tests failed${firstOf(tests.redCases ?? [], red)}`);
}

/** An operation says why it does not succeed, where a script has its last lines for that. */
function refusedByGate({ operation }: Subject, { exitCode = 0, output }: AttemptFacts): Verdict | undefined {
  if (operation === undefined || exitCode === 0) return undefined;
  const { [becauseValue]: because } = parseOutputs(output, [becauseValue]).values;
  if (because === undefined) return undefined;
  return verdictOf(exitCode === refusalCode ? 'gate_refused' : 'gate_errored', because);
}

function wrongExit(facts: AttemptFacts): Verdict | undefined {
  if (facts.reason === 'exit_code') return verdictAlone(facts);
  if (facts.exitCode === undefined) return verdictOf('internal_error', 'the exit code of the command is not known');
  return facts.exitCode === 0 ? undefined : verdictOf('exit_code', `exit code ${facts.exitCode}`);
}

function unprovenTests({ junit }: Subject, tests: TestSummary | undefined): Verdict | undefined {
  if (junit.paths.length === 0) return undefined;
  if (!tests) return verdictOf('internal_error', 'the test reports of the step were not read');
  const { unreadable, redElsewhere = [] } = tests;
  if (unreadable.length > 0) return verdictOf('report_unreadable', unreadable.slice(0, 3).join('; '));
  if (redElsewhere.length > 0) {
    return verdictOf('tests_failed', `no test case is red, but ${redElsewhere.slice(0, 3).join('; ')}`);
  }
  const { minTests = junit.allowEmpty ? 0 : 1 } = junit;
  const ran = tests.tests - tests.skipped;
  if (ran >= minTests) return undefined;
  if (ran > 0) return verdictOf('no_tests', `${ran} of at least ${minTests} tests ran`);
  return verdictOf('no_tests', whyNoTests(junit.paths, tests));
}

function whyNoTests(paths: readonly string[], { files, tests }: TestSummary): string {
  if (files === 0) return `no report that the command wrote matches ${paths.join(', ')}`;
  return tests === 0
    ? `${files} report${files === 1 ? '' : 's'} without a test case`
    : `all ${tests} tests were skipped`;
}

/** The executor knows the patterns that matched nothing; that a required artefact needs some file is checked here too. */
function missingFiles({ artifacts }: Subject, facts: AttemptFacts): Verdict | undefined {
  if (facts.outcome !== 'succeeded') return verdictAlone(facts);
  const required = artifacts.find((artifact) => artifact.required);
  if (!required || facts.files.some(({ kind }) => kind === 'artifact')) return undefined;
  return verdictOf('artifact_missing', `nothing matches ${required.path}`);
}

function firstOf(names: readonly string[], count: number): string {
  if (names.length === 0) return '';
  return `: ${names.join(', ')}${names.length < count ? ', …' : ''}`;
}

function verdictAlone({ outcome, reason, message }: Verdict): Verdict {
  return { outcome, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}
