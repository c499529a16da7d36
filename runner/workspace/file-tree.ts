import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { checkLink, memberPath, refusal } from './member-path.ts';
import type { FileMember, LinkMember, TarMember } from './read-tar.ts';

interface Place {
  readonly root: string;
  /** Relative to `root`. */
  readonly path: string;
  readonly absolute: string;
}

/**
 * A folder (and a home folder) that members of one archive are written to. Only real folders are written through; links
 * are made last. File calls are synchronous: for many small files they beat a full thread pool, and each is short.
 */
export class FileTree {
  readonly #folder: string;
  readonly #home: string | undefined;
  readonly #folders: Set<string>;
  /** Everything but folders that this archive has written or will write, by absolute path. */
  readonly #claimed = new Set<string>();
  /** Those of them that a hard link may name. */
  readonly #files = new Set<string>();
  readonly #links: (() => void)[] = [];
  #bytes = 0;

  /** Both folders exist and are given by their real paths. */
  constructor(folder: string, home: string | undefined) {
    this.#folder = folder;
    this.#home = home;
    this.#folders = new Set(home === undefined ? [folder] : [folder, home]);
  }

  async add(member: TarMember): Promise<void> {
    const place = this.#place(member.name);
    if (member.kind === 'folder') {
      this.#addFolder(place, member);
      return;
    }
    this.#makeFolder(dirname(place.absolute), member.name);
    this.#claim(place, member.name);
    if (member.kind === 'file') await this.#addFile(place.absolute, member);
    else if (member.kind === 'hardlink') this.#addHardlink(place.absolute, member);
    else this.#addSymlink(place, member);
  }

  /** Makes the links; call once, when every member was added. */
  finish(): { readonly files: number; readonly bytes: number } {
    for (const make of this.#links) make();
    return { files: this.#claimed.size, bytes: this.#bytes };
  }

  #place(name: string): Place {
    const inHome = this.#home !== undefined && name.startsWith('~/');
    const root = inHome ? this.#home : this.#folder;
    const path = memberPath(inHome ? name.slice(2) : name);
    return { root, path, absolute: join(root, path) };
  }

  #addFolder({ path, absolute }: Place, member: TarMember): void {
    if (path === '') return;
    this.#makeFolder(absolute, member.name);
    fs.chmodSync(absolute, (member.mode & 0o777) | 0o700);
  }

  #makeFolder(absolute: string, member: string): void {
    if (this.#folders.has(absolute)) return;
    this.#makeFolder(dirname(absolute), member);
    if (this.#claimed.has(absolute)) throw refusal(member, 'lies below another member that is no folder');
    try {
      fs.mkdirSync(absolute);
    } catch (error) {
      if (!exists(error)) throw error;
      if (!fs.lstatSync(absolute).isDirectory()) throw refusal(member, 'would be written through a link or a file');
    }
    this.#folders.add(absolute);
  }

  #claim({ absolute }: Place, member: string): void {
    if (this.#claimed.has(absolute)) throw refusal(member, 'is in the archive twice');
    if (this.#folders.has(absolute)) throw refusal(member, 'takes the place of a folder');
    this.#claimed.add(absolute);
  }

  async #addFile(absolute: string, member: FileMember): Promise<void> {
    const file = replace(absolute, () => fs.openSync(absolute, 'wx'));
    try {
      fs.fchmodSync(file, (member.mode & 0o777) | 0o600);
      for await (const chunk of member.content) fs.writeFileSync(file, chunk);
    } finally {
      fs.closeSync(file);
    }
    this.#files.add(absolute);
    this.#bytes += member.bytes;
  }

  #addSymlink({ path, absolute }: Place, member: LinkMember): void {
    checkLink(path, member.target);
    this.#links.push(() => replace(absolute, () => fs.symlinkSync(member.target, absolute)));
  }

  #addHardlink(absolute: string, member: LinkMember): void {
    const target = this.#place(member.target).absolute;
    if (!this.#files.has(target)) throw refusal(member.name, 'is a hard link to something else than a file before it');
    this.#files.add(absolute);
    this.#links.push(() => replace(absolute, () => fs.linkSync(target, absolute)));
  }
}

/** Does `make`, and once more without the file or link of an earlier archive that is in the way. */
function replace<Made>(absolute: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!exists(error)) throw error;
    fs.unlinkSync(absolute);
    return make();
  }
}

function exists(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
