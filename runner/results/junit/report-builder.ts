import type { TestCase, TestTotals } from '../../model/result.ts';
import { CaseBuilder, clip, sinkOf } from './case-builder.ts';
import type { Sink } from './case-builder.ts';
import { addTotals, declaredTotals, mismatches, redTotals } from './declared-totals.ts';
import type { Attributes, DeclaredTotals } from './declared-totals.ts';
import { keptNames, noTotals } from './junit-report.ts';
import type { JUnitReport } from './junit-report.ts';
import { Unreadable } from './unreadable.ts';

const maxDepth = 10_000;
/** So many names of the suites around a case are kept. */
const keptSuites = 64;

interface Frame {
  readonly name: string;
  readonly sink: Sink | undefined;
}

/** Turns elements, in document order, into cases and totals. */
export class ReportBuilder {
  private readonly file: string;
  private readonly frames: Frame[] = [];
  private readonly suites: string[] = [];
  private readonly open: CaseBuilder[] = [];
  private readonly totals: { -readonly [Name in keyof TestTotals]: number } = { ...noTotals };
  private readonly redSigns: string[] = [];
  private readonly redCases: string[] = [];
  private root = '';
  private rootTotals: DeclaredTotals = new Map();
  private suiteTotals: DeclaredTotals = new Map();
  private ended: TestCase[] = [];

  constructor(file: string) {
    this.file = file;
  }

  openElement(qualifiedName: string, attributes: Attributes): void {
    const name = qualifiedName.slice(qualifiedName.indexOf(':') + 1);
    const parent = this.frames.at(-1);
    if (this.frames.length === 0) this.root = name;
    if (this.frames.length === maxDepth) throw new Unreadable(`elements are nested deeper than ${maxDepth}`);
    this.frames.push({ name, sink: sinkOf(name) ?? (isContainer(name) ? undefined : parent?.sink) });
    if (isSuite(name)) this.openSuite(name, attributes);
    else if (name === 'testcase') this.open.push(new CaseBuilder(attributes));
    else if (parent?.name === 'testcase') this.open.at(-1)?.child(name, attributes);
    else if (parent && isSuite(parent.name) && (name === 'error' || name === 'failure')) {
      this.sign(`${parent.name} ${this.suites.at(-1) ?? ''} holds an ${name} outside of its cases`);
    }
  }

  text(text: string): void {
    const sink = this.frames.at(-1)?.sink;
    if (sink) this.open.at(-1)?.write(sink, text);
  }

  closeElement(): void {
    const name = this.frames.pop()?.name ?? '';
    if (isSuite(name)) this.suites.pop();
    if (name === 'testcase') this.closeCase();
  }

  /** Cases that ended since the last call. */
  takeCases(): readonly TestCase[] {
    const cases = this.ended;
    this.ended = [];
    return cases;
  }

  finish(): JUnitReport {
    const { file, totals, redCases } = this;
    if (!this.isJUnit()) return unreadable(file, 'not-junit', `the root element is <${clip(this.root)}>`);
    return {
      file,
      verdict: totals.tests === 0 ? 'parse-empty' : 'parse',
      totals,
      mismatch: mismatches(this.rootTotals, this.suiteTotals, totals),
      redElsewhere: redCases.length === 0 ? this.redSigns : [],
      redCases,
    };
  }

  private openSuite(name: string, attributes: Attributes): void {
    this.suites.push(clip(attributes['name'] ?? ''));
    const declared = declaredTotals(attributes);
    if (this.frames.length === 1) this.rootTotals = declared;
    if (this.frames.length === 2 && this.root === 'testsuites')
      this.suiteTotals = addTotals(this.suiteTotals, declared);
    const red = redTotals(declared);
    if (red !== '') this.sign(`${name} ${this.suites.at(-1) ?? ''} says ${red}`);
  }

  private closeCase(): void {
    const builder = this.open.pop();
    if (!builder || !this.isJUnit()) return;
    const path = this.suites.filter((name) => name !== '').slice(0, keptSuites);
    const testCase = builder.finish(this.file, path);
    this.count(testCase);
    const status = builder.redStatus();
    if (status !== undefined) this.sign(`testcase ${testCase.name} has the status ${status}`);
    this.ended.push(testCase);
  }

  private count({ outcome, flaky, name, className }: TestCase): void {
    this.totals.tests += 1;
    if (flaky) this.totals.flaky += 1;
    if (outcome === 'skipped') this.totals.skipped += 1;
    if (outcome === 'failed') this.totals.failures += 1;
    if (outcome === 'errored') this.totals.errors += 1;
    const red = outcome === 'failed' || outcome === 'errored';
    if (red && this.redCases.length < keptNames) this.redCases.push(name === '' ? className : name);
  }

  private sign(sign: string): void {
    if (this.redSigns.length < keptNames) this.redSigns.push(sign);
  }

  private isJUnit(): boolean {
    return isSuite(this.root);
  }
}

export function unreadable(file: string, verdict: 'reject' | 'not-junit', fault: string): JUnitReport {
  return { file, verdict, fault, totals: noTotals, mismatch: [], redElsewhere: [], redCases: [] };
}

function isSuite(name: string): boolean {
  return name === 'testsuite' || name === 'testsuites';
}

function isContainer(name: string): boolean {
  return isSuite(name) || name === 'testcase';
}
