interface ProblemEntry {
  /** What is wrong, as a heading. */
  readonly title: string;
  /** What it means and why it is refused, in one or two sentences. */
  readonly explanation: string;
}

/** Every code of a mistake in a pipeline or workflow file. `docs/problems.md` has an example and a remedy for each. */
export const problemCodes = {
  'file-too-large': {
    title: 'The file is too large',
    explanation:
      'A file has at most 512 KiB and 200,000 words and signs. More is never written by hand, and reading it would take memory and time.',
  },
  'bad-character': {
    title: 'The file holds a character that is not text',
    explanation:
      'Control characters, bytes that are not UTF-8, marks that reorder text and strange spaces in the indentation are refused: what a reader sees must be what runs.',
  },
  'empty-file': {
    title: 'The file is empty',
    explanation: 'There is nothing in the file, or nothing but comments.',
  },
  'yaml-syntax': {
    title: 'The file is not YAML',
    explanation: 'The text cannot be read as YAML. What stands before the place was checked all the same.',
  },
  'yaml-indentation': {
    title: 'The indentation does not fit',
    explanation:
      'In YAML the indentation says what belongs together: all keys of a map, and all items of a list, start in the same column.',
  },
  'yaml-tab': {
    title: 'A tab stands in the indentation',
    explanation: 'YAML is indented with spaces only, because a tab has no fixed width.',
  },
  'yaml-colon': {
    title: 'A colon or the space behind it is missing',
    explanation: 'A key is followed by a colon and a space, `key: value`; without them the line is read as text.',
  },
  'yaml-unclosed': {
    title: 'A quote or bracket is not closed',
    explanation:
      'A text that starts with a quote, a list that starts with `[` and a map that starts with `{` must end.',
  },
  'yaml-unquoted': {
    title: 'A text must be in quotes',
    explanation:
      'Some characters mean something to YAML: at the start of a text `*`, `&`, `!`, `%`, `@`, `{`, `[` and others, within it a colon with a space.',
  },
  'yaml-escape': {
    title: 'An escape in double quotes does not exist',
    explanation:
      'In double quotes a backslash starts an escape such as `\\n`. In single quotes and in blocks it is an ordinary character.',
  },
  'yaml-anchor': {
    title: 'Anchors and aliases are not allowed',
    explanation: '`&name` and `*name` repeat values out of sight, and a few lines of them can grow to gigabytes.',
  },
  'yaml-merge-key': {
    title: 'Merge keys are not allowed',
    explanation: '`<<` is not part of YAML 1.2, and readers do not agree on what it means.',
  },
  'yaml-tag': {
    title: 'Tags are not allowed',
    explanation: '`!!type` asks for another type than the one the schema gives to the value.',
  },
  'yaml-directive': {
    title: 'Directives are not allowed',
    explanation: 'Lines such as `%YAML 1.1` would change how the rest is read.',
  },
  'yaml-documents': {
    title: 'The file has several documents',
    explanation: 'One file describes one pipeline or one workflow.',
  },
  'yaml-key': {
    title: 'The key is not a text',
    explanation: 'Keys are plain texts: no lists, maps or empty keys, and not `__proto__`.',
  },
  'too-deep': {
    title: 'Values are nested too deeply',
    explanation: 'More than 64 levels are refused before anything looks at them.',
  },
  'duplicate-key': {
    title: 'A key stands twice in the same map',
    explanation: 'YAML readers take one of the two and drop the other silently; which one differs.',
  },
  'unknown-key': {
    title: 'The key does not exist here',
    explanation: 'Keys that the language does not know are refused, so that a typing error cannot switch a check off.',
  },
  'missing-key': {
    title: 'A required key is missing',
    explanation: 'The map lacks a key without which it has no meaning.',
  },
  'empty-value': {
    title: 'A value is empty',
    explanation: 'Nothing stands behind the key, or a text, list or map without content where something is needed.',
  },
  'wrong-type': {
    title: 'The value has another form than the key needs',
    explanation: 'A list, a map, a text, a whole number or `true`/`false` is needed, and something else was written.',
  },
  'not-allowed': {
    title: 'The value is not one of those allowed',
    explanation: 'The key takes a few fixed values only.',
  },
  'bad-name': {
    title: 'The name is not allowed',
    explanation:
      'Names become parts of paths, variables and Kubernetes objects, so only few characters are allowed in them.',
  },
  'bad-format': {
    title: 'The value is not written as it must be',
    explanation: 'Durations, quantities and paths have a fixed way of writing.',
  },
  'out-of-range': {
    title: 'The number is too small or too large',
    explanation: 'The key takes whole numbers within limits.',
  },
  'too-long': {
    title: 'The value has too many characters or entries',
    explanation: 'Texts, lists and maps have generous limits, so that no file can exhaust the runner.',
  },
  'duplicate-item': {
    title: 'An entry stands twice in the same list',
    explanation: 'Each entry of this list may stand in it once.',
  },
  'too-many-problems': {
    title: 'The file has more problems than are shown',
    explanation: 'The first hundred are shown; the others usually go with them.',
  },
  'step-kind': {
    title: 'A step is not exactly one of `run`, `uses`, `approval` and `operation`',
    explanation:
      'A step runs a script, uses a workflow, waits for a person or has Sluice do something. To do two of these, write two steps.',
  },
  'step-field': {
    title: 'A field has no meaning for this kind of step',
    explanation: 'A field that would be ignored is refused, so that nobody relies on it.',
  },
  'step-name': {
    title: 'The name of a step is taken',
    explanation: 'Names of steps are unique in `steps` and `finally` together; `inputs` is reserved in workflows.',
  },
  'need-unknown': {
    title: 'A needed step does not exist',
    explanation: '`needs` names steps of the same file.',
  },
  'need-self': {
    title: 'A step needs itself',
    explanation: 'It could never start.',
  },
  'need-duplicate': {
    title: 'A step is needed twice',
    explanation: 'One entry is enough, and two could contradict each other.',
  },
  'need-finally': {
    title: 'A need crosses `finally`',
    explanation:
      'Steps of `finally` run when all others have ended, so they need each other only, and no other step can wait for them.',
  },
  'need-cycle': {
    title: 'Steps wait for each other',
    explanation: 'Each step of the cycle needs the next one, so that none could ever start.',
  },
  'matrix-empty': {
    title: 'The matrix has no combination',
    explanation: 'A matrix without combinations would leave the step out silently.',
  },
  'matrix-too-large': {
    title: 'The matrix has too many combinations',
    explanation: 'A matrix has at most 256 combinations, counted before `exclude`.',
  },
  'matrix-duplicate': {
    title: 'A combination stands in the matrix already',
    explanation: 'The same combination would run twice.',
  },
  'matrix-exclude': {
    title: 'An entry of `exclude` fits nothing',
    explanation: 'An exclusion without effect is most likely a typing error, and what it should leave out would run.',
  },
  'plan-too-large': {
    title: 'The plan has too many steps',
    explanation: 'With all matrices and workflows expanded, a plan has at most 2,000 steps.',
  },
  'uses-invalid': {
    title: '`uses` names no workflow',
    explanation:
      'A workflow is a gate, a file of the repository, or a file of another repository at a whole commit id.',
  },
  'uses-remote': {
    title: 'Workflows of other repositories are not available',
    explanation: 'This version runs gates and workflow files of the same repository.',
  },
  'uses-unknown-gate': {
    title: 'There is no such gate',
    explanation: 'A name without `./` is one of the gates that come with Sluice.',
  },
  'uses-missing-file': {
    title: 'The workflow file does not exist',
    explanation: 'The path begins at the root of the repository, and the file must be part of the commit.',
  },
  'uses-cycle': {
    title: 'A workflow uses itself',
    explanation: 'Directly or through others, it would never end.',
  },
  'uses-too-deep': {
    title: 'Workflows are nested too deeply',
    explanation: 'A workflow that uses a workflow, and so on, goes at most eight deep.',
  },
  'input-unknown': {
    title: 'The workflow has no such input',
    explanation: 'An input that would be ignored is refused.',
  },
  'input-missing': {
    title: 'A required input is missing',
    explanation: 'The workflow cannot work without it.',
  },
  'input-value': {
    title: 'The value does not fit the input',
    explanation: 'Inputs have a type and sometimes a list of allowed values, which are checked before the run.',
  },
  'input-declaration': {
    title: 'An input is declared in a contradictory way',
    explanation: 'A default must fit its type, and is of use only when the input may be left out.',
  },
  'secret-not-given': {
    title: 'The workflow needs a secret that it is not given',
    explanation: 'A workflow has no secrets but those that the step which uses it lists.',
  },
  'secret-unused': {
    title: 'The workflow does nothing with a secret',
    explanation: 'A secret goes no further than it is needed.',
  },
  'expression-invalid': {
    title: 'The expression cannot be understood',
    explanation: 'Its syntax, a function or a type is wrong. docs/expressions.md has the whole language.',
  },
  'expression-unknown-name': {
    title: 'The expression uses a name that does not exist here',
    explanation:
      'Which values can be used depends on the place: what later steps give is not known when an earlier one starts.',
  },
  'expression-undecided': {
    title: 'The value must be known before the run',
    explanation:
      'Images, paths, cache keys and groups are part of the plan, so they cannot depend on what a step gives.',
  },
  'expression-failed': {
    title: 'The expression has no value',
    explanation: 'It is well-formed, but with the values of this commit it cannot be evaluated.',
  },
  'expression-in-script': {
    title: 'An expression stands in a script',
    explanation:
      'A value that becomes part of a script can become code: a branch name may hold any command. Environment variables cannot.',
  },
  'expression-out-of-place': {
    title: 'An expression stands where none is evaluated',
    explanation: 'What a backend is made of is the same in each run and each environment.',
  },
  'path-outside': {
    title: 'A path leaves the workspace',
    explanation: 'Steps read and hand over files of their own workspace only.',
  },
  'glob-invalid': {
    title: 'The pattern is not valid',
    explanation: 'Patterns know `*`, `**`, `?`, `[abc]` and `{a,b}`, and few of them at a time.',
  },
  'variable-reserved': {
    title: 'The variable cannot be set from a file',
    explanation:
      'Variables such as `PATH`, `LD_PRELOAD` or `SLUICE_OUTPUT` change what runs instead of telling it something.',
  },
  'variable-twice': {
    title: 'A secret and a variable have the same name',
    explanation: 'Only one of them could reach the script.',
  },
  'duration-invalid': {
    title: 'The time is too long',
    explanation: 'No wait is longer than 30 days.',
  },
  'quantity-invalid': {
    title: 'The amount makes no sense',
    explanation:
      'CPU is counted in cores or thousandths, memory and disk in bytes with a unit, and all are more than nothing.',
  },
  'pattern-invalid': {
    title: 'The patterns of a trigger let nothing in',
    explanation: '`!` takes out what earlier entries let in, so it cannot stand first or alone.',
  },
  'cron-invalid': {
    title: 'The schedule is not valid',
    explanation:
      'A schedule has five fields, minute, hour, day of month, month and day of week, and a time that comes.',
  },
  'timezone-unknown': {
    title: 'The time zone does not exist',
    explanation: 'Time zones are those of the IANA database.',
  },
  'backend-missing': {
    title: 'A step needs a backend, and the file describes none',
    explanation: 'Gates deploy to the environments of a backend, and `target` gives a script one of them.',
  },
  'backend-service': {
    title: 'The name of a service of the backend is taken',
    explanation:
      'Beside the services of a backend there are its databases, and of each service one for testing and for previews.',
  },
  'containerfile-invalid': {
    title: 'The Containerfile of a service cannot be used',
    explanation:
      'It is a file of this commit, named by its path from the root of the repository, and takes the place of `image`.',
  },
  'previews-invalid': {
    title: 'The previews of the backend cannot be made',
    explanation:
      'Branches or pull requests have to be named, and names of services have to leave room for that of the preview.',
  },
  'preview-promoted': {
    title: 'A preview would be promoted',
    explanation:
      'What a preview shows was tested on a copy of its own, and may have values that are for previews only.',
  },
  'file-missing': {
    title: 'The pipeline file does not exist',
    explanation: 'Without a pipeline file in the commit there is nothing to run.',
  },
  'file-unreadable': {
    title: 'A file that the configuration names cannot be read',
    explanation: 'Secrets stand in files of their own. One that is not there, or empty, would be missed much later.',
  },
  'secret-missing': {
    title: 'A secret has no value',
    explanation: 'A step that asks for a secret would run without it, so the run is not started.',
  },
  'secret-unsafe': {
    title: 'A secret cannot be masked',
    explanation: 'A value that is very short stands in ordinary text too, so that it could not be kept out of the log.',
  },
  'secret-untrusted': {
    title: 'A fork asks for a secret',
    explanation: 'Whoever forks a repository writes what its steps do, so that runs of forks get no secret.',
  },
  'environment-untrusted': {
    title: 'A fork asks for an environment',
    explanation: 'Whoever forks a repository writes what its steps do, so that runs of forks deploy nothing.',
  },
  'step-unsupported': {
    title: 'The executor cannot run the step',
    explanation: 'What a step asks for must be known to the executor before the run starts.',
  },
} as const satisfies Readonly<Record<string, ProblemEntry>>;

export type ProblemCode = keyof typeof problemCodes;
