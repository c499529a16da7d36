/** Makes the folder that the image of Sluice is built from: `node runtime-images/sluice/bundle.ts FOLDER`. */
import { cpSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');

/** Packages in CommonJS ask for modules of Node by `require`, which bundled ES modules do not have. */
const banner = `import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);`;

/** Packages that read files of their own beside their code. */
const whole = ['libpg-query', '@pgsql/types'];

/** As `runner/launch/sluice.js` does, which says why. */
const start = `import v8 from 'node:v8';
process.title = 'sluice';
v8.setFlagsFromString('--semi-space-growth-factor=1');
const { main } = await import('./main.js');
process.exitCode = await main(process.argv.slice(2));
`;

async function bundle(folder: string): Promise<void> {
  const target = join(folder, 'sluice');
  await build({
    entryPoints: [join(root, 'runner/main.ts')],
    outdir: join(target, 'runner'),
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: banner },
    external: ['pg-native', ...whole],
    legalComments: 'linked',
  });
  writeFileSync(join(target, 'runner/start.mjs'), start);
  for (const file of globSync(['package.json', 'workflows/*.yaml'], { cwd: root })) {
    cpSync(join(root, file), join(target, file));
  }
  for (const name of whole)
    cpSync(join(root, 'node_modules', name), join(target, 'node_modules', name), { recursive: true });
  for (const file of ['Containerfile', 'sluice.sh']) cpSync(join(here, file), join(folder, file));
}

const [folder = 'dist/sluice'] = process.argv.slice(2);
await bundle(folder);
