import { styleText } from 'node:util';

type Paint = (text: string) => string;

/** Meanings, not colours: what a piece of text says decides how it looks. */
export interface Palette {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly busy: Paint;
  readonly ask: Paint;
}

function paint(format: Parameters<typeof styleText>[0]): Paint {
  return (text) => (text === '' ? '' : styleText(format, text, { validateStream: false }));
}

const plain: Paint = (text) => text;

export const noColors: Palette = { strong: plain, faint: plain, good: plain, bad: plain, busy: plain, ask: plain };

export const colors: Palette = {
  strong: paint('bold'),
  faint: paint('dim'),
  good: paint('green'),
  bad: paint('red'),
  busy: paint('cyan'),
  ask: paint('yellow'),
};
