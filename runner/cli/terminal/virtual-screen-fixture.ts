import { Writable } from 'node:stream';
import { widthOf } from './text.ts';

/** A terminal for tests: understands what the live screen writes, and fails on everything else. */
export class VirtualScreen extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  /** Bytes written so far. */
  written = 0;
  cursorVisible = true;
  private lines: string[] = [''];
  private row = 0;
  private column = 0;

  constructor(columns: number, rows: number) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  /** What has ever been shown and not been erased, without colours and trailing space. */
  get text(): string {
    return this.lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd();
  }

  /** As a terminal does it that became narrower: long lines are broken, the cursor stays with its text. */
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    const before = this.lines.slice(0, this.row).flatMap((line) => this.broken(line));
    const after = this.lines.slice(this.row).flatMap((line) => this.broken(line));
    this.lines = [...before, ...after];
    this.row = before.length;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    const text = chunk.toString();
    this.written += text.length;
    for (const [token] of text.matchAll(/\x1b\[[?\d;]*[A-Za-z]|[\n\r]|[^\x1b\n\r]+/g)) this.take(token);
    done();
  }

  private broken(line: string): readonly string[] {
    return line.match(new RegExp(`.{1,${this.columns}}`, 'gu')) ?? [''];
  }

  private take(token: string): void {
    if (token === '\r') this.column = 0;
    else if (token === '\n') this.newLine();
    else if (token.startsWith('\x1b[')) this.control(token.slice(2));
    else this.put(token);
  }

  private newLine(): void {
    this.row += 1;
    this.column = 0;
    if (this.row === this.lines.length) this.lines.push('');
  }

  private control(sequence: string): void {
    if (sequence.endsWith('m') || sequence.startsWith('?2026')) return;
    if (sequence === '?25l' || sequence === '?25h') this.cursorVisible = sequence.endsWith('h');
    else if (sequence === 'K') this.lines[this.row] = (this.lines[this.row] ?? '').slice(0, this.column);
    else if (sequence === 'J')
      this.lines.splice(this.row, Infinity, (this.lines[this.row] ?? '').slice(0, this.column));
    else if (/^\d+A$/.test(sequence)) this.row = Math.max(0, this.row - Number.parseInt(sequence));
    else throw new Error(`the screen does not know ${JSON.stringify(sequence)}`);
  }

  private put(text: string): void {
    const line = this.lines[this.row] ?? '';
    this.lines[this.row] =
      line.slice(0, this.column).padEnd(this.column) + text + line.slice(this.column + text.length);
    this.column += text.length;
    if (widthOf(this.lines[this.row] ?? '') > this.columns) throw new Error(`wider than the screen: ${text}`);
  }
}
