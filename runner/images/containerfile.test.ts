import test from 'ava';
import { lastError, lastStep, readContainerfile } from './containerfile.ts';

const text = `# syntax=docker/dockerfile:1
ARG BASE=node:24
FROM \${BASE} AS build
LABEL a=b
RUN npm ci \\
  # why
  && npm run build

FROM \${BASE}
copy --from=build /app /app
RUN --mount=type=cache,target=/root/.npm npm ci
USER 1000
EXPOSE abc
`;

test('what every builder refuses is told with its line and column', (t) => {
  const file = 'FROM node:24\nRUNN npm ci\n\nCOPY a\nENV A=1\nWORKDIR\n';
  t.deepEqual(
    readContainerfile(file).mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`),
    ['2:1 Unknown instruction: RUNN', '4:6 COPY requires at least two arguments', '6:1 Instruction has no arguments'],
  );
  t.deepEqual(
    readContainerfile('# nothing\n').mistakes.map(({ line, message }) => [line, message]),
    [[1, 'No source image provided with `FROM`']],
  );
});

test('what builders differ in is left to them', (t) => {
  t.deepEqual(readContainerfile(text).mistakes, []);
});

test('a step of the builder is a line of the file, over comments, continuations and stages', (t) => {
  const { lineOf } = readContainerfile(text);
  t.is(lineOf({ stage: 1, step: 1, text: 'FROM node:24 AS build' }), 3);
  t.is(lineOf({ stage: 1, step: 3, text: 'RUN npm ci   && npm run build' }), 5);
  t.is(lineOf({ stage: 2, step: 2, text: 'COPY --from=build /app /app' }), 10);
  t.is(lineOf({ stage: 2, step: 4, text: 'USER 1000' }), 12);
  t.is(lineOf({ stage: 2, step: 2, text: 'RUN echo of ONBUILD' }), undefined);
  t.is(lineOf({ stage: 3, step: 1, text: 'FROM node:24' }), undefined);
});

test('of a log the last step and the last error count', (t) => {
  const log = `[1/2] STEP 1/2: FROM busybox
[2/2] STEP 1/3: FROM 458a973f8959
Error: not the last one
[2/2] STEP 2/3: RUN echo "STEP" &&   false
subprocess exited with status 1
Error: building at STEP "RUN echo \\"STEP\\" &&   false": exit status 1`;
  t.deepEqual(lastStep(log), { stage: 2, step: 2, text: 'RUN echo "STEP" &&   false' });
  t.is(lastError(log), 'exit status 1');
  t.deepEqual(lastStep('STEP 3/7: COPY a b\nError: x'), { stage: 1, step: 3, text: 'COPY a b' });
  t.is(lastError('Error: creating build container: manifest unknown'), 'creating build container: manifest unknown');
  t.is(lastStep('nothing'), undefined);
  t.is(lastError('nothing'), undefined);
});
