import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';

/** Makes `dist`: the compiled rooms with the files that they read at run time, for use as a package. */
function build(): number {
  rmSync('dist', { recursive: true, force: true });
  const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  const data = globSync(['package.json', 'runner/**/*.generated.js', 'schemas/*.json', 'workflows/*.yaml']);
  for (const file of data) cpSync(file, `dist/${file}`);
  return status ?? 1;
}

process.exitCode = build();
