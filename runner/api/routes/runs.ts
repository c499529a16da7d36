import { Type } from 'typebox';
import { readTraceParent } from '../../model/trace-parent.ts';
import { reportOf } from '../../results/report/run-report.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { productionOf } from '../explain-production.ts';
import { explanationOf, explanationSchema } from '../explain.ts';
import { badCursor, pageOf, pageQuery, pageSchema, positionOf } from '../pages.ts';
import { permitPriority, prioritySchema } from '../priority.ts';
import { ApiError, notFound } from '../problem.ts';
import { route } from '../route.ts';
import type { Call, Route } from '../route.ts';
import {
  name,
  outcomeSchema,
  phaseSchema,
  ref,
  runParams,
  runRowSchema,
  stepParams,
  traceHeaders,
} from '../schemas.ts';

const closed = { additionalProperties: false };
const runIdAnswer = Type.Object({ runId: Type.String() }, closed);

export function runRoutes(api: ApiDependencies): readonly Route[] {
  return [listRuns(api), createRun(api), ...oneRun(api), ...deeds(api), ...steps(api)];
}

function listRuns({ store }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/runs',
    id: 'list-runs',
    summary: 'List runs, newest first',
    tag: 'runs',
    access: { verb: 'read-runs', on: 'visible' },
    query: Type.Object(
      {
        repository: Type.Optional(name),
        branch: Type.Optional(name),
        commit: Type.Optional(name),
        event: Type.Optional(Type.Enum(['push', 'pull_request', 'schedule', 'manual'])),
        phase: Type.Optional(phaseSchema),
        outcome: Type.Optional(outcomeSchema),
        ...pageQuery,
      },
      closed,
    ),
    answers: {
      200: { description: 'One page of the runs that the asker may see.', schema: pageSchema('runs', runRowSchema) },
    },
    handle: async ({ query: { limit = 50, cursor, ...filter }, subject }) => {
      const after = positionOf(cursor);
      if (after !== undefined && !(await store.run(after))) throw badCursor();
      const runs = await store.runs({
        ...filter,
        ...(after !== undefined && { after }),
        ...(subject.repositories && { repositories: subject.repositories }),
        limit: limit + 1,
      });
      return pageOf('runs', runs, limit, ({ runId }) => runId);
    },
  });
}

function createRun({ runs }: ApiDependencies): Route {
  return route({
    method: 'POST',
    path: '/v1/runs',
    id: 'create-run',
    summary: 'Run the pipeline of a commit',
    description: 'Mistakes of the pipeline end the run: its report lists them as `problems`.',
    tag: 'runs',
    access: { verb: 'create-run', on: 'repository' },
    headers: traceHeaders,
    body: Type.Object(
      {
        repository: name,
        commit: Type.String({ minLength: 1, maxLength: 200, description: 'Commit, branch or tag.' }),
        file: Type.String({ minLength: 1, maxLength: 500, default: 'sluice.yaml' }),
        priority: Type.Optional(prioritySchema),
      },
      closed,
    ),
    answers: { 201: { description: 'The run is stored and goes on by itself.', schema: runIdAnswer } },
    handle: async ({ body, subject, request, reply }) => {
      permitPriority(subject, body, 'body');
      const traceParent = readTraceParent(request.headers['traceparent']);
      const id = await runs.request({ ...body, actor: subject.name, traceParent });
      if (id === undefined) throw notFound();
      reply.code(201).header('location', `/v1/runs/${id}`);
      return { runId: id };
    },
  });
}

function oneRun(api: ApiDependencies): readonly Route[] {
  const { engine } = api;
  return [
    route({
      method: 'GET',
      path: '/v1/runs/{runId}',
      id: 'get-run',
      summary: 'A run with its steps and attempts',
      tag: 'runs',
      access: { verb: 'read-runs', on: 'run' },
      params: runParams,
      answers: { 200: { description: 'What `sluice show --json` prints.', schema: ref('report') } },
      handle: async ({ run }) => reportOf(await engine.state(run.runId)),
    }),
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/explanation',
      id: 'explain-run',
      summary: 'Why a run waits or did not get through, and why its commit is not in production',
      tag: 'runs',
      access: { verb: 'read-runs', on: 'run' },
      params: runParams,
      answers: {
        200: { description: 'One sentence, and every step that stands in the way.', schema: explanationSchema },
      },
      handle: async ({ run }) => {
        const state = await engine.state(run.runId);
        const report = reportOf(state);
        return explanationOf(report, await productionOf(api, state, report));
      },
    }),
  ];
}

function deeds(api: ApiDependencies): readonly Route[] {
  const { engine, runs } = api;
  return [
    route({
      method: 'POST',
      path: '/v1/runs/{runId}/cancel',
      id: 'cancel-run',
      summary: 'Ask a run to end',
      tag: 'runs',
      access: { verb: 'cancel-run', on: 'run' },
      params: runParams,
      answers: { 202: { description: 'The wish is stored; whoever drives the run ends it.', schema: runIdAnswer } },
      handle: async ({ run, subject, reply }) => {
        await engine.cancel(run.runId, subject.name);
        reply.code(202);
        return { runId: run.runId };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/runs/{runId}/rerun',
      id: 'rerun-run',
      summary: 'Repeat part of a run with the same commit and pipeline',
      description:
        'What succeeded before is carried over with its outputs. The run has the priority of the one that it repeats.',
      tag: 'runs',
      access: { verb: 'rerun-run', on: 'run' },
      headers: traceHeaders,
      params: runParams,
      body: Type.Object(
        {
          from: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 300,
              description: 'This step and all behind it; without it what did not succeed.',
            }),
          ),
        },
        closed,
      ),
      answers: { 201: { description: 'The run that repeats.', schema: runIdAnswer } },
      handle: async ({ run, body: { from }, request, reply }) => {
        const { plan } = await engine.state(run.runId);
        if (from !== undefined && !plan.steps.some(({ id }) => id === from)) throw unknownStep(from);
        const scope = from === undefined ? ({ kind: 'failed' } as const) : ({ kind: 'from', step: from } as const);
        const id = await runs.rerun(run.runId, scope, readTraceParent(request.headers['traceparent']));
        reply.code(201).header('location', `/v1/runs/${id}`);
        return { runId: id };
      },
    }),
    ...approvals(api),
  ];
}

function approvals({ engine }: ApiDependencies): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/runs/{runId}/approval',
      id: 'review-run',
      summary: 'Say whether the commit of a held run may run',
      description:
        'Pull requests from forks are held where their repository says `approve`. The word is good for this commit only.',
      tag: 'runs',
      access: { verb: 'approve-run', on: 'run' },
      params: runParams,
      body: Type.Object(
        {
          commit: Type.String({
            pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$',
            description: 'The commit that was looked at.',
          }),
          approved: Type.Boolean(),
          comment: Type.String({ maxLength: 2_000, default: '' }),
        },
        closed,
      ),
      answers: {
        202: {
          description: 'The decision is stored; a run that is rejected ends.',
          schema: Type.Object({ runId: Type.String(), commit: Type.String(), approved: Type.Boolean() }, closed),
        },
      },
      handle: async ({ run, body: { commit, approved, comment }, subject, reply }) => {
        await engine.review(run.runId, { commit, approved, by: subject.name, comment });
        reply.code(202);
        return { runId: run.runId, commit, approved };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/runs/{runId}/steps/{step}/approval',
      id: 'approve-step',
      summary: 'Approve or reject a step that waits for it',
      tag: 'runs',
      access: { verb: 'approve-step', on: 'run' },
      params: stepParams,
      body: Type.Object({ approved: Type.Boolean(), comment: Type.String({ maxLength: 2_000, default: '' }) }, closed),
      answers: {
        202: {
          description: 'The decision is stored.',
          schema: Type.Object({ runId: Type.String(), step: Type.String(), approved: Type.Boolean() }, closed),
        },
      },
      handle: async ({ run, params: { step }, body: { approved, comment }, subject, reply }) => {
        await engine.approve(run.runId, step, { approved, by: subject.name, comment });
        reply.code(202);
        return { runId: run.runId, step, approved };
      },
    }),
  ];
}

function steps({ engine }: ApiDependencies): readonly Route[] {
  const read = async ({ run }: Call, step: string) => {
    const { steps: all } = reportOf(await engine.state(run.runId));
    const found = all.find(({ id }) => id === step);
    if (!found) throw notFound();
    return found;
  };
  return [
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/steps',
      id: 'list-steps',
      summary: 'The steps of a run, in the order of its pipeline',
      tag: 'steps',
      access: { verb: 'read-runs', on: 'run' },
      params: runParams,
      query: Type.Object(pageQuery, closed),
      answers: { 200: { description: 'One page of steps.', schema: pageSchema('steps', ref('step')) } },
      handle: async ({ run, query: { limit = 50, cursor } }) => {
        const { steps: all } = reportOf(await engine.state(run.runId));
        const after = positionOf(cursor);
        const first = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
        if (after !== undefined && first === 0) throw badCursor();
        return pageOf('steps', all.slice(first, first + limit + 1), limit, ({ id }) => id);
      },
    }),
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/steps/{step}',
      id: 'get-step',
      summary: 'A step with its attempts',
      tag: 'steps',
      access: { verb: 'read-runs', on: 'run' },
      params: stepParams,
      answers: { 200: { description: 'The step.', schema: ref('step') } },
      handle: (call) => read(call, call.params.step),
    }),
    route({
      method: 'GET',
      path: '/v1/runs/{runId}/steps/{step}/attempts',
      id: 'list-attempts',
      summary: 'The attempts of a step, oldest first',
      tag: 'steps',
      access: { verb: 'read-runs', on: 'run' },
      params: stepParams,
      answers: {
        200: {
          description: 'All of them; there are few.',
          schema: Type.Object({ attempts: Type.Array(ref('attempt')) }, closed),
        },
      },
      handle: async (call) => ({ attempts: (await read(call, call.params.step)).attempts }),
    }),
  ];
}

function unknownStep(step: string): ApiError {
  return new ApiError({
    status: 422,
    code: 'unknown_step',
    detail: `The run has no step ${JSON.stringify(step)}.`,
    place: 'body/from',
    next: 'GET the run; it lists its steps.',
  });
}
