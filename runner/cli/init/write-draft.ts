import type { Draft, DraftService, DraftStep, Finding } from './draft.ts';

/** The draft as a pipeline file with comments. */
export function writeDraft({ pipeline, findings, services }: Draft): string {
  const [first] = findings;
  const blocks = [
    ['# Written by `sluice init`. Check it with `sluice lint`, run it with `sluice run`.', `pipeline: ${pipeline}`],
    ['on:', '  push: {}', '  pull_request: {}'],
    [
      '# The image of the steps. On this machine only a Node version counts; all else is the programs that are installed.',
      `runtime: ${first?.image ?? 'base'}`,
    ],
    ['steps:', ...findings.flatMap((finding) => findingLines(finding, finding !== first, services)).slice(0, -1)],
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function findingLines(
  { image, steps }: Finding,
  isFurther: boolean,
  services: readonly DraftService[],
): readonly string[] {
  return steps.flatMap((step) => [...stepLines(step, isFurther ? image : undefined, services), '']);
}

function stepLines(step: DraftStep, image: string | undefined, services: readonly DraftService[]): readonly string[] {
  const used = step.usesServices ? services : [];
  const env = {
    ...step.env,
    ...Object.fromEntries(used.map(({ name, variable }) => [variable, `\${{ services.${name}.url }}`])),
  };
  return [
    ...(step.comment?.split('\n').map((line) => `  # ${line}`) ?? []),
    `  ${step.name}:`,
    `    needs: [${(step.after ?? []).join(', ')}]`,
    ...(image === undefined ? [] : [`    image: ${image}`]),
    ...(used.length > 0
      ? ['    services:', ...used.map((service) => `      ${service.name}: { image: "${service.image}" }`)]
      : []),
    ...(Object.keys(env).length > 0
      ? ['    env:', ...Object.entries(env).map(([name, value]) => `      ${name}: "${value}"`)]
      : []),
    '    run: |',
    ...step.run.map((line) => `      ${line}`),
    ...(step.junit === undefined ? [] : [`    junit: "${step.junit}"`]),
    ...(step.cache ? cacheLines(step.cache) : []),
  ];
}

function cacheLines({ key, paths }: NonNullable<DraftStep['cache']>): readonly string[] {
  return ['    cache:', `      key: "${key}"`, `      paths: [${paths.map((path) => `"${path}"`).join(', ')}]`];
}
