import { formatDuration } from '../../model/duration.ts';
import type { Plan, PlanStep, RunStep, Template } from '../../model/plan.ts';
import type { Palette } from '../terminal/palette.ts';
import { harmless, padTo, widthOf } from '../terminal/text.ts';
import { count, oneLine } from './words.ts';

/** Which steps there are and what each waits for, in an order in which they could run one by one. */
export function graphLines(plan: Plan, palette: Palette): readonly string[] {
  const steps = plan.steps.filter(({ kind }) => kind !== 'group-start');
  const width = Math.max(0, ...steps.map(({ id }) => widthOf(id)));
  return [
    `${palette.strong(oneLine(plan.pipeline))}  ${count(steps.length, 'step')}`,
    ...steps.map((step) => {
      const needs = step.needs.map(({ name }) => name).join(', ');
      const behind = [step.finally ? 'at the end' : '', needs === '' ? '' : `after ${needs}`, conditionOf(step)];
      return `  ${padTo(step.id, width)}  ${palette.faint(behind.filter((part) => part !== '').join(', '))}`.trimEnd();
    }),
  ];
}

/** Every step with all that it would do. */
export function planLines(plan: Plan, palette: Palette): readonly string[] {
  return plan.steps
    .filter(({ kind }) => kind === 'run' || kind === 'approval')
    .flatMap((step) => [
      palette.strong(step.id),
      ...factsOf(step).map(([name, value]) => `  ${palette.faint(name.padEnd(12))}${oneLine(value)}`),
      ...(step.kind === 'run' ? scriptLines(step, palette) : []),
      '',
    ])
    .slice(0, -1);
}

function scriptLines({ script }: RunStep, palette: Palette): readonly string[] {
  return script
    .trimEnd()
    .split('\n')
    .map((line) => `  ${palette.faint('│')} ${harmless(line, false)}`);
}

type Fact = readonly [name: string, value: string];

function factsOf(step: PlanStep): readonly Fact[] {
  const facts: Fact[] = [
    ['needs', step.needs.map(({ name }) => name).join(', ')],
    ['if', step.condition?.cel ?? ''],
  ];
  if (step.kind === 'approval') facts.push(['approval', textOf(step.message)]);
  if (step.kind === 'run') facts.push(...runFacts(step));
  return facts.filter(([, value]) => value !== '');
}

function runFacts(step: RunStep): readonly Fact[] {
  return [
    ['image', step.image],
    ['shell', step.shell],
    ['folder', step.workdir],
    ...Object.entries(step.env).map(([name, value]): Fact => ['env', `${name}=${textOf(value)}`]),
    ['secrets', step.secrets.join(', ')],
    ...step.services.map(({ name, image }): Fact => ['service', `${name}: ${image}`]),
    ['junit', step.junit.paths.join(', ')],
    ['artefacts', step.artifacts.map(({ path, required }) => (required ? `${path} (required)` : path)).join(', ')],
    ['hands over', [...step.outputs.paths, ...step.outputs.values.map((name) => `$${name}`)].join(', ')],
    ...step.caches.map(({ key, paths }): Fact => ['cache', `${key}: ${paths.join(', ')}`]),
    [
      'resources',
      Object.entries(step.resources)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
    ['timeout', formatDuration(step.timeoutMs)],
    ['retry', step.retry.max > 0 ? `${step.retry.max} more when ${step.retry.on.join(' or ')}` : ''],
    ['group', step.concurrency ? `${step.concurrency.group} (${step.concurrency.policy})` : ''],
    ['at once', step.throttle ? `${step.throttle.limit} of ${step.throttle.group}` : ''],
  ];
}

function conditionOf({ condition }: PlanStep): string {
  return condition ? `if ${oneLine(condition.cel)}` : '';
}

/** As it stands in the file. */
function textOf(template: Template): string {
  if (typeof template === 'string') return template;
  return template.parts.map((part) => (typeof part === 'string' ? part : `\${{ ${part.cel} }}`)).join('');
}
