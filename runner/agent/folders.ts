import { join } from 'node:path';
import type { CommandFolders } from '../workspace/find-in-folders.ts';

/** The volume that the containers of a step share, at the same place in each. */
export const volume = '/sluice';

export interface AgentFolders extends CommandFolders {
  readonly temporary: string;
  /** Where shell and agent meet: pipes, the script, its variables. */
  readonly control: string;
}

export function foldersBelow(root: string): AgentFolders {
  return {
    workspace: join(root, 'workspace'),
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
    output: join(root, 'output'),
    control: join(root, 'control'),
  };
}
