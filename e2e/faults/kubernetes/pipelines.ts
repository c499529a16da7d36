import type { SitePipeline } from './fault-site.ts';

const numbered = (lines: number, rest = ''): string =>
  `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i${rest}"; [ $((i % 40)) = 0 ] && sleep 0.1; done; true`;

const secret = 'a-secret-of-thirty-characters!';

/** A bit of everything that a step can have: files, values, a report, a secret, a second attempt, steps that wait for others. */
export const everything: SitePipeline = {
  needs: { build: [], flaky: [], tests: ['build'], last: ['flaky', 'tests'], clean: ['last'] },
  strict: ['clean'],
  lines: { build: 400, flaky: 200, tests: 100, last: 20, clean: 0 },
  ends: {
    build: ['succeeded'],
    flaky: ['exit_code', 'succeeded'],
    tests: ['succeeded'],
    last: ['succeeded'],
    clean: ['succeeded'],
  },
  canaries: [secret],
  text: (effect) => `pipeline: everything
runtime: busybox
steps:
  build:
    run: |
      ${effect}
      ${numbered(400)}
      mkdir out && echo built > out/app && echo v=1 >> "$SLUICE_OUTPUT"
    outputs: { paths: [out/**], values: [v] }
    artifacts: [out/**]
  flaky:
    needs: []
    secrets: [TOKEN]
    run: |
      ${effect}
      ${numbered(200, ' $TOKEN')}
      printf %s "$TOKEN" | head -c 9
      test "$SLUICE_ATTEMPT" -gt 1
    retry: { max: 1, on: [failed], backoff: 50ms }
  tests:
    needs: [build]
    env: { V: "\${{ needs.build.outputs.v }}" }
    junit: r.xml
    run: |
      ${effect}
      ${numbered(100)}
      test "$V" = 1 && test -e out/app
      echo "<testsuite><testcase name='one'/></testsuite>" > r.xml
  last:
    needs: [flaky, tests]
    run: |
      ${effect}
      ${numbered(20)}
finally:
  clean: { run: "${effect.replaceAll('"', '\\"')}" }
`,
};

export const secrets = { SLUICE_SECRET_TOKEN: secret };

/** One step that takes some seconds, during which something may happen to it: a line every hundredth of a second. */
export const slowFor = (seconds: number): SitePipeline => ({
  needs: { work: [] },
  strict: [],
  lines: { work: seconds * 100 },
  ends: { work: ['succeeded'] },
  canaries: [],
  text: (effect) => `pipeline: slow
runtime: busybox
steps:
  work:
    run: |
      ${effect}
      i=0; while [ $i -lt ${seconds * 100} ]; do i=$((i+1)); echo "line $i"; [ $((i % 10)) = 0 ] && sleep 0.1; done
      mkdir out && echo built > out/app
    artifacts: [out/**]
`,
});
