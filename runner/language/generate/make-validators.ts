import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { readSchema } from './schemas.ts';

/** Source of an ES module with one ready-made ajv validator per kind of file: nothing is compiled at start. */
export function makeValidators(): string {
  const ajv = new Ajv2020({
    schemas: [readSchema('pipeline'), readSchema('workflow'), readSchema('config')],
    allErrors: true,
    allowUnionTypes: true,
    messages: false,
    code: { esm: true, source: true },
  });
  const names = {
    validatePipelineFile: 'pipeline.schema.json',
    validateWorkflowFile: 'workflow.schema.json',
    validateConfigFile: 'config.schema.json',
  };
  const code = standaloneCode.default(ajv, names);
  return `// Made from schemas/*.json by runner/language/generate/generate.ts.\n${importRequired(gatherInPlace(code))}`;
}

/** ajv copies all errors for each part that has some, which takes minutes for a file of nothing but mistakes. */
function gatherInPlace(code: string): string {
  return `${code.replace(/(\w+) ?=== ?null ?\? ?(\w+\.errors) ?: ?\1\.concat\(\2\)/g, 'gather($1, $2)')}
${gather}`;
}

const gather = `function gather(errors, more) {
  if (errors === null) return more;
  for (const error of more) errors.push(error);
  return errors;
}
`;

/** ajv writes `require` even into ES modules. */
function importRequired(code: string): string {
  const imports: string[] = [];
  const body = code.replace(/require\("(ajv\/dist\/runtime\/\w+)"\)/g, (_, path: string) => {
    imports.push(`import runtime${imports.length} from '${path}.js';`);
    return `runtime${imports.length - 1}`;
  });
  return `${imports.join('\n')}\n${body}`;
}
