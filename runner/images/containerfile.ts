import { DockerfileParser } from 'dockerfile-ast';
import { validate, ValidationCode } from 'dockerfile-utils';

/** A mistake that no builder takes; lines and columns from 1. */
export interface ContainerfileMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Where a builder stands, in its own count: stages and their instructions from 1. */
export interface BuildStep {
  readonly stage: number;
  readonly step: number;
  /** The instruction as it tells it: `RUN npm ci`. */
  readonly text: string;
}

export interface Containerfile {
  readonly mistakes: readonly ContainerfileMistake[];
  /** The line that an instruction begins in; undefined when it is none of the file, as those that a base image adds by ONBUILD. */
  readonly lineOf: (at: BuildStep) => number | undefined;
}

/**
 * The mistakes that every builder refuses. The linter knows many more, of which some are a matter of the builder and its version (flags, ports, names of
 * stages): those are left to the builder.
 */
const certain: ReadonlySet<unknown> = new Set([
  ValidationCode.ARGUMENT_MISSING,
  ValidationCode.ARGUMENT_REQUIRES_AT_LEAST_ONE,
  ValidationCode.ARGUMENT_REQUIRES_AT_LEAST_TWO,
  ValidationCode.NO_SOURCE_IMAGE,
  ValidationCode.UNKNOWN_INSTRUCTION,
]);

/** A Containerfile (Dockerfile, which is the same), with the places of what stands in it. Takes any text. */
export function readContainerfile(text: string): Containerfile {
  const mistakes = validate(text).filter(({ code }) => certain.has(code));
  const stages = stagesOf(text);
  return {
    mistakes: mistakes.map(({ range: { start }, message }) => ({
      line: start.line + 1,
      column: start.character + 1,
      message: typeof message === 'string' ? message : message.value,
    })),
    lineOf: ({ stage, step, text: told }) => {
      const found = stages[stage - 1]?.[step - 1];
      return found?.keyword === told.split(' ', 1)[0]?.toUpperCase() ? found?.line : undefined;
    },
  };
}

interface Instruction {
  readonly keyword: string;
  readonly line: number;
}

/** Each begins with its FROM; ARG may stand before the first one, and is no step of any. */
function stagesOf(text: string): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') stages.push([]);
    stages.at(-1)?.push({ keyword, line: instruction.getRange().start.line + 1 });
  }
  return stages;
}

/** The step that a log of Buildah ends in: `[2/2] STEP 3/4: RUN npm ci`. */
export function lastStep(log: string): BuildStep | undefined {
  const told = [...log.matchAll(/^(?:\[(\d+)\/\d+\] )?STEP (\d+)\/\d+: (.*)$/gm)].at(-1);
  if (told === undefined) return undefined;
  const [, stage = '1', step = '', text = ''] = told;
  return { stage: Number(stage), step: Number(step), text };
}

/** What Buildah says of its end. */
export function lastError(log: string): string | undefined {
  return [...log.matchAll(/^Error: (?:building at STEP ".*?(?<!\\)": )?(.*)$/gm)].at(-1)?.[1];
}
