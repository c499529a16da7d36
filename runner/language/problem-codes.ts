interface ProblemEntry {
  /** What is wrong, as a heading. */
  readonly title: string;
  /** What it means and why it is refused, in one or two sentences. */
  readonly explanation: string;
}

/** Every code of a mistake in a pipeline or workflow file. `docs/problems.md` has an example and a remedy for each. */
export const problemCodes = {
  'file-too-large': {
    title: 'The file is too large',
    explanation:
      'A file has at most 256 KiB. More is never written by hand, and reading it would take memory and time.',
  },
  'bad-character': {
    title: 'The file holds a character that is not text',
    explanation:
      'Control characters, bytes that are not UTF-8, marks that reorder text and strange spaces in the indentation are refused: what a reader sees must be what runs.',
  },
  'empty-file': {
    title: 'The file is empty',
    explanation: 'There is nothing in the file, or nothing but comments.',
  },
  'yaml-syntax': {
    title: 'The file is not YAML',
    explanation: 'The text cannot be read as YAML. What stands before the place was checked all the same.',
  },
  'yaml-indentation': {
    title: 'The indentation does not fit',
    explanation:
      'In YAML the indentation says what belongs together: all keys of a map, and all items of a list, start in the same column.',
  },
  'yaml-tab': {
    title: 'A tab stands in the indentation',
    explanation: 'YAML is indented with spaces only, because a tab has no fixed width.',
  },
  'yaml-colon': {
    title: 'A colon or the space behind it is missing',
    explanation: 'A key is followed by a colon and a space, `key: value`; without them the line is read as text.',
  },
  'yaml-unclosed': {
    title: 'A quote or bracket is not closed',
    explanation:
      'A text that starts with a quote, a list that starts with `[` and a map that starts with `{` must end.',
  },
  'yaml-unquoted': {
    title: 'A text must be in quotes',
    explanation:
      'Some characters mean something to YAML: at the start of a text `*`, `&`, `!`, `%`, `@`, `{`, `[` and others, within it a colon with a space.',
  },
  'yaml-escape': {
    title: 'An escape in double quotes does not exist',
    explanation:
      'In double quotes a backslash starts an escape such as `\\n`. In single quotes and in blocks it is an ordinary character.',
  },
  'yaml-anchor': {
    title: 'Anchors and aliases are not allowed',
    explanation: '`&name` and `*name` repeat values out of sight, and a few lines of them can grow to gigabytes.',
  },
  'yaml-merge-key': {
    title: 'Merge keys are not allowed',
    explanation: '`<<` is not part of YAML 1.2, and readers do not agree on what it means.',
  },
  'yaml-tag': {
    title: 'Tags are not allowed',
    explanation: '`!!type` asks for another type than the one the schema gives to the value.',
  },
  'yaml-directive': {
    title: 'Directives are not allowed',
    explanation: 'Lines such as `%YAML 1.1` would change how the rest is read.',
  },
  'yaml-documents': {
    title: 'The file has several documents',
    explanation: 'One file describes one pipeline or one workflow.',
  },
  'yaml-key': {
    title: 'The key is not a text',
    explanation: 'Keys are plain texts: no lists, maps or empty keys, and not `__proto__`.',
  },
  'too-deep': {
    title: 'Values are nested too deeply',
    explanation: 'More than 64 levels are refused before anything looks at them.',
  },
  'duplicate-key': {
    title: 'A key stands twice in the same map',
    explanation: 'YAML readers take one of the two and drop the other silently; which one differs.',
  },
  'unknown-key': {
    title: 'The key does not exist here',
    explanation: 'Keys that the language does not know are refused, so that a typing error cannot switch a check off.',
  },
  'missing-key': {
    title: 'A required key is missing',
    explanation: 'The map lacks a key without which it has no meaning.',
  },
  'empty-value': {
    title: 'A value is empty',
    explanation: 'Nothing stands behind the key, or a text, list or map without content where something is needed.',
  },
  'wrong-type': {
    title: 'The value has another form than the key needs',
    explanation: 'A list, a map, a text, a whole number or `true`/`false` is needed, and something else was written.',
  },
  'not-allowed': {
    title: 'The value is not one of those allowed',
    explanation: 'The key takes a few fixed values only.',
  },
  'bad-name': {
    title: 'The name is not allowed',
    explanation:
      'Names become parts of paths, variables and Kubernetes objects, so only few characters are allowed in them.',
  },
  'bad-format': {
    title: 'The value is not written as it must be',
    explanation: 'Durations, quantities and paths have a fixed way of writing.',
  },
  'out-of-range': {
    title: 'The number is too small or too large',
    explanation: 'The key takes whole numbers within limits.',
  },
  'too-long': {
    title: 'The value has too many characters or entries',
    explanation: 'Texts, lists and maps have generous limits, so that no file can exhaust the runner.',
  },
  'duplicate-item': {
    title: 'An entry stands twice in the same list',
    explanation: 'Each entry of this list may stand in it once.',
  },
  'too-many-problems': {
    title: 'The file has more problems than are shown',
    explanation: 'The first hundred are shown; the others usually go with them.',
  },
} as const satisfies Readonly<Record<string, ProblemEntry>>;

export type ProblemCode = keyof typeof problemCodes;
