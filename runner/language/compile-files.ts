import { operations } from '../model/operations.ts';
import type { PlanArtifact, PlanCache, RunStep } from '../model/plan.ts';
import { pathFault, patternFault } from './check-path.ts';
import type { Cache, Globs, Outputs, Step } from './pipeline-file.generated.ts';
import type { Path } from './positioned.ts';
import { complain, earlyText } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';

/** The folder that the script starts in, '' for the root of the workspace. */
export function compileWorkdir(cell: StepCell): string {
  const workdir = cell.step.workdir === undefined ? '' : earlyText(cell, ['workdir'], cell.step.workdir);
  const fault = pathFault(workdir);
  if (fault) complain(cell, ['workdir'], fault.code, fault.message, fault.hint);
  return workdir
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

export function compileJunit(cell: StepCell): RunStep['junit'] {
  const { junit } = cell.step;
  if (junit === undefined) return { paths: [], allowEmpty: false };
  if (typeof junit === 'string') return { paths: pattern(cell, ['junit'], junit), allowEmpty: false };
  if ('paths' in junit) {
    return {
      paths: patterns(cell, ['junit', 'paths'], junit.paths),
      allowEmpty: junit['allow-empty'] ?? false,
      ...minTests(cell, junit['min-tests']),
    };
  }
  return { paths: patterns(cell, ['junit'], junit), allowEmpty: false };
}

function minTests(cell: StepCell, text: string | undefined): { readonly minTests?: number } {
  if (text === undefined) return {};
  const path = ['junit', 'min-tests'];
  const decided = earlyText(cell, path, text);
  if (/^\d{1,6}$/.test(decided)) return { minTests: Number(decided) };
  complain(cell, path, 'bad-format', `\`${decided}\` is no number of tests.`, 'Write a whole number such as `20`.');
  return {};
}

export function compileArtifacts(cell: StepCell): readonly PlanArtifact[] {
  return (cell.step.artifacts ?? []).flatMap((artifact, index) => {
    if (typeof artifact === 'string')
      return pattern(cell, ['artifacts', index], artifact).map((path) => ({ path, required: false }));
    const paths = pattern(cell, ['artifacts', index, 'path'], artifact.path);
    return paths.map((path) => ({ path, required: artifact.required ?? false }));
  });
}

export function compileOutputs(cell: StepCell): RunStep['outputs'] {
  const { outputs } = cell.step;
  const values = declaredValues(cell.step);
  if (outputs === undefined) return { paths: [], values };
  if (isList(outputs)) return { paths: patterns(cell, ['outputs'], outputs), values };
  return { paths: patterns(cell, ['outputs', 'paths'], outputs.paths ?? []), values };
}

/** Names of the values that a step writes to $SLUICE_OUTPUT. */
export function declaredValues({ operation, outputs }: Step): readonly string[] {
  if (operation !== undefined) return operations[operation].outputs;
  return outputs === undefined || isList(outputs) ? [] : (outputs.values ?? []);
}

export function compileCaches(cell: StepCell): readonly PlanCache[] {
  const { cache } = cell.step;
  if (cache === undefined) return [];
  if ('key' in cache) return [compileCache(cell, ['cache'], cache)];
  return cache.map((one, index) => compileCache(cell, ['cache', index], one));
}

function compileCache(cell: StepCell, path: Path, cache: Cache): PlanCache {
  return {
    key: earlyText(cell, [...path, 'key'], cache.key, { hashFiles: true }),
    paths: patterns(cell, [...path, 'paths'], cache.paths, true),
  };
}

function patterns(cell: StepCell, path: Path, texts: Globs, home = false): readonly string[] {
  return texts.flatMap((text, index) => pattern(cell, [...path, index], text, home));
}

/** None when an input leaves it empty. */
function pattern(cell: StepCell, path: Path, text: string, home = false): readonly string[] {
  const decided = earlyText(cell, path, text).replace(/^(\.\/)+/, '');
  if (decided === '') return [];
  const fault = patternFault(decided, home);
  if (fault) complain(cell, path, fault.code, fault.message, fault.hint);
  return [decided];
}

function isList(outputs: Globs | Outputs): outputs is Globs {
  return Array.isArray(outputs);
}
