import test from 'ava';
import { readContainerfile } from './containerfile.ts';

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

test('a heredoc, which the builder would take for instructions, is told before the build', (t) => {
  const { mistakes } = readContainerfile(
    'FROM a\nRUN <<EOF\necho hi\nEOF\nCOPY <<EOF /x\nhi\nEOF\nRUN echo "<<EOF" 1<<2\n',
  );
  t.deepEqual(
    mistakes.map(({ line, message }) => `${line} ${message.split(' ', 4).join(' ')}`),
    ['2 RUN with a heredoc', '5 COPY with a heredoc'],
  );
});

test('a build ended where its last error says, over comments, continuations and stages, whatever its commands printed', (t) => {
  const { faultIn } = readContainerfile(text);
  const end = (steps: string, error: string) => faultIn(`${steps}\nsubprocess exited with status 1\nError: ${error}`);
  const run = 'RUN npm ci   && npm run build';
  t.deepEqual(end(`[1/2] STEP 3/3: ${run}`, `building at STEP "${run}": exit status 1`), {
    instruction: run,
    message: 'exit status 1',
    line: 5,
  });
  t.like(end('[2/2] STEP 2/4: COPY --from=build /app /app', 'no such file'), { message: 'no such file', line: 10 });
  t.like(end(`[1/2] STEP 3/3: ${run}\nError: not it\nSTEP 1/1: FROM x`, `building at STEP "${run}": exit status 1`), {
    instruction: run,
    line: 5,
  });
  t.deepEqual(end('[2/2] STEP 2/4: RUN echo of ONBUILD', 'building at STEP "RUN echo of ONBUILD": exit status 1'), {
    instruction: 'RUN echo of ONBUILD',
    message: 'exit status 1',
  });
  t.deepEqual(end('nothing', 'no FROM statement found'), { message: 'no FROM statement found' });
  t.is(faultIn('nothing'), undefined);
});

test('of a log of which only the end is left, the instruction is found by its words; not where two say the same', (t) => {
  const file = 'FROM a\r\nRUN echo "a": b \\\r\n  # why\r\n  && get "x"\r\nRUN true\r\nRUN true\r\n';
  const { faultIn } = readContainerfile(file);
  t.deepEqual(faultIn('line 9999\nError: building at STEP "RUN echo "a": b   && get "x"": reading "x": not there'), {
    instruction: 'RUN echo "a": b   && get "x"',
    message: 'reading "x": not there',
    line: 2,
  });
  t.deepEqual(faultIn('Error: building at STEP "RUN true": exit status 1'), {
    instruction: 'RUN true',
    message: 'exit status 1',
  });
});
