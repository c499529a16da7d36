import { Type } from 'typebox';
import cliSchema from '../../schemas/cli.schema.json' with { type: 'json' };
import { roles } from './access.ts';

/** What the command line prints with --json is told by the API in the same words, and described once. */
const shared = [
  'time',
  'outcome',
  'problem',
  'trigger',
  'request',
  'waiting',
  'testTotals',
  'testSummary',
  'backend',
  'production',
  'drift',
  'loss',
] as const;
const reports = ['attempt', 'step', 'report', 'logLine', 'backendStatus'] as const;

type SharedName = (typeof shared)[number] | (typeof reports)[number];

/** A schema of `schemas/cli.schema.json` by its name. */
export function ref(name: SharedName | 'Problem') {
  return Type.Ref(`#/components/schemas/${name}`);
}

export function sharedSchemas(): Record<string, unknown> {
  const text = JSON.stringify(cliSchema.$defs).replaceAll('#/$defs/', '#/components/schemas/');
  const definitions = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries([...shared, ...reports].map((name) => [name, definitions[name]]));
}

const closed = { additionalProperties: false };

const runId = Type.String({ pattern: '^[0-9a-z]+(-[0-9a-z]+)*$', maxLength: 40 });
const stepId = Type.String({ minLength: 1, maxLength: 300, description: 'As in the report, percent-encoded.' });
const attemptNumber = Type.Integer({ minimum: 1, maximum: 1_000_000 });
export const caseId = Type.String({ pattern: '^[0-9a-f]{32}$' });
export const name = Type.String({ minLength: 1, maxLength: 200 });
export const roleSchema = Type.Enum([...roles]);

/** Read by `readTraceParent`: a malformed one is ignored, so that no form is asked for. */
export const traceHeaders = Type.Object({
  traceparent: Type.Optional(
    Type.String({ description: 'Of W3C Trace Context: the span that the trace of the run is a part of.' }),
  ),
});

export const runParams = Type.Object({ runId }, closed);
export const stepParams = Type.Object({ runId, step: stepId }, closed);
export const attemptParams = Type.Object({ runId, step: stepId, attempt: attemptNumber }, closed);

export const phaseSchema = Type.Enum(['queued', 'created', 'waiting', 'running', 'finished']);
export const outcomeSchema = Type.Enum(['succeeded', 'failed', 'errored', 'cancelled', 'skipped']);

export const runRowSchema = Type.Object(
  {
    runId: Type.String(),
    repository: Type.String(),
    pipeline: Type.String(),
    branch: Type.String(),
    commit: Type.String(),
    event: Type.String(),
    phase: phaseSchema,
    outcome: Type.Optional(ref('outcome')),
    reason: Type.Optional(Type.String()),
    priority: Type.Integer(),
    createdAt: ref('time'),
    finishedAt: Type.Optional(ref('time')),
    version: Type.Integer({ minimum: 0 }),
    group: Type.String(),
  },
  closed,
);

export const artifactSchema = Type.Object(
  {
    step: Type.String(),
    attempt: Type.Integer({ minimum: 1 }),
    kind: Type.Enum(['artifact', 'junit', 'output']),
    path: Type.String(),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    bytes: Type.Integer({ minimum: 0 }),
    mode: Type.Integer({ minimum: 0 }),
  },
  closed,
);

const caseFields = {
  suites: Type.Array(Type.String()),
  className: Type.String(),
  name: Type.String(),
  file: Type.String(),
};

const resultFields = {
  outcome: Type.Enum(['passed', 'failed', 'errored', 'skipped']),
  flaky: Type.Boolean(),
  durationMs: Type.Number({ minimum: 0 }),
};

export const runTestSchema = Type.Object(
  {
    caseId,
    step: Type.String(),
    attempt: Type.Integer({ minimum: 1 }),
    ...caseFields,
    ...resultFields,
    message: Type.String(),
    details: Type.String(),
    systemOut: Type.String(),
    systemErr: Type.String(),
    attachments: Type.Array(Type.String()),
  },
  closed,
);

export const knownCaseSchema = Type.Object(
  { caseId, repository: Type.String(), step: Type.String(), ...caseFields },
  closed,
);

export const caseResultSchema = Type.Object(
  {
    runId: Type.String(),
    step: Type.String(),
    attempt: Type.Integer({ minimum: 1 }),
    commit: Type.String(),
    at: ref('time'),
    ...resultFields,
  },
  closed,
);

export const flakinessSchema = Type.Object(
  {
    score: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the commits at which it was green and red.' }),
    commits: Type.Integer({ minimum: 0 }),
    flakyCommits: Type.Integer({ minimum: 0 }),
  },
  closed,
);

export const eventSchema = Type.Object(
  {
    position: Type.Integer({ minimum: 0 }),
    runId: Type.String(),
    repository: Type.String(),
    event: Type.Object({ type: Type.String(), at: ref('time'), version: Type.Integer({ minimum: 1 }) }),
  },
  closed,
);

export const tokenSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    role: roleSchema,
    repositories: Type.Optional(Type.Array(Type.String())),
    createdAt: ref('time'),
    createdBy: Type.String(),
    expiresAt: Type.Optional(ref('time')),
    revokedAt: Type.Optional(ref('time')),
  },
  closed,
);

export const deliverySchema = Type.Object(
  {
    id: Type.String(),
    repository: Type.String(),
    forgeId: Type.String({ description: "The sender's own id of it." }),
    event: Type.String({ description: 'What its sender called it.' }),
    receivedAt: ref('time'),
    outcome: Type.Enum(['run', 'duplicate', 'ignored']),
    reason: Type.String({ description: 'Why it was ignored, or what it repeats.' }),
    runId: Type.Optional(Type.String()),
  },
  closed,
);

export const auditSchema = Type.Object(
  {
    position: Type.Integer({ minimum: 1 }),
    at: ref('time'),
    actor: Type.String(),
    action: Type.String(),
    object: Type.String(),
    requestId: Type.String(),
    hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  closed,
);
