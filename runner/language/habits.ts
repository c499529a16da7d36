/** Keys that people bring along from other systems, by the definition in the schema that they are written in. */
interface Habit {
  readonly hint: string;
  /** The key of ours that says the same: it is not reported as missing besides. */
  readonly means?: string;
}

const env = { means: 'env', hint: 'Environment variables stand in `env`.' };
const noStages = { hint: 'There are no stages: a step runs after the one above it, or after those in its `needs`.' };
const condition = { means: 'if', hint: "Say when the step runs in CEL: `if: branch == 'main'`." };
const needs = { means: 'needs', hint: 'The steps that must have succeeded first stand in `needs: [lint, unit]`.' };
const run = {
  means: 'run',
  hint: 'The script of a step stands in `run`; several commands below `run: |`, one per line.',
};
const shared = { hint: 'Steps that are used again stand in a workflow file: `uses: ./ci/NAME.yaml`.' };
const aroundScript = {
  hint: 'Write these commands into `run`; what must happen in any case is a step below `finally`.',
};
const platform = { hint: 'The executor is chosen on the command line, the operating system and tools by `image`.' };
const workdir = { means: 'workdir', hint: 'The folder to start in is `workdir`.' };
const stepName = { hint: 'The key below `steps` is the name of a step; what it is for stands in `description`.' };
const noToken = { hint: 'Steps get no credentials but those in `secrets`; delete the key.' };
const byHand = { hint: 'Every pipeline can be started by hand, with `sluice run`; delete the key.' };
const pullRequest = { means: 'pull_request', hint: 'Pull and merge requests are both `pull_request`.' };
const pushed = { hint: 'Branches and tags are filtered below `push`: `push: { branches: [main], tags: ["v*"] }`.' };
const without = { hint: "Take out with a leading `!`, after what lets in: `['**', '!docs/**']`." };
const red = { hint: 'A red step stays red. A command that may fail says so itself: `npm audit || echo ignored`.' };

export const habits: Readonly<Record<string, Readonly<Record<string, Habit>>>> = {
  pipeline: {
    jobs: { means: 'steps', hint: 'The steps stand by name directly below `steps`; there are no jobs around them.' },
    tasks: { means: 'steps', hint: 'The steps stand by name below `steps`.' },
    name: { means: 'pipeline', hint: 'The name of the pipeline is `pipeline`.' },
    workflow: {
      means: 'pipeline',
      hint: 'A pipeline file starts with `pipeline: NAME`; a workflow file is called by `uses`.',
    },
    stages: noStages,
    version: { hint: 'The language has no versions; delete the key.' },
    image: { means: 'runtime', hint: 'The image of all steps that name none is `runtime`.' },
    variables: env,
    environment: env,
    script: { hint: 'Give the script a step of its own: `steps: { build: { run: … } }`.' },
    before_script: aroundScript,
    after_script: aroundScript,
    default: { hint: '`runtime`, `env` and `timeout` at the top hold for all steps; the rest is said in the step.' },
    defaults: { hint: '`runtime`, `env` and `timeout` at the top hold for all steps; the rest is said in the step.' },
    include: shared,
    permissions: noToken,
    trigger: { means: 'on', hint: 'What starts a run stands in `on`.' },
    triggers: { means: 'on', hint: 'What starts a run stands in `on`.' },
  },
  workflow: {
    pipeline: { means: 'workflow', hint: 'This file is read as a workflow file, which starts with `workflow: NAME`.' },
    name: { means: 'workflow', hint: 'The name of the workflow is `workflow`.' },
    on: { hint: 'A workflow is started by the step that uses it; delete the key.' },
    finally: { hint: 'Only a pipeline file has `finally` steps.' },
    jobs: { means: 'steps', hint: 'The steps stand by name directly below `steps`; there are no jobs around them.' },
  },
  step: {
    script: run,
    commands: run,
    command: run,
    cmd: run,
    steps: { hint: 'A step has one script: write the commands into `run`, or make each a step of its own.' },
    before_script: aroundScript,
    after_script: aroundScript,
    'runs-on': platform,
    tags: platform,
    agent: platform,
    container: { means: 'image', hint: 'The image to run in is `image`.' },
    stage: noStages,
    'timeout-minutes': { means: 'timeout', hint: 'Write the time with its unit: `timeout: 10m`.' },
    'continue-on-error': red,
    allow_failure: red,
    strategy: { means: 'matrix', hint: 'The axes stand directly below `matrix`.' },
    parallel: { means: 'matrix', hint: 'Variants of a step are the values of its `matrix`.' },
    only: condition,
    except: condition,
    rules: condition,
    when: condition,
    name: stepName,
    id: stepName,
    depends_on: needs,
    'depends-on': needs,
    dependencies: needs,
    requires: needs,
    after: needs,
    'working-directory': workdir,
    working_directory: workdir,
    cwd: workdir,
    dir: workdir,
    variables: env,
    environment: env,
    extends: shared,
    template: shared,
    retries: { means: 'retry', hint: 'Write `retry: { max: 2 }`.' },
    attempts: { means: 'retry', hint: 'Write `retry: { max: 2 }`.' },
    reports: { means: 'junit', hint: 'JUnit reports stand in `junit`, other reports in `artifacts`.' },
    inputs: { means: 'with', hint: 'Inputs of the used workflow stand in `with`.' },
    args: { means: 'with', hint: 'Inputs of the used workflow stand in `with`.' },
    permissions: noToken,
  },
  triggers: {
    merge_request: pullRequest,
    merge_requests: pullRequest,
    'pull-request': pullRequest,
    pull_request_target: pullRequest,
    workflow_dispatch: byHand,
    manual: byHand,
    workflow_call: shared,
    cron: { means: 'schedule', hint: 'Write `schedule: [{ cron: "0 3 * * *" }]`.' },
    branches: pushed,
    tags: pushed,
    tag: pushed,
    release: pushed,
  },
  pushTrigger: { 'branches-ignore': without, 'tags-ignore': without, 'paths-ignore': without },
  pullRequestTrigger: {
    'branches-ignore': without,
    'paths-ignore': without,
    types: { hint: 'A run starts when the request is opened and when it gets commits; delete the key.' },
  },
  cache: {
    path: { means: 'paths', hint: 'Write `paths` as a list: `paths: [node_modules]`.' },
    'restore-keys': { hint: 'A key fits exactly or not at all; delete the key.' },
  },
  artifact: {
    paths: { means: 'path', hint: 'Each path is an entry of the list `artifacts`.' },
    name: { hint: 'Artefacts are found by their path; delete the key.' },
    'if-no-files-found': { means: 'required', hint: 'Write `required: true` to fail when nothing matches.' },
  },
  concurrency: { 'cancel-in-progress': { means: 'policy', hint: 'Write `policy: cancel` to end the older run.' } },
  service: {
    name: { means: 'image', hint: 'The image of the service is `image`; its name is the key above.' },
    options: { means: 'ready', hint: 'The command that tells when the service is ready is `ready: pg_isready`.' },
    ports: {
      means: 'port',
      hint: 'A service has one port: `port: 5432`. Free ports are given to steps by `${{ services.NAME.port }}`.',
    },
  },
  retry: {
    attempts: { means: 'max', hint: 'How many more attempts there are is `max`.' },
    when: { means: 'on', hint: 'The outcomes to retry stand in `on: [failed, errored]`.' },
  },
};
