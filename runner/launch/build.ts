import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';

/** Makes `dist`: the compiled rooms with the files that they read at run time, for use as a package. */
rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
const data = globSync(['runner/*/**/*.{js,sql}', 'schemas/*.json', 'workflows/**/*.yaml'], {
  exclude: ['runner/launch/**'],
});
for (const file of data) cpSync(file, `dist/${file}`);
