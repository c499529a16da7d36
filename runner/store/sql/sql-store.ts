import type { Clock } from '../../model/clock.ts';
import type { Intake } from '../intake.ts';
import type { Outbox } from '../outbox.ts';
import type { ServerRecords } from '../server-records.ts';
import { nobody } from '../store.ts';
import type { Lease, Owner, Store } from '../store.ts';
import type { Watch } from '../watch.ts';
import { readArtifacts, readTests, saveArtifacts, saveTests } from './attempt-results.ts';
import { addAudit, listAudit } from './audit-trail.ts';
import { findCache, keepCache } from './caches.ts';
import { deliver, findDelivery, listDeliveries } from './deliveries.ts';
import { append, appendRequest, createRun, readEvents } from './event-log.ts';
import { feedEnd, readFeed } from './feed.ts';
import { acquireGroup, releaseGroup } from './held-groups.ts';
import { dropAnswer, keepAnswer, takeAnswer } from './kept-answers.ts';
import type { Liveness } from './liveness.ts';
import { addRepository, findRepository, listRepositories, removeRepository } from './repositories.ts';
import { nextNotice, postponeNotice, settleNotice, takeNotices } from './outbox.ts';
import { abandonedRuns, claimRun } from './run-owners.ts';
import { enqueue, queueDepth, takeQueued } from './run-queue.ts';
import { findRun, listRuns, resolveRun } from './run-rows.ts';
import type { SqlDatabase } from './sql-database.ts';
import { findCase, listCaseResults, listCases, listTroubledCases } from './test-history.ts';
import { toldDatabase } from './told-database.ts';
import { addToken, findToken, listTokens, revokeToken } from './tokens.ts';
import {
  finishLook,
  keepSchedules,
  listDueSchedules,
  listSeenRefs,
  postponeSchedule,
  recordSightings,
  takeLook,
} from './watch.ts';

/** The store on any SQL database that has the tables. */
export function sqlStore(
  plainDatabase: SqlDatabase,
  clock: Clock,
  liveness: Liveness,
): Store & Intake & Watch & Outbox & ServerRecords {
  const database = toldDatabase(plainDatabase);
  const { read, write } = database;
  const enlisted = async <Given extends Lease | undefined>(
    owner: Owner,
    give: () => Promise<Given>,
  ): Promise<Given> => {
    // Nobody is no runner: one that enters is taken to have lost the runs that are its own, and those of nobody are the queue.
    const lost = owner.id === nobody.id ? undefined : await liveness.enlist(owner);
    const lease = await give();
    return lease && lost ? { ...lease, lost } : lease;
  };
  return {
    createRun: (run, owner) => enlisted(owner, () => write((db) => createRun(db, run, owner))),
    append: (lease, expected, events) => write((db) => append(db, lease, expected, events)),
    request: (runId, event) => write((db) => appendRequest(db, runId, event)),
    events: (runId, after = 0) => read((db) => readEvents(db, runId, after)),
    changes: () => database.changes(),

    run: (runId) => read((db) => findRun(db, runId)),
    runs: (filter) => read((db) => listRuns(db, filter)),
    resolve: (idOrPrefix) => read((db) => resolveRun(db, idOrPrefix)),

    claim: (runId, owner) => enlisted(owner, () => write((db) => claimRun(db, runId, owner, liveness.deadAmong))),
    abandoned: () => read((db) => abandonedRuns(db, liveness.deadAmong)),
    acquire: (lease, group, holder) => write((db) => acquireGroup(db, lease, group, holder, clock())),
    release: (lease, group, holder) => write((db) => releaseGroup(db, lease, group, holder)),

    saveTests: (lease, key, cases) => saveTests(database, lease, key, cases),
    tests: (key) => readTests(database, key),
    saveArtifacts: (lease, key, entries) => write((db) => saveArtifacts(db, lease, key, entries)),
    artifacts: (key) => read((db) => readArtifacts(db, key)),

    cache: (scope, key) => read((db) => findCache(db, scope, key)),
    saveCache: (scope, key, blob) => write((db) => keepCache(db, scope, key, blob, clock())),

    addRepository: (repository) => write((db) => addRepository(db, repository)),
    removeRepository: (id) => write((db) => removeRepository(db, id)),
    repository: (id) => read((db) => findRepository(db, 'id', id)),
    repositoryNamed: (name) => read((db) => findRepository(db, 'name', name)),
    repositories: () => read((db) => listRepositories(db)),
    deliver: (announced) => write((db) => deliver(db, announced)),
    deliveries: (filter) => read((db) => listDeliveries(db, filter)),
    delivery: (id) => read((db) => findDelivery(db, id)),
    enqueue: (event) => write((db) => enqueue(db, event)),
    takeQueued: (owner, most) => enlisted(owner, () => write((db) => takeQueued(db, owner, most))),
    queueDepth: () => read((db) => queueDepth(db)),

    takeNotices: (now, leaseMs, most) => write((db) => takeNotices(db, now, leaseMs, most)),
    settleNotice: (notice) => write((db) => settleNotice(db, notice)),
    postponeNotice: (notice, notBefore) => write((db) => postponeNotice(db, notice, notBefore)),
    nextNotice: () => read((db) => nextNotice(db)),

    takeLook: (now, before, busyWith) => write((db) => takeLook(db, now, before, busyWith)),
    seenRefs: (id) => read((db) => listSeenRefs(db, id)),
    recordSightings: (id, sightings, since) => write((db) => recordSightings(db, id, sightings, since)),
    finishLook: (id, at) => write((db) => finishLook(db, id, at)),
    keepSchedules: (id, commit, schedules) => write((db) => keepSchedules(db, id, commit, schedules)),
    dueSchedules: (now) => read((db) => listDueSchedules(db, now)),
    postponeSchedule: (due, nextAt) => write((db) => postponeSchedule(db, due, nextAt)),

    ...serverRecords(database, clock),

    close: () => database.close(),
  };
}

function serverRecords({ read, write }: SqlDatabase, clock: Clock): ServerRecords {
  return {
    addToken: (token, sha256) => write((db) => addToken(db, token, sha256)),
    findToken: (sha256) => read((db) => findToken(db, sha256)),
    tokens: (filter) => read((db) => listTokens(db, filter)),
    revokeToken: (id, at) => write((db) => revokeToken(db, id, at)),
    addAudit: (entry) => write((db) => addAudit(db, entry)),
    audit: (after, limit) => read((db) => listAudit(db, after, limit)),
    takeAnswer: (subject, key, fingerprint) => write((db) => takeAnswer(db, subject, key, fingerprint, clock())),
    keepAnswer: (subject, key, answer) => write((db) => keepAnswer(db, subject, key, answer)),
    dropAnswer: (subject, key) => write((db) => dropAnswer(db, subject, key)),
    feed: (after, limit) => read((db) => readFeed(db, after, limit)),
    feedEnd: () => read((db) => feedEnd(db)),
    knownCase: (caseId) => read((db) => findCase(db, caseId)),
    knownCases: (filter) => read((db) => listCases(db, filter)),
    caseResults: (caseId, filter) => read((db) => listCaseResults(db, caseId, filter)),
    troubledCases: (repository, since, limit) => read((db) => listTroubledCases(db, repository, since, limit)),
  };
}
