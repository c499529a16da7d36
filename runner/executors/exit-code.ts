const meanings: Readonly<Record<number, string>> = {
  126: 'a command was found but cannot be executed',
  127: 'a command was not found',
};

/** An exit code in words, with what a shell means by it. */
export function exitCodeInWords(code: number): string {
  const meaning = meanings[code];
  return meaning === undefined ? `exit code ${code}` : `exit code ${code}: ${meaning}`;
}
