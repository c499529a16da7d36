import { bitbucket } from './bitbucket.ts';
import type { Forge, ForgeName } from './forge.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';

/** Every forge by the name that a repository's configuration gives it. */
export const forges: Readonly<Record<ForgeName, Forge>> = { github, gitlab, gitea, bitbucket };
