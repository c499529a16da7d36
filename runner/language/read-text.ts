import { LineCounter } from 'yaml';
import type { Location, Problem } from '../model/problem.ts';
import type { SourceText } from './positioned.ts';
import { problem } from './problem.ts';

/** A text with line feeds only and without a byte order mark, so that offsets, lines and columns agree. */
export interface Text extends SourceText {
  readonly text: string;
  /** The place of an offset; marked is what lies before `end` on the same line. */
  at(start: number, end?: number): Location;
}

const maxBytes = 512 * 1024;

// Control characters, marks that reorder text, what is left of bytes that are not UTF-8.
const refused = /[\0-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ufffd\ufeff\u202a-\u202e\u2066-\u2069]/u;

// A look-behind would say it in one expression, and makes Node 22 count the spaces of a line anew at each of them.
const strangeIndentation = /^ *[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/mu;

// White space, a comment, the start or the end of a document.
const nothing = /^(---|\.\.\.)?\s*(#.*)?$/;

export function readText(content: string, file: string): Text {
  const text = content
    .slice(0, maxBytes)
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n');
  const lines = text.split('\n');
  const counter = new LineCounter();
  let start = 0;
  for (const line of lines) {
    counter.addNewLine(start);
    start += line.length + 1;
  }
  const at = (start: number, end = start + 1): Location => {
    const { line, col } = counter.linePos(start);
    const rest = (lines[line - 1]?.length ?? 0) - col + 1;
    return { file, line, column: col, length: Math.max(1, Math.min(end - start, rest)) };
  };
  return { file, text, lines, at };
}

/** Why the content is not even looked at, if it is not. */
export function checkContent(content: string, source: Text): Problem | undefined {
  const bytes = Buffer.byteLength(content);
  if (bytes > maxBytes) {
    const message = `The file has ${Math.ceil(bytes / 1024)} KiB; ${maxBytes / 1024} KiB are allowed.`;
    const hint = 'Move steps to workflow files and call them by `uses`, and long scripts to files of the repository.';
    return problem(source, source.at(0), 'file-too-large', message, hint);
  }
  const bad = badOffset(source.text);
  if (bad !== undefined) return badCharacter(source, source.text.charAt(bad), bad);
  if (!source.lines.every((line) => nothing.test(line))) return undefined;
  return problem(source, source.at(0), 'empty-file', 'The file is empty.', '`sluice init` writes one to start with.');
}

function badOffset(text: string): number | undefined {
  const strange = strangeIndentation.exec(text);
  const offsets = [refused.exec(text)?.index, strange && strange.index + strange[0].length - 1];
  const found = offsets.filter((offset) => typeof offset === 'number');
  return found.length === 0 ? undefined : Math.min(...found);
}

function badCharacter(source: Text, character: string, offset: number): Problem {
  const code = `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  const hint =
    character === '\ufffd' || character === '\0'
      ? 'Save the file as UTF-8 text.'
      : 'Delete it, most editors can show invisible characters; indent with spaces.';
  // What is no UTF-8 was read as this sign, so that its number says nothing about the file.
  const message =
    character === '\ufffd' ? 'The file is no UTF-8 text here.' : `The character ${code} is not allowed here.`;
  return problem(source, source.at(offset), 'bad-character', message, hint);
}
