import { formatDuration } from '../model/duration.ts';
import type { ExplainedPlan, ExplainedStep } from './explain-plan.ts';

const widestId = 40;
const widestScript = 60;

/** The graph of a plan as lines of plain text: its levels from first to last, with what each step waits for and does. */
export function renderPlan(plan: ExplainedPlan): readonly string[] {
  const width = Math.min(widestId, Math.max(0, ...plan.steps.map(({ id }) => id.length)));
  const margin = String(plan.levels).length;
  const head = `${plan.pipeline}: ${counted(plan.steps.length, 'step')} on ${counted(plan.levels, 'level')}, at most ${formatDuration(plan.timeoutMs)}`;
  const byLevel = Map.groupBy(plan.steps, ({ level }) => level);
  const lines = [...byLevel]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([level, steps]) =>
      steps.flatMap((step, index) => {
        const number = (index === 0 ? String(level) : '').padStart(margin);
        const bar = steps.length === 1 ? '─' : index === 0 ? '┬' : index === steps.length - 1 ? '└' : '├';
        const below = index === steps.length - 1 ? ' ' : '│';
        return [
          `${number} ${bar} ${step.id.padEnd(width)}  ${doing(step)}`,
          ...remarks(step).map((text) => `${' '.repeat(margin)} ${below} ${' '.repeat(width)}  ${text}`),
        ];
      }),
    );
  return [head, '', ...lines];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function doing(step: ExplainedStep): string {
  const [first = '', ...more] = step.does.trim().split('\n');
  const text = step.kind === 'approval' ? `waits for a person: ${first}` : first;
  return text.length > widestScript || more.length > 0 ? `${text.slice(0, widestScript)} …` : text;
}

function remarks(step: ExplainedStep): readonly string[] {
  return [
    step.skipped ? 'is skipped' : '',
    step.needs.length > 0 ? `after ${step.needs.join(', ')}` : step.finally ? 'at the end' : '',
    step.condition === undefined ? '' : `if ${step.condition}`,
    step.services.length > 0 ? `with ${step.services.join(', ')}` : '',
    step.requires.includes('environments') ? 'needs environments' : '',
  ].filter((text) => text !== '');
}
