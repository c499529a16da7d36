import { compile } from 'json-schema-to-typescript';
import { schemaFolder } from './schemas.ts';

/** TypeScript types of the kinds of file, readonly all the way down. */
export async function makeTypes(): Promise<string> {
  const kinds = ['pipeline', 'workflow', 'config'];
  const files = { anyOf: kinds.map((kind) => ({ $ref: `${kind}.schema.json` })) };
  const source = await compile(files, 'LanguageFile', {
    cwd: schemaFolder,
    bannerComment: '/* Made from schemas/*.json by runner/language/generate/generate.ts. */',
    ignoreMinAndMaxItems: true,
    style: { printWidth: 120, singleQuote: true, trailingComma: 'all' },
  });
  return source.split('\n').map(readonlyLine).join('\n');
}

/** The compiler knows no readonly: members are lines `name?: …` or `[k: string]: …`, arrays end in `[]`. */
function readonlyLine(line: string): string {
  if (/^\s*(\/?\*|\/\/)/.test(line)) return line;
  return line
    .replace(/^(\s+)(?=(?:[\w$]+|'[^']+'|\[k: string\])\??:)/, '$1readonly ')
    .replace(/(\w+|\([^()]*\)|'[^']*')\[\]/g, 'readonly $1[]');
}
