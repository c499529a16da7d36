/** Linux numbers: steps run in Linux containers, wherever the runner itself runs. */
const names: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

const firstSignalExitCode = 128;

/** The signal that an exit code of 128 + n stands for: a shell says so of its command, the runtime of the container. */
export function signalOf(exitCode: number): string | undefined {
  return names[exitCode - firstSignalExitCode];
}
