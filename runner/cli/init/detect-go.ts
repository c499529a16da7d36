import { reportFolder } from './draft.ts';
import type { DraftStep, Finding } from './draft.ts';
import { isCommitted } from './repository.ts';
import type { Repository } from './repository.ts';

const junit = `${reportFolder}/go.xml`;
const converter = 'gotest.tools/gotestsum';

export function detectGo(repository: Repository): Finding | undefined {
  const module = repository.texts.get('go.mod');
  if (module === undefined) return undefined;
  const lock = isCommitted(repository, 'go.sum') ? 'go.sum' : 'go.mod';
  const cache = { key: `go-\${{ hashFiles('${lock}') }}`, paths: ['~/go/pkg/mod'] };
  return {
    what: 'Go, tests by go test',
    kind: 'go',
    image: `golang:${/^go (\d+\.\d+)/m.exec(module)?.[1] ?? '1'}`,
    steps: [
      { name: 'vet', run: ['go vet ./...'], cache },
      { ...testStep(module), cache },
    ],
  };
}

/** `go test` writes no JUnit; the usual converter is used where the module names it as a tool. */
function testStep(module: string): DraftStep {
  const step = { name: 'test', usesServices: true };
  if (module.includes(converter)) {
    return { ...step, run: [`mkdir -p ${reportFolder}`, `go tool gotestsum --junitfile ${junit} ./...`], junit };
  }
  return {
    ...step,
    run: ['go test ./...'],
    comment: `For a JUnit report, add \`junit: ${junit}\` and run this instead:\n  go run ${converter}@latest --junitfile ${junit} ./...`,
  };
}
