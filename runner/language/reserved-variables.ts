const reserved = /^(SLUICE_.*|PATH|LD_.*|DYLD_.*|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|NODE_OPTIONS|GIT_SSH.*)$/;

/** Variables that would change what runs instead of what it is told: loaders, start-up files, and those Sluice sets itself. */
export function isReservedVariable(name: string): boolean {
  return reserved.test(name);
}
