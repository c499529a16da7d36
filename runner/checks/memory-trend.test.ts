import test from 'ava';
import { bytesPerSecond, residentBytes } from './memory-trend.ts';

test('resident memory is read as client libraries of Prometheus tell it', (t) => {
  const metrics =
    '# HELP process_resident_memory_bytes Resident memory size in bytes.\n# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 5.2e+07\n';
  t.is(residentBytes(metrics), 52_000_000);
  t.is(residentBytes('process_resident_memory_bytes{app="shop"} 1024\n'), 1024);
  for (const text of ['', 'process_resident_memory_bytes NaN', 'my_process_resident_memory_bytes 3', '<html>']) {
    t.is(residentBytes(text), undefined, text);
  }
});

test('the trend of memory is not bent by a collection of garbage', (t) => {
  const steady = Array.from({ length: 12 }, (_, second) => ({
    at: second * 1_000,
    bytes: 50_000_000 + second * 1_000,
  }));
  t.is(bytesPerSecond(steady), 1_000);
  const collected = steady.map((sample, index) => (index === 6 ? { ...sample, bytes: 20_000_000 } : sample));
  t.is(bytesPerSecond(collected), 1_000);
  t.is(bytesPerSecond(steady.slice(0, 1)), undefined);
  t.is(bytesPerSecond([]), undefined);
});
