import { Argument } from 'commander';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** Each hands the words so far to `sluice complete` and offers the lines that come back. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `_sluice() {
  local IFS=$'\\n'
  COMPREPLY=($(sluice complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
# File names where Sluice has nothing to offer; ids of matrix cells hold colons.
COMP_WORDBREAKS=\${COMP_WORDBREAKS//:}
complete -o default -F _sluice sluice
`,
  zsh: `#compdef sluice
_sluice() {
  local -a candidates
  candidates=("\${(@f)$(sluice complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[1]}" ]]; then compadd -- $candidates; else _files; fi
}
compdef _sluice sluice
`,
  fish: `function __sluice
  set -l words (commandline -opc) (commandline -ct)
  sluice complete -- $words[2..] 2>/dev/null
end
complete -c sluice -a '(__sluice)'
`,
};

const shells = Object.keys(scripts) as Shell[];

export const defineCompletion: Define = (command) => {
  command.addArgument(new Argument('<shell>', 'which shell').choices(shells)).addHelpText(
    'after',
    `
Put it into place with one of:
  bash  echo 'eval "$(sluice completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(sluice completion zsh)"' >> ~/.zshrc
  fish  sluice completion fish > ~/.config/fish/completions/sluice.fish`,
  );
  return (session) => {
    const shell = shells.find((name) => name === command.args[0]) ?? 'bash';
    if (session.json) session.printJson({ shell, script: scripts[shell] });
    else session.io.stdout.write(scripts[shell]);
    return exitCodes.succeeded;
  };
};
