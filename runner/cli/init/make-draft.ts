import { detectGo } from './detect-go.ts';
import { detectNode } from './detect-node.ts';
import { detectJava, detectMake, detectRust } from './detect-others.ts';
import { detectPython } from './detect-python.ts';
import { detectServices } from './detect-services.ts';
import type { Draft, DraftStep, Finding } from './draft.ts';
import type { Repository } from './repository.ts';

const detectors = [detectNode, detectPython, detectGo, detectRust, detectJava];

/** What a fitting pipeline of this repository has. */
export function makeDraft(repository: Repository): Draft {
  const found = detectors.flatMap((detect) => detect(repository) ?? []).filter(({ steps }) => steps.length > 0);
  const findings = found.length > 0 ? found : [detectMake(repository) ?? nothing];
  return {
    pipeline: pipelineName(repository.name),
    findings: withOwnNames(findings),
    services: detectServices(repository),
  };
}

const nothing: Finding = {
  what: 'a project of a kind that Sluice does not know',
  kind: 'unknown',
  image: 'base',
  steps: [
    {
      name: 'test',
      comment: 'Put the commands here that test this repository.',
      run: ['echo "sluice.yaml has no test command yet" >&2', 'exit 1'],
    },
  ],
};

/** As the schema wants names: lower case, digits and dashes. */
function pipelineName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'pipeline' : name;
}

/** Steps of a second kind of project say which: `python-test`. */
function withOwnNames(findings: readonly Finding[]): readonly Finding[] {
  const [first, ...rest] = findings;
  if (!first) return [];
  return [
    first,
    ...rest.map((finding) => ({ ...finding, steps: finding.steps.map((step) => renamed(step, finding.kind)) })),
  ];
}

function renamed(step: DraftStep, kind: string): DraftStep {
  const after = step.after?.map((name) => `${kind}-${name}`);
  return { ...step, name: `${kind}-${step.name}`, ...(after && { after }) };
}
