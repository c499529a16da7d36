import type { Finding } from './draft.ts';
import { isCommitted } from './repository.ts';
import type { Repository } from './repository.ts';

export function detectRust(repository: Repository): Finding | undefined {
  if (!repository.files.has('Cargo.toml')) return undefined;
  const isLocked = isCommitted(repository, 'Cargo.lock');
  const key = `cargo-\${{ hashFiles('${isLocked ? 'Cargo.lock' : 'Cargo.toml'}') }}`;
  const cache = { key, paths: ['~/.cargo/registry'] };
  return {
    what: 'Rust, tests by cargo test',
    kind: 'rust',
    image: 'rust:1',
    steps: [{ name: 'test', run: [`cargo test${isLocked ? ' --locked' : ''}`], usesServices: true, cache }],
  };
}

/** Maven and Gradle write JUnit reports by themselves. */
export function detectJava({ files }: Repository): Finding | undefined {
  const maven = files.has('pom.xml');
  const gradle = ['build.gradle', 'build.gradle.kts'].find((path) => files.has(path));
  if (!maven && gradle === undefined) return undefined;
  const run = maven
    ? `${files.has('mvnw') ? './mvnw' : 'mvn'} --batch-mode verify`
    : `${files.has('gradlew') ? './gradlew' : 'gradle'} --no-daemon build`;
  const junit = maven ? '**/target/surefire-reports/TEST-*.xml' : '**/build/test-results/**/TEST-*.xml';
  const key = maven ? "maven-${{ hashFiles('**/pom.xml') }}" : "gradle-${{ hashFiles('**/*.gradle*') }}";
  const cache = { key, paths: [maven ? '~/.m2/repository' : '~/.gradle/caches'] };
  const image = maven ? 'maven:3-eclipse-temurin-21' : 'gradle:8-jdk21';
  const what = `Java with ${maven ? 'Maven' : 'Gradle'}`;
  return { what, kind: 'java', image, steps: [{ name: 'test', run: [run], junit, usesServices: true, cache }] };
}

const makeTargets = ['lint', 'check', 'test'];

/** Only where nothing more particular was found. */
export function detectMake({ texts }: Repository): Finding | undefined {
  const makefile = texts.get('Makefile') ?? '';
  const targets = makeTargets.filter((target) => new RegExp(`^${target}[ \\t]*:(?!=)`, 'm').test(makefile));
  if (targets.length === 0) return undefined;
  const steps = targets.map((name) => ({ name, run: [`make ${name}`], usesServices: name !== 'lint' }));
  return { what: 'a Makefile', kind: 'make', image: 'base', steps };
}
