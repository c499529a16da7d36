import { verdictOf } from '../model/outcome.ts';
import type { Verdict } from '../model/outcome.ts';

const maxBytes = 65_536;

interface ParsedOutputs {
  readonly values: Readonly<Record<string, string>>;
  /** `output_invalid` or `output_missing`. Names a line, never a value: that might be a secret. */
  readonly problem?: Verdict;
}

/**
 * Reads the text of $SLUICE_OUTPUT: lines `NAME=value`, and for values of several lines `NAME<<END`, the lines, `END`.
 * Empty lines say nothing; of two values of one name the later counts; every declared name needs a value.
 */
export function parseOutputs(text: string, declared: readonly string[]): ParsedOutputs {
  if (Buffer.byteLength(text) > maxBytes) return invalid(`$SLUICE_OUTPUT holds more than ${maxBytes} bytes`);
  if (text.includes('\0')) return invalid('$SLUICE_OUTPUT holds a NUL byte');
  const values = new Map<string, string>();
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line === '') continue;
    const [, name, operator, rest = ''] = /^([A-Za-z_]\w*)(=|<<)(.*)$/s.exec(line) ?? [];
    if (name === undefined) return invalid(`line ${at + 1} of $SLUICE_OUTPUT is not NAME=value`);
    if (!declared.includes(name)) return invalid(`line ${at + 1} of $SLUICE_OUTPUT: ${name} is not declared`);
    if (operator === '=') {
      values.set(name, rest);
      continue;
    }
    const end = lines.indexOf(rest, at + 1);
    if (rest === '' || end === -1) return invalid(`line ${at + 1} of $SLUICE_OUTPUT: ${name}<< has no end`);
    values.set(name, lines.slice(at + 1, end).join('\n'));
    at = end;
  }
  const missing = declared.filter((name) => !values.has(name));
  return {
    values: Object.fromEntries(values),
    ...(missing.length > 0 && { problem: verdictOf('output_missing', `${missing.join(', ')} not in $SLUICE_OUTPUT`) }),
  };
}

function invalid(message: string): ParsedOutputs {
  return { values: {}, problem: verdictOf('output_invalid', message) };
}
