import { volume } from './folders.ts';

/**
 * The first process of a step's container, for any POSIX shell. It waits for the agent's go, runs the script as a child
 * and says how that ended, by its word in a pipe and by its own exit code.
 *
 * As process 1 it is immune to signals from inside, so it outlives a script that kills everything it can; when it ends,
 * the kernel ends whatever is left. `kill SIGNAL -1` reaches every process of the container but process 1 and the
 * asking one. Once the agent asked to stop, children may use their grace although the script's shell is gone.
 */
export const bootScript = `d=${volume}/control
trap 'exit 143' TERM
until [ -p $d/go ]; do sleep 0.1 2>/dev/null || sleep 1; done
read -r shell 2>/dev/null <$d/go || exit 125
if ! command -v "$shell" >/dev/null 2>&1; then echo "missing $shell" >$d/done; exit 127; fi
echo begun >$d/done
(trap '' TERM; while read -r s; do kill -"$s" -1 2>/dev/null; done) <$d/stop &
w=$!
others() { for p in /proc/[0-9]*; do case \${p#/proc/} in 1|$w) ;; *) return 0 ;; esac; done; return 1; }
case $shell in bash) set -- bash -eo pipefail $d/script ;; *) set -- sh -e $d/script ;; esac
unset KUBERNETES_PORT KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_ADDR KUBERNETES_PORT_443_TCP_PORT
unset KUBERNETES_PORT_443_TCP_PROTO KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS
trap - TERM
(. $d/env; exec "$@") </dev/null >$d/out 2>&1
code=$?
while [ -e $d/stopping ] && others; do sleep 0.05 2>/dev/null || sleep 1; done
echo "$code" >$d/done
exit "$code"
`;

/**
 * Makes the pipes of a gate, for any POSIX shell. The agent's container begins with it and comes before that of the step, whose
 * shell can only look again and again: it would take the processor from an agent that is still starting.
 */
export function pipesScript(control: string): string {
  return `mkdir ${control} && cd ${control} && mkfifo -m 600 out done stop go && cd /`;
}

/** A value as one word of a POSIX shell. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** What the shell reads before it becomes the script's: variables and the folder to start in. */
export function environmentFile(env: Readonly<Record<string, string>>, folder: string): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  return `cd ${quoted(folder)}\n${variables.join('')}`;
}
