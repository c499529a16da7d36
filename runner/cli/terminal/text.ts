const sgr = /^\x1b\[[\d;:]*m$/;
/** Strings of terminal commands (OSC, DCS, …), control sequences, other escapes, control and direction characters. */
const control =
  /\x1b[PX^_\]].*?(?:\x07|\x1b\\|$)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gsu;
const suspicious = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const reset = '\x1b[0m';

/** One line of foreign output that can do nothing to a terminal: only colours pass, and they end with the line. */
export function harmless(line: string, keepColors: boolean): string {
  if (!suspicious.test(line)) return line;
  // What was overwritten, as progress bars do, is gone.
  const shown = line.split('\r').findLast((part) => part !== '') ?? '';
  const text = shown
    .replaceAll('\t', '    ')
    .replace(control, (sequence) => (keepColors && sgr.test(sequence) ? sequence : ''));
  return text.includes('\x1b') ? text + reset : text;
}

const escapeOrText = /\x1b\[[\d;:]*m|[^\x1b]+/g;
const invisible = /^[\p{M}\p{Cf}\p{Cc}]+$/u;
const wide =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\ufe0f/u;
/** Characters of one column that combine with nothing: Latin, Greek, Cyrillic, punctuation, lines and the marks of views. */
const simple = /^[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2500-\u259f\u2713\u2717\u2800-\u28ff]*$/;

/** Columns that a terminal uses for the text; colours use none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const [part] of text.matchAll(escapeOrText)) {
    if (!part.startsWith('\x1b')) width += widthOfText(part);
  }
  return width;
}

function widthOfText(text: string): number {
  if (simple.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemesOf(text)) width += widthOfGrapheme(grapheme);
  return width;
}

/** Made when the first text needs it: it takes longer than many a command. */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): readonly string[] {
  if (simple.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function widthOfGrapheme(grapheme: string): number {
  if (invisible.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

/** The text, cut with an ellipsis where it is wider than `columns`. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let [shown, width, colored] = ['', 0, false];
  for (const [part] of text.matchAll(escapeOrText)) {
    if (part.startsWith('\x1b')) {
      shown += part;
      colored = true;
      continue;
    }
    for (const grapheme of graphemesOf(part)) {
      const next = widthOfGrapheme(grapheme);
      if (width + next > columns - 1) return `${shown}…${colored ? reset : ''}`;
      shown += grapheme;
      width += next;
    }
  }
  return shown;
}

/** The text without colours, cut in the middle: names that are alike differ at their end as often as at their start. */
export function fitName(name: string, columns: number): string {
  if (widthOf(name) <= columns) return name;
  const graphemes = graphemesOf(name);
  const take = (parts: readonly string[], room: number): readonly string[] => {
    let width = 0;
    return parts.filter((part) => (width += widthOfGrapheme(part)) <= room);
  };
  const end = take(graphemes.toReversed(), Math.floor((columns - 1) / 2))
    .toReversed()
    .join('');
  const start = take(graphemes, columns - 1 - widthOf(end)).join('');
  return `${start}…${end}`;
}

/** Padded with spaces to a width; longer text stays as it is. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}
