import { writeFile } from 'node:fs/promises';
import { makeFiles } from './make-files.ts';

for (const [file, content] of await makeFiles()) await writeFile(file, content);
