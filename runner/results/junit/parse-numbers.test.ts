import test from 'ava';
import { parseCount, parseSeconds } from './parse-numbers.ts';

const durations: Readonly<Record<string, number>> = {
  '1.5': 1_500,
  '0': 0,
  '0.0004': 0.4,
  '0,123': 123,
  '1,234.5': 1_234_500,
  '1.234,5': 1_234_500,
  '1,234,567': 1_234_567_000,
  '12 345.6': 12_345_600,
  '1.2e-05': 0.012,
  ' 2.5s ': 2_500,
  '-1': 0,
  NaN: 0,
  Infinity: 0,
  '': 0,
  soon: 0,
};

for (const [text, milliseconds] of Object.entries(durations)) {
  test(`a duration of "${text}" seconds is ${milliseconds} ms`, (t) => t.is(parseSeconds(text), milliseconds));
}

test('totals may have separators of thousands, and are whole numbers', (t) => {
  for (const text of ['1024', ' 1024 ', '1,024', '1.024', "1'024"]) t.is(parseCount(text), 1_024, text);
  for (const text of ['', '-1', '1.5', 'many', '1e3', '0x10']) t.is(parseCount(text), undefined, text);
});
