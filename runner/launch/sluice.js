#!/usr/bin/env node
// Plain JavaScript that Node 16 reads: it starts Sluice, on a newer Node where this one is too old.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fitEnvironment, isFit, run } from './node.js';

try {
  process.exitCode = isFit(process.versions.node) ? await start() : await startOnFitNode();
} catch (error) {
  process.stderr.write(`sluice: ${error.message}\n`);
  process.exitCode = 1;
}

async function start() {
  process.title = 'sluice';
  // Not the shared temporary folder, which is Node's default: who can write there could plant code.
  module.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice', 'code'));
  hideWarnings(/^(Type Stripping|SQLite) is an experimental feature/);
  // A package has compiled files only, because Node strips no types under node_modules; a clone runs its sources.
  const source = new URL('../main.ts', import.meta.url);
  const entry = existsSync(source) ? source : new URL('../../dist/runner/main.js', import.meta.url);
  const { main } = await import(entry.href);
  return main(process.argv.slice(2));
}

async function startOnFitNode() {
  return run('node', [fileURLToPath(import.meta.url), ...process.argv.slice(2)], await fitEnvironment());
}

function hideWarnings(pattern) {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    if (!pattern.test(String(warning))) emitWarning.call(process, warning, ...rest);
  };
}
