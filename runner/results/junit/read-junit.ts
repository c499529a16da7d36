import { setImmediate } from 'node:timers/promises';
import { SaxesParser } from 'saxes';
import { messageOf } from '../../model/errors.ts';
import type { TestCase } from '../../model/result.ts';
import { decodeXml } from './decode-xml.ts';
import type { JUnitReport } from './junit-report.ts';
import { ReportBuilder, unreadable } from './report-builder.ts';
import { Unreadable } from './unreadable.ts';

/** One text or attribute is held up to this length while it is read. */
const maxText = 1_048_576;
const maxAttributes = 1_000;

/**
 * Reads one JUnit report: yields the cases in the order in which they end, in batches, and returns what is known of the
 * file. Memory is bounded whatever its size. A file that cannot be read is a verdict; only `content` itself can throw.
 */
export async function* readJUnit(
  content: AsyncIterable<Uint8Array>,
  file: string,
): AsyncGenerator<readonly TestCase[], JUnitReport> {
  const builder = new ReportBuilder(file);
  const parser = new XmlReader(builder);
  try {
    for await (const text of decodeXml(content)) {
      parser.write(text);
      const cases = builder.takeCases();
      if (cases.length > 0) yield cases;
      await setImmediate();
    }
    parser.end();
    return builder.finish();
  } catch (error) {
    if (error instanceof Unreadable) return unreadable(file, 'reject', error.message);
    throw error;
  }
}

/** `readJUnit` for those who take cases by a function; the next batch waits until it is done. */
export async function parseJUnit(
  content: AsyncIterable<Uint8Array>,
  file: string,
  onCases?: (cases: readonly TestCase[]) => Promise<void> | void,
): Promise<JUnitReport> {
  const batches = readJUnit(content, file);
  for (;;) {
    const next = await batches.next();
    if (next.done) return next.value;
    await onCases?.(next.value);
  }
}

/**
 * Well-formed XML, or Unreadable with the place. saxes throws by itself when nobody handles `error`; one handler more than
 * these and V8 keeps the parser as a dictionary, which makes it five times slower.
 */
class XmlReader {
  private readonly parser = new SaxesParser();
  private readonly builder: ReportBuilder;
  private insideTag = false;
  private attributes = 0;

  constructor(builder: ReportBuilder) {
    const { parser } = this;
    this.builder = builder;
    parser.on('doctype', () => {
      throw new Unreadable('a document type (<!DOCTYPE>) is refused');
    });
    parser.on('opentagstart', () => {
      this.insideTag = true;
      this.attributes = 0;
    });
    parser.on('attribute', () => {
      this.attributes += 1;
      if (this.attributes > maxAttributes) throw new Unreadable(`an element has more than ${maxAttributes} attributes`);
    });
    parser.on('opentag', ({ name, attributes }) => {
      this.insideTag = false;
      builder.openElement(name, attributes);
    });
    parser.on('closetag', () => builder.closeElement());
    parser.on('text', (text) => builder.text(text));
    parser.on('cdata', (text) => builder.text(text));
  }

  write(text: string): void {
    this.guard(() => this.parser.write(text));
    this.boundText();
  }

  end(): void {
    this.guard(() => this.parser.close());
  }

  /** saxes tells of a text when it has ended; taking it out of its buffer before bounds what one may need. */
  private boundText(): void {
    const text: unknown = Reflect.get(this.parser, 'text');
    if (typeof text !== 'string' || text.length <= maxText) return;
    if (!this.insideTag) this.builder.text(text);
    Reflect.set(this.parser, 'text', '');
  }

  private guard(step: () => unknown): void {
    try {
      step();
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      throw new Unreadable(messageOf(error).replace(/^(\d+):(\d+): /, 'line $1, column $2: '));
    }
  }
}
