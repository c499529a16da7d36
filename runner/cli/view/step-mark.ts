import type { Outcome } from '../../model/outcome.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import type { Palette } from '../terminal/palette.ts';

/** What a person sees of a step at a glance. */
export type StepMark = Outcome | 'running' | 'approval' | 'pending';

const marks: Readonly<Record<StepMark, string>> = {
  succeeded: '✓',
  failed: '✗',
  errored: '!',
  cancelled: '×',
  skipped: '-',
  running: '>',
  approval: '?',
  pending: '·',
};

const words: Readonly<Record<StepMark, string>> = {
  failed: 'failed',
  errored: 'errored',
  cancelled: 'cancelled',
  running: 'running',
  approval: 'to approve',
  succeeded: 'succeeded',
  skipped: 'skipped',
  pending: 'waiting',
};

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const spinnerMs = 100;

/** A red step, attempt or test case. */
export function isRed({ outcome }: { readonly outcome?: Outcome | 'passed' }): boolean {
  return outcome === 'failed' || outcome === 'errored';
}

export function stateOf(step: Pick<StepReport, 'outcome' | 'phase' | 'waiting'>): StepMark {
  if (step.outcome !== undefined) return step.outcome;
  if (step.waiting?.for === 'approval') return 'approval';
  return step.phase === 'running' ? 'running' : 'pending';
}

export function markOf(
  state: StepMark,
  { palette, animated, now }: { readonly palette: Palette; readonly animated: boolean; readonly now: number },
): string {
  const moving = state === 'running' && animated ? spinner[Math.floor(now / spinnerMs) % spinner.length] : undefined;
  return paintState(state, palette)(moving ?? marks[state]);
}

export function paintState(state: StepMark, palette: Palette): (text: string) => string {
  switch (state) {
    case 'succeeded':
      return palette.good;
    case 'failed':
    case 'errored':
      return palette.bad;
    case 'running':
      return palette.busy;
    case 'approval':
    case 'cancelled':
      return palette.ask;
    case 'skipped':
    case 'pending':
      return palette.faint;
  }
}

/** "1 failed, 2 running, 12 succeeded", worst first. */
export function tally(states: readonly StepMark[]): string {
  const byState = Object.entries(words).map(([state, word]) => ({
    word,
    number: states.filter((other) => other === state).length,
  }));
  return byState
    .filter(({ number }) => number > 0)
    .map(({ word, number }) => `${number} ${word}`)
    .join(', ');
}
