interface ProblemEntry {
  /** What is wrong, as a heading. */
  readonly title: string;
  /** What it means and why it is refused, in one or two sentences. */
  readonly explanation: string;
}

/** Every code of a mistake in a pipeline or workflow file. `docs/problems.md` has an example and a remedy for each. */
export const problemCodes = {
  'yaml-syntax': {
    title: 'The file is not YAML',
    explanation: 'The text cannot be read as YAML: an indentation, a quote, a bracket or a colon is not right.',
  },
  'unknown-key': {
    title: 'The key does not exist here',
    explanation: 'Keys that the language does not know are refused, so that a typing error cannot switch a check off.',
  },
  'missing-key': {
    title: 'A required key is missing',
    explanation: 'The map lacks a key without which it has no meaning.',
  },
} as const satisfies Readonly<Record<string, ProblemEntry>>;

export type ProblemCode = keyof typeof problemCodes;
