import { Type } from 'typebox';
import { productionPlaces } from '../gates/backends/explain-production.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { StepReport } from '../results/report/step-report.ts';
import type { Waiting } from '../results/report/waiting.ts';
import { outcomeSchema, phaseSchema, ref } from './schemas.ts';

const productionAnswerSchema = Type.Object(
  {
    place: Type.Enum([...productionPlaces, 'no-backend', 'unknown'], {
      description: 'Where the commit is on its way to production.',
    }),
    answer: Type.String({ description: 'One sentence for people.' }),
    release: Type.Optional(Type.String({ description: 'What the run made of the commit.' })),
    live: Type.Optional(Type.String({ description: 'The release that is live.' })),
  },
  { additionalProperties: false, description: 'Only for a run of a backend, on a server that deploys some.' },
);

export const explanationSchema = Type.Object(
  {
    runId: Type.String(),
    phase: phaseSchema,
    outcome: Type.Optional(outcomeSchema),
    answer: Type.String({ description: 'One sentence for people.' }),
    steps: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          phase: Type.String(),
          because: Type.String(),
          outcome: Type.Optional(ref('outcome')),
          reason: Type.Optional(Type.String()),
          hint: Type.Optional(Type.String()),
          waiting: Type.Optional(ref('waiting')),
        },
        { additionalProperties: false },
      ),
      { description: 'What stands in the way, in the order of the pipeline.' },
    ),
    production: Type.Optional(productionAnswerSchema),
  },
  { additionalProperties: false },
);

/** Why a run is where it is: what it waits for, or what kept it from getting through. */
export function explanationOf(report: RunReport, production: object | undefined): object {
  const { runId, phase, outcome } = report;
  const steps = causesOf(report);
  return {
    runId,
    phase,
    ...(outcome && { outcome }),
    answer: answerOf(report),
    steps,
    ...(production && { production }),
  };
}

function standsInTheWay({ outcome, waiting, phase }: StepReport): boolean {
  return waiting !== undefined || phase === 'running' || (outcome !== undefined && outcome !== 'succeeded');
}

/** The same in one sentence. */
export function answerOf(report: RunReport): string {
  const { phase, outcome, message, hint, waiting, cancelledBy } = report;
  const steps = causesOf(report);
  if (outcome === 'succeeded') return 'Every step that had to succeed did.';
  const first = steps.find(({ outcome: own }) => own === 'failed' || own === 'errored') ?? steps[0];
  const where = first ? `, first at ${first.id}: ${first.because}` : '';
  if (outcome === 'cancelled') return `It was cancelled by ${cancelledBy ?? 'somebody'}${where}.`;
  if (outcome !== undefined) return sentence(`It ${endings[outcome]}${where || `: ${message ?? hint ?? ''}`}`);
  if (waiting?.for === 'review') return `It waits ${waitingWords(waiting)}.`;
  if (phase === 'queued') return 'It waits for a runner that has a place for it.';
  if (waiting) return `It waits: ${waitingWords(waiting)}.`;
  return first ? `It is under way at ${first.id}: ${first.because}.` : 'It has not begun yet.';
}

const endings = { failed: 'failed', errored: 'errored', skipped: 'was skipped' } as const;

/** Messages are sentences or parts of one. */
function sentence(text: string): string {
  return `${text.replace(/\.$/, '')}.`;
}

function causesOf({ steps }: RunReport): readonly Cause[] {
  return steps.filter(standsInTheWay).map((step) => ({
    id: step.id,
    phase: step.phase,
    because: becauseOf(step),
    ...(step.outcome && { outcome: step.outcome }),
    ...(step.reason && { reason: step.reason }),
    ...(step.hint && { hint: step.hint }),
    ...(step.waiting && { waiting: step.waiting }),
  }));
}

interface Cause extends Pick<StepReport, 'phase' | 'reason' | 'hint' | 'waiting'> {
  readonly id: string;
  readonly because: string;
  readonly outcome?: string;
}

/** What a step waits for, or how it ended. */
export function becauseOf({ waiting, outcome, message, hint, reason }: StepReport): string {
  if (waiting) return `waits: ${waitingWords(waiting)}`;
  if (outcome === undefined) return 'runs';
  return message ?? hint?.replace(/\.$/, '') ?? reason ?? outcome;
}

function waitingWords(waiting: Waiting): string {
  switch (waiting.for) {
    case 'steps':
      return `for ${waiting.steps.join(', ')}`;
    case 'end':
      return 'for everything else to end';
    case 'approval':
      return `for an approval: ${waiting.message}`;
    case 'review':
      return `until somebody has looked at commit ${waiting.commit} and approved it`;
    case 'group':
      return `for the concurrency group ${waiting.group}${waiting.holder === undefined ? '' : `, held by ${waiting.holder}`}`;
    case 'max-parallel':
      return `because ${waiting.limit} of its kind run already`;
    case 'retry':
      return `for its next attempt at ${new Date(waiting.notBefore).toISOString()}`;
    case 'executor':
      return `${waiting.reason}: ${waiting.message}`;
    case 'place':
      return 'for a free place';
  }
}
