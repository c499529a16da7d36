import { Copy, DockerfileParser, Run } from 'dockerfile-ast';
import type { Instruction as Parsed } from 'dockerfile-ast';
import { validate, ValidationCode } from 'dockerfile-utils';

/** A mistake that no builder takes; lines and columns from 1. */
export interface ContainerfileMistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Where a build ended, and why. */
export interface BuildFault {
  readonly message: string;
  /** As the builder tells it: `RUN npm ci`. Undefined for an end before the first one. */
  readonly instruction?: string;
  /** That it begins in; undefined when it is none of the file, as those that a base image adds by ONBUILD. */
  readonly line?: number;
}

export interface Containerfile {
  readonly mistakes: readonly ContainerfileMistake[];
  /**
   * The fault that a log of Buildah ends with, of which only the end may be left. Its last error names the instruction; what commands of the file print may look like a step
   * of the build and is none. Undefined for a log without an error.
   */
  readonly faultIn: (log: string) => BuildFault | undefined;
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
  const instructions = instructionsOf(text);
  return {
    mistakes: [...refusedAnywhere(text), ...heredocs(instructions)],
    faultIn: (log) => faultIn(log, instructions),
  };
}

function refusedAnywhere(text: string): readonly ContainerfileMistake[] {
  return validate(text)
    .filter(({ code }) => certain.has(code))
    .map(({ range: { start }, message }) => ({
      line: start.line + 1,
      column: start.character + 1,
      message: typeof message === 'string' ? message : message.value,
    }));
}

/** Buildah 1.28 takes their lines for instructions. */
function heredocs(instructions: readonly Instruction[]): readonly ContainerfileMistake[] {
  return instructions
    .filter(({ hasHeredoc }) => hasHeredoc)
    .map(({ line, keyword }) => ({
      line,
      column: 1,
      message: `${keyword} with a heredoc (<<) is not known to this builder; write its lines with && and \\, or COPY a file`,
    }));
}

interface Instruction {
  readonly keyword: string;
  readonly line: number;
  readonly words: string;
  readonly hasHeredoc: boolean;
}

function instructionsOf(text: string): readonly Instruction[] {
  const lines = text.split('\n');
  return DockerfileParser.parse(text)
    .getInstructions()
    .map((instruction) => {
      const { start, end } = instruction.getRange();
      return {
        keyword: instruction.getKeyword(),
        line: start.line + 1,
        words: wordsOf(lines.slice(start.line, end.line + 1).join('\n')),
        hasHeredoc: hasHeredoc(instruction),
      };
    });
}

function hasHeredoc(instruction: Parsed): boolean {
  return (instruction instanceof Run || instruction instanceof Copy) && instruction.getHeredocs().length > 0;
}

/** What an instruction says, without what may be otherwise where it is told again: spaces, line breaks and the comments between lines. */
function wordsOf(instruction: string): string {
  return instruction.replace(/^\s*#.*$/gm, '').replace(/\\?\s+/g, '');
}

/** Each begins with its FROM; ARG may stand before the first one, and is no step of any. */
function stagesOf(instructions: readonly Instruction[]): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = [];
  for (const instruction of instructions) {
    if (instruction.keyword === 'FROM') stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

/** Where a builder stands, in its own count: stages and their instructions from 1. */
interface BuildStep {
  readonly stage: number;
  readonly step: number;
  readonly text: string;
}

function faultIn(log: string, instructions: readonly Instruction[]): BuildFault | undefined {
  const told = [...log.matchAll(/^Error: (?:building at STEP "(.*)|(.*))$/gm)].at(-1);
  if (told === undefined) return undefined;
  const [, named, message = ''] = told;
  const steps = stepsIn(log);
  if (named === undefined) return { message, ...placeOf(steps.at(-1), instructions) };
  const readings = readingsOf(named);
  for (const reading of readings) {
    const at = steps.findLast(({ text }) => text === reading.instruction);
    const { line = lineSaying(reading.instruction, instructions) } = placeOf(at, instructions);
    if (at !== undefined || line !== undefined) return { ...reading, ...(line !== undefined && { line }) };
  }
  return readings[0] ?? { message: named };
}

/** `[2/2] STEP 3/4: RUN npm ci`. */
function stepsIn(log: string): readonly BuildStep[] {
  return [...log.matchAll(/^(?:\[(\d+)\/\d+\] )?STEP (\d+)\/\d+: (.*)$/gm)].map(
    ([, stage = '1', step = '', text = '']) => ({ stage: Number(stage), step: Number(step), text }),
  );
}

/** `INSTRUCTION": MESSAGE`, where both may have quotes and colons of their own. */
function readingsOf(named: string): readonly { readonly instruction: string; readonly message: string }[] {
  return [...named.matchAll(/": /g)].map(({ index }) => ({
    instruction: named.slice(0, index),
    message: named.slice(index + 3),
  }));
}

function placeOf(at: BuildStep | undefined, instructions: readonly Instruction[]): Omit<BuildFault, 'message'> {
  if (at === undefined) return {};
  const found = stagesOf(instructions)[at.stage - 1]?.[at.step - 1];
  const isIt = found?.keyword === at.text.split(' ', 1)[0]?.toUpperCase();
  return { instruction: at.text, ...(isIt && found && { line: found.line }) };
}

/** The line of the one instruction with these words, however it is broken into lines. */
function lineSaying(text: string, instructions: readonly Instruction[]): number | undefined {
  const found = instructions.filter(({ words }) => words === wordsOf(text));
  return found.length === 1 ? found[0]?.line : undefined;
}
