import { fileURLToPath } from 'node:url';
import { makeConfigReference, makeReference } from './make-reference.ts';
import { makeTypes } from './make-types.ts';
import { makeValidators } from './make-validators.ts';

const root = new URL('../../../', import.meta.url);
const pathOf = (file: string) => fileURLToPath(new URL(file, root));

/** Every file that is made from the schemas, with its content. */
export async function makeFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    [pathOf('runner/language/pipeline-file.generated.ts'), await makeTypes()],
    [pathOf('runner/language/validators.generated.js'), makeValidators()],
    [pathOf('docs/pipeline-reference.md'), makeReference()],
    [pathOf('docs/configuration.md'), makeConfigReference()],
  ]);
}
