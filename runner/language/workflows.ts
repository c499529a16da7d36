import type { WorkflowFile } from './pipeline-file.generated.ts';
import { parseWorkflowFile, readablePart } from './parse-file.ts';
import type { Positioned } from './positioned.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseUses } from './uses-reference.ts';

/** Texts of workflow files: gates by name, files of the repository by path. An `undefined` text does not exist. */
export interface WorkflowTexts {
  readonly gates: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, string | undefined>;
}

export interface Workflow {
  /** Names it among the workflows that use each other. */
  readonly key: string;
  readonly gate: boolean;
  readonly source: Positioned<WorkflowFile>;
}

/** Finds and parses each workflow once. */
export class Workflows {
  readonly #problems: ProblemList;
  readonly #texts: WorkflowTexts;
  readonly #parsed = new Map<string, Workflow | undefined>();

  constructor(problems: ProblemList, texts: WorkflowTexts) {
    this.#problems = problems;
    this.#texts = texts;
  }

  /** The workflow of a `uses`; undefined after a problem has told why there is none. */
  find(step: Spot, uses: string): Workflow | undefined {
    const at = under(step, 'uses');
    const reference = parseUses(uses);
    if (!reference) {
      const hint =
        'Use the name of a gate, `./path/to/workflow.yaml`, or `git+https://HOST/REPOSITORY//PATH@COMMIT` with the whole commit id.';
      this.#problems.add(at, 'uses-invalid', `\`${uses}\` is not a workflow.`, hint);
    } else if (reference.kind === 'remote') {
      const hint = 'Copy the file to the repository and use it as `./path/to/workflow.yaml`.';
      this.#problems.add(at, 'uses-remote', 'Workflows of other repositories are not available in this version.', hint);
    } else if (reference.kind === 'gate') {
      const text = this.#texts.gates.get(reference.name);
      if (text !== undefined) return this.#parse(reference.name, true, `workflows/${reference.name}.yaml`, text);
      const hint =
        didYouMean(reference.name, this.#texts.gates.keys()) ??
        `The gates are ${[...this.#texts.gates.keys()].join(', ')}; a file is written \`./${reference.name}.yaml\`.`;
      this.#problems.add(at, 'uses-unknown-gate', `There is no gate \`${reference.name}\`.`, hint);
    } else {
      const text = this.#texts.files.get(reference.path);
      if (text !== undefined) return this.#parse(uses, false, reference.path, text);
      this.#problems.add(
        at,
        'uses-missing-file',
        `The commit has no file \`${reference.path}\`.`,
        'The path begins at the root of the repository; is the file committed?',
      );
    }
    return undefined;
  }

  #parse(key: string, gate: boolean, file: string, text: string): Workflow | undefined {
    const known = this.#parsed.get(key);
    if (known || this.#parsed.has(key)) return known;
    const parsed = parseWorkflowFile(text, file);
    if (!parsed.ok) this.#problems.addAll(parsed.problems);
    const source = readablePart(parsed);
    const workflow = source && { key, gate, source };
    this.#parsed.set(key, workflow);
    return workflow;
  }
}
