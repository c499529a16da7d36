import { join } from 'node:path';
import { messageOf } from '../../model/errors.ts';
import { AttemptEnded } from '../../model/attempt-ended.ts';
import { findProgram } from './find-program.ts';
import { installedPackage } from './npm-package.ts';
import { programVersion } from './program-version.ts';

export interface ImageTools {
  /** PATH of the step. */
  readonly path: string;
  readonly note?: string;
}

/** The image of steps that name none: it promises nothing that could differ. */
const plainImage = 'base';
/** Images whose program is Sluice itself; of the others in `api-tests` those count that this machine or the repository has. */
const ownImages: ReadonlySet<string> = new Set(['sluice', 'api-tests']);

/** Stands in for images: a step uses the programs of this machine, and the major version of Node that its image names. */
export class ImageToolbox {
  readonly #cache: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #programs: (() => Promise<string>) | undefined;
  #ownNode: Promise<string> | undefined;

  /** `programs` makes the folder with our own program, where there is one. */
  constructor(cache: string, env: Readonly<Record<string, string>>, programs?: () => Promise<string>) {
    this.#cache = cache;
    this.#env = env;
    this.#programs = programs;
  }

  async toolsFor(image: string, signal: AbortSignal): Promise<ImageTools> {
    const path = this.#env['PATH'] ?? '';
    if (image === plainImage) return { path };
    if (ownImages.has(image) && this.#programs !== undefined) return { path: `${await this.#programs()}:${path}` };
    const major = nodeMajor(image);
    if (major === undefined)
      return { path, note: `image ${image} is not used: the step runs with this machine's programs` };
    const own = await (this.#ownNode ??= this.#nodeVersion(path));
    if (own.split('.')[0] === major) return { path };
    const folder = join(await this.#nodePackage(major, signal), 'bin');
    const note = `Node ${await programVersion(join(folder, 'node'), this.#env)} from npm stands in for image ${image}`;
    return { path: `${folder}:${path}`, note };
  }

  async #nodeVersion(path: string): Promise<string> {
    const program = findProgram('node', path);
    return program === undefined ? '' : programVersion(program, this.#env);
  }

  async #nodePackage(major: string, signal: AbortSignal): Promise<string> {
    const finish = async (folder: string): Promise<void> => {
      await programVersion(join(folder, 'bin', 'node'), this.#env);
    };
    const name = `node-${process.platform}-${process.arch}`;
    try {
      return await installedPackage({ name, version: major, finish }, this.#cache, this.#env, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      throw new AttemptEnded('image_pull', `Node ${major} is not on this machine: ${messageOf(error)}`);
    }
  }
}

/** `node:22-alpine`, `docker.io/library/node:22.1` and the runtime `node-22` mean Node 22. */
function nodeMajor(image: string): string | undefined {
  return /^(?:(?:.*\/)?node:|node-)v?(\d+)/.exec(image)?.[1];
}
