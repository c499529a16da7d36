import test from 'ava';
import { compileText } from './compile-fixture.ts';

const lines: readonly (readonly [string, string])[] = [
  ['make ${{ branch }}', 'make "$BRANCH"'],
  ['echo "on ${{ branch }}!"', 'echo "on ${BRANCH}!"'],
  ["echo 'on ${{ branch }}!'", `echo 'on '"$BRANCH"'!'`],
  ['echo "a" ${{ branch }} "b"', 'echo "a" "$BRANCH" "b"'],
  ['[ "${{ branch }}" != main ]', '|\n    [ "${BRANCH}" != main ]'],
  ['${{ branch }} run', '|\n    "$BRANCH" run'],
];

for (const [line, instead] of lines) {
  test(`a script is suggested that keeps the value whole: ${line}`, (t) => {
    const plan = compileText(`pipeline: demo\nsteps:\n  one:\n    run: |\n      ${line}\n`);
    const [problem] = plan.ok ? [] : plan.problems;
    t.is(problem?.code, 'expression-in-script');
    t.is(problem?.hint?.split('\n  run: ')[1], instead);
  });
}
