#!/usr/bin/env node
// @ts-check
// Plain JavaScript that Node 16 reads: it starts Sluice, on a newer Node where this one is too old.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { compiledCode, fitEnvironment, isFit, run } from './node.js';

try {
  process.exitCode = isFit(process.versions.node) ? await start() : await startOnFitNode();
} catch (error) {
  process.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function start() {
  process.title = 'sluice';
  // Most of what a run allocates is garbage at once; a young generation that never grows halves the memory of a long run.
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  module.enableCompileCache(compiledCode);
  hideWarnings(/^(Type Stripping|SQLite) is an experimental feature/);
  // A package has compiled files only, because Node strips no types under node_modules; a clone runs its sources.
  const source = new URL('../main.ts', import.meta.url);
  const entry = existsSync(source) ? source : new URL('../../dist/runner/main.js', import.meta.url);
  /** @type {unknown} */
  const loaded = await import(entry.href);
  const { main } = /** @type {typeof import('../main.ts')} */ (loaded);
  return main(process.argv.slice(2));
}

async function startOnFitNode() {
  return run('node', [fileURLToPath(import.meta.url), ...process.argv.slice(2)], await fitEnvironment());
}

/** @param {RegExp} pattern */
function hideWarnings(pattern) {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (/** @type {unknown[]} */ ...args) => {
    if (!pattern.test(String(args[0]))) Reflect.apply(emitWarning, process, args);
  };
}
