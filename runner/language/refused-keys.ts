import type { ParsedNode } from 'yaml';
import type { Problem } from '../model/problem.ts';
import { problem } from './problem.ts';
import type { Text } from './read-text.ts';
import type { RefusedKey } from './read-value.ts';

/** Keys that YAML allows and the language does not. */
export function explainRefusedKey(source: Text, code: RefusedKey, node: ParsedNode, key: string): Problem {
  const at = source.at(node.range[0], node.range[1]);
  if (source.text.startsWith('{{', node.range[0] - 1)) {
    const hint = 'Expressions are `${{ }}`; any other text with `{{` in front belongs in quotes.';
    return problem(source, at, 'yaml-unquoted', 'A text cannot start with `{{` unless it is in quotes.', hint);
  }
  const [message, hint] = texts[code](key);
  return problem(source, at, code, message, hint);
}

const texts: Readonly<Record<RefusedKey, (key: string) => readonly [message: string, hint: string]>> = {
  'yaml-merge-key': () => [
    'The merge key `<<` is not allowed.',
    'Write the keys out. Values for all steps go into `env` at the top, steps that are used again into a workflow file.',
  ],
  'yaml-key': (key) => [
    key === '' ? 'A key must be a text.' : `\`${key}\` cannot be a key.`,
    'Write `key: value`; a text with `{`, `[` or `?` in front belongs in quotes.',
  ],
  'duplicate-key': (key) => [
    `The key \`${key}\` stands twice in the same map.`,
    'Keep one of the two; a list under one key can hold several values.',
  ],
};
